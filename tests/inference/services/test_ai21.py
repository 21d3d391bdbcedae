"""AI21: requests to the letter, and its replies as it sends them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest
from inference.types import TaskType
from inference.upstream.errors import BrokenStream, UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint, sse

ANSWERED = (
    b'{"id":"chat-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,'
    b'"total_tokens":7}}'
)
USAGE = {"prompt_tokens": 5, "total_tokens": 7, "completion_tokens": 2}
STREAMED = (
    b'data: {"id":"chat-1","choices":[{"index":0,"delta":{"role":"assistant"},'
    b'"finish_reason":null}]}\n\n'
    b'data: {"id":"chat-1","choices":[{"index":0,"delta":{"content":"Hi"},'
    b'"finish_reason":null}]}\n\n'
    b'data: {"id":"chat-1","choices":[{"index":0,"delta":{"content":""},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"total_tokens":7,'
    b'"completion_tokens":2}}\n\n'
    b"data: [DONE]\n\n"
)


def asking_for(task: TaskType, *replies: Any, task_settings: Any = None, **settings: Any) -> Asking:
    settings = {"model_id": "jamba-mini", "api_key": "k"} | settings
    return endpoint("ai21", task, settings, *replies, task_settings=task_settings)


def completing(*replies: Any) -> Asking:
    return asking_for(TaskType.COMPLETION, *replies)


def chatting(*replies: Any) -> Asking:
    return asking_for(TaskType.CHAT_COMPLETION, *replies)


def test_a_completion_is_a_chat_with_one_message() -> None:
    asking = completing(ANSWERED)

    assert asking.infer("Say hi") == {"completion": [{"result": "Hi."}]}
    assert str(asking.request.url) == "https://api.ai21.com/studio/v1/chat/completions"
    assert asking.request.headers["Authorization"] == "Bearer k"
    assert asking.body == {
        "messages": [{"content": "Say hi", "role": "user"}],
        "model": "jamba-mini",
        "n": 1,
        "stream": False,
    }
    with pytest.raises(InvalidRequest, match="AI21 completions only accepts 1 input"):
        asking.infer("one", "two")


def test_a_chat_is_sent_with_its_limits() -> None:
    asking = chatting(STREAMED)

    list(asking.stream("Say hi", max_completion_tokens=50, temperature=0.2))

    assert asking.body == {
        "messages": [{"content": "Say hi", "role": "user"}],
        "model": "jamba-mini",
        "max_tokens": 50,
        "n": 1,
        "temperature": 0.2,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_chunks_may_leave_out_the_model_and_bring_the_usage_with_the_end() -> None:
    assert list(chatting(STREAMED).stream()) == [
        {"id": "chat-1", "choices": [{"delta": {"role": "assistant"}, "index": 0}]},
        {"id": "chat-1", "choices": [{"delta": {"content": "Hi"}, "index": 0}]},
        {
            "id": "chat-1",
            "choices": [{"delta": {"content": ""}, "finish_reason": "stop", "index": 0}],
            "usage": USAGE,
        },
    ]


def test_a_completion_streams_what_is_written_alone() -> None:
    assert list(completing(STREAMED).stream()) == [{"completion": [{"delta": "Hi"}]}]


def test_a_stream_without_its_end_is_broken() -> None:
    with pytest.raises(BrokenStream, match="it ended before its end"):
        list(chatting(b"".join(STREAMED.partition(b'"Hi"}')[:2]) + b"}]}\n\n").stream())


def test_a_stream_that_breaks_off_in_an_error_says_why() -> None:
    begun = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hel"}}]}

    with pytest.raises(BrokenStream, match="overloaded") as told:
        list(chatting(sse(begun, {"detail": "overloaded"})).stream())

    assert (told.value.told.type, told.value.told.code) == ("ai21_error", "stream_error")


@pytest.mark.parametrize("reply", [{"choices": []}, {"choices": [{"index": 0}]}, {"detail": "x"}])
def test_an_answer_without_a_message_is_told(reply: Any) -> None:
    with pytest.raises(UpstreamMalformed):
        completing(reply).infer("hi")


@pytest.mark.parametrize(
    ("status", "attempts", "category"),
    [
        (429, 3, "Received a rate limit status code"),
        (500, 3, "Received a server error status code"),
        (503, 3, "Received a server busy error status code"),
        (413, 3, "Received a content too large status code"),
        (502, 1, "Received a server error status code"),
        (401, 1, "Received an authentication error status code"),
        (422, 1, "Received an input validation error response"),
    ],
)
@pytest.mark.parametrize("body", [b'{"detail":"no"}', b"no such model"])
def test_a_refusal_is_told_with_all_that_its_body_says(
    status: int, attempts: int, category: str, body: bytes
) -> None:
    asking = chatting(Replied(body, status))

    with pytest.raises(UpstreamError) as told:
        asking.chat()

    assert str(told.value).startswith(category)
    assert str(told.value).endswith(f"status [{status}]. Error message: [{body.decode()}]")
    assert (told.value.told.type, told.value.told.code) == ("ai21_error", None)
    assert len(asking.requests) == attempts


def test_it_has_neither_task_settings_nor_an_address_to_choose() -> None:
    with pytest.raises(InvalidRequest, match=r"unknown to the \[ai21\] service"):
        asking_for(TaskType.COMPLETION, task_settings={"user": "me"})
    with pytest.raises(InvalidRequest, match=r"unknown to the \[ai21\] service"):
        asking_for(TaskType.COMPLETION, url="https://elsewhere.test")
