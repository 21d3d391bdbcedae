"""DeepSeek: chats alone, no limit of our own, and patience with a busy server."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import TaskType
from inference.upstream.errors import BrokenStream, UpstreamError
from tests.inference.services.asking import Asking, Replied, endpoint

SETTINGS = {"model_id": "deepseek-chat", "api_key": "k1"}
ANSWERED = (
    b'{"id":"1","object":"chat.completion","model":"deepseek-chat","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello","reasoning_content":null},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,'
    b'"prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":1}}'
)
THOUGHT = (
    b": keep-alive\n\n"
    b'data: {"id":"1","object":"chat.completion.chunk","model":"deepseek-reasoner","choices":'
    b'[{"index":0,"delta":{"content":null,"reasoning_content":"Hm"},"finish_reason":null}]}\n\n'
    b": keep-alive\n\n"
)
SAID = (
    b'data: {"id":"1","object":"chat.completion.chunk","model":"deepseek-reasoner","choices":'
    b'[{"index":0,"delta":{"content":"Hi","reasoning_content":null},"finish_reason":null}]}\n\n'
)
ENDED = (
    b'data: {"id":"1","object":"chat.completion.chunk","model":"deepseek-reasoner","choices":'
    b'[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,'
    b'"completion_tokens":2,"total_tokens":3}}\n\n'
)
REFUSED = (
    b'{"error":{"message":"Authentication Fails, your api key is invalid",'
    b'"type":"authentication_error","param":null,"code":"invalid_request_error"}}'
)


def asked(task_type: TaskType, *replies: Any, **settings: Any) -> Asking:
    return endpoint("deepseek", task_type, SETTINGS | settings, *replies)


def test_a_chat_is_sent_with_the_older_name_of_its_limit() -> None:
    asking = asked(TaskType.CHAT_COMPLETION, ANSWERED)

    answer = asking.chat(max_completion_tokens=100, model="deepseek-reasoner")

    assert str(asking.request.url) == "https://api.deepseek.com/chat/completions"
    assert asking.request.headers["Authorization"] == "Bearer k1"
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "deepseek-reasoner",
        "max_tokens": 100,
        "n": 1,
        "stream": False,
    }
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "Hello"}
    assert answer["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def test_an_address_is_used_as_it_is() -> None:
    asking = asked(TaskType.COMPLETION, ANSWERED, url="https://mine.test/chat")

    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert str(asking.request.url) == "https://mine.test/chat"


def test_blank_lines_before_an_answer_are_no_answer() -> None:
    asking = asked(TaskType.COMPLETION, b"\n\n\n" + ANSWERED)

    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}


def test_comments_and_thoughts_are_no_text_of_a_completion() -> None:
    asking = asked(TaskType.COMPLETION, THOUGHT + SAID + ENDED + b"data: [DONE]\n\n")

    assert list(asking.stream()) == [{"completion": [{"delta": "Hi"}]}]
    assert asking.body["stream_options"] == {"include_usage": True}


def test_thoughts_are_left_out_of_the_chunks_of_a_chat() -> None:
    asking = asked(TaskType.CHAT_COMPLETION, THOUGHT + SAID + ENDED + b"data: [DONE]\n\n")

    deltas = [chunk["choices"][0]["delta"] for chunk in asking.stream()]

    assert deltas == [{}, {"content": "Hi"}, {"content": ""}]


@pytest.mark.parametrize(("reply", "is_whole"), [(SAID, False), (SAID + ENDED, True)])
def test_a_stream_is_whole_with_a_reason_to_finish(reply: bytes, is_whole: bool) -> None:
    stream = asked(TaskType.COMPLETION, reply).stream()

    assert next(stream) == {"completion": [{"delta": "Hi"}]}
    with pytest.raises(StopIteration if is_whole else BrokenStream):
        next(stream)


@pytest.mark.parametrize(("status", "attempts"), [(401, 1), (402, 1), (413, 3), (500, 3), (429, 3)])
def test_refusals_are_told_and_some_tried_again_with_the_same_body(
    status: int, attempts: int
) -> None:
    asking = asked(TaskType.COMPLETION, Replied(REFUSED, status))

    with pytest.raises(UpstreamError, match=r"\[Authentication Fails, your api key is invalid\]"):
        asking.infer("hi")

    assert [len(one.content) for one in asking.requests] == [len(asking.request.content)] * attempts


@pytest.mark.parametrize(
    ("setting", "value"), [("rate_limit", {"requests_per_minute": 5}), ("dimensions", 3)]
)
def test_there_is_neither_a_rate_limit_nor_a_vector(setting: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"unknown to the \[deepseek\] service"):
        asked(TaskType.COMPLETION, **{setting: value})


def test_no_turn_has_to_be_waited_for() -> None:
    asking = asked(TaskType.COMPLETION)

    assert asking.service.group(asking.config) is None
    assert asking.config.service_settings.to_response() == {"model_id": "deepseek-chat"}


def test_only_the_key_can_be_changed() -> None:
    service = asked(TaskType.COMPLETION).service
    stored = {"service_settings": SETTINGS}

    for change in ({"model_id": "other"}, {"rate_limit": {"requests_per_minute": 5}}):
        with pytest.raises(InvalidRequest, match="unknown to"):
            service.parse_update(TaskType.COMPLETION, stored, {"service_settings": change})


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="it must begin with https:// or http://"):
        asked(TaskType.COMPLETION, url="mine.test/chat")
