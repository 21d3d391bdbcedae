"""Fireworks AI: requests to the letter, and its replies as it sends them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.services.remote import CHATS
from inference.types import InputType, TaskType
from inference.upstream.errors import BrokenStream, UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint, sse

EMBEDDED = (
    b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,0.2]},'
    b'{"object":"embedding","index":1,"embedding":[0.3,0.4]}],"model":"m",'
    b'"usage":{"prompt_tokens":4,"total_tokens":4}}'
)
ANSWERED = (
    b'{"id":"c-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}'
)
SETTINGS = {"model_id": "m", "api_key": "k"}
EMBEDDINGS_URL = "https://api.fireworks.ai/inference/v1/embeddings"
CHAT_URL = "https://api.fireworks.ai/inference/v1/chat/completions"
REFUSED = {"error": {"message": "No.", "type": "invalid_request_error", "code": "bad"}}


def asking_for(task: TaskType, *replies: Any, task_settings: Any = None, **settings: Any) -> Asking:
    return endpoint("fireworksai", task, SETTINGS | settings, *replies, task_settings=task_settings)


def embedding(*replies: Any, **settings: Any) -> Asking:
    return asking_for(TaskType.TEXT_EMBEDDING, *replies, **settings)


def test_texts_are_sent_with_the_length_that_was_asked_for() -> None:
    asking = embedding(EMBEDDED, dimensions=2)

    answer = asking.infer("hello", "world")

    assert str(asking.request.url) == EMBEDDINGS_URL
    assert asking.request.headers["Authorization"] == "Bearer k"
    assert asking.body == {"input": ["hello", "world"], "model": "m", "dimensions": 2}
    assert answer["text_embedding"][1]["embedding"].tolist() == pytest.approx([0.3, 0.4])


def test_a_length_that_nobody_asked_for_is_not_sent_and_nothing_is_cut() -> None:
    asking = embedding(EMBEDDED, max_input_tokens=1)

    asking.infer("hello", "world")

    assert asking.body == {"input": ["hello", "world"], "model": "m"}


def test_the_address_of_vectors_is_shown_and_that_of_chats_only_if_given() -> None:
    shown = embedding().line.config.service_settings.to_response()
    assert (shown["url"], shown["similarity"]) == (EMBEDDINGS_URL, "cosine")
    for task in CHATS:
        assert "url" not in asking_for(task).line.config.service_settings.to_response()
    elsewhere = asking_for(TaskType.COMPLETION, ANSWERED, url="https://fire.test/chat")

    elsewhere.infer("hi")

    assert str(elsewhere.request.url) == "https://fire.test/chat"


@pytest.mark.parametrize(
    "reply", [{"data": [{"embedding": [0.1]}]}, {"data": [{"embedding": []}] * 2}, {"data": None}]
)
def test_a_reply_that_does_not_fit_the_inputs_is_told(reply: Any) -> None:
    with pytest.raises(UpstreamMalformed):
        embedding(reply).infer("a", "b")


def test_a_purpose_of_texts_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="The input_type option is not supported"):
        embedding(EMBEDDED).infer("hello", input_type=InputType.SEARCH)


@pytest.mark.parametrize(
    ("task", "status", "attempts", "category"),
    [
        (TaskType.TEXT_EMBEDDING, 429, 3, "Received a rate limit status code. Token limit [unkn"),
        (TaskType.TEXT_EMBEDDING, 500, 3, "Received a server error status code for"),
        (TaskType.TEXT_EMBEDDING, 503, 1, "Received a server error status code for"),
        (TaskType.TEXT_EMBEDDING, 413, 1, "Received an unsuccessful status code for"),
        (TaskType.TEXT_EMBEDDING, 401, 1, "Received an authentication error status code for"),
        (TaskType.COMPLETION, 503, 3, "Received a server busy error status code for"),
        (TaskType.COMPLETION, 413, 3, "Received a content too large status code for"),
    ],
)
def test_vectors_and_chats_are_tried_again_after_different_failures(
    task: TaskType, status: int, attempts: int, category: str
) -> None:
    asking = asking_for(task, Replied(REFUSED, status))

    with pytest.raises(UpstreamError) as told:
        asking.infer("hello")

    assert str(told.value).startswith(category)
    assert str(told.value).endswith("Error message: [No.]")
    assert len(asking.requests) == attempts


def test_a_completion_is_sent_for_a_user_with_headers_of_the_call() -> None:
    asking = asking_for(
        TaskType.COMPLETION,
        ANSWERED,
        task_settings={"user": "u1", "headers": {"X-Team": "search", "X-None": None}},
    )

    assert asking.infer("hi") == {"completion": [{"result": "Hi."}]}
    assert str(asking.request.url) == CHAT_URL
    assert asking.request.headers["X-Team"] == "search"
    assert "X-None" not in asking.request.headers
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "m",
        "n": 1,
        "stream": False,
        "user": "u1",
    }

    asking.infer("hi", task_settings={"headers": {"X-Team": "ads"}})

    assert asking.request.headers["X-Team"] == "ads"


def test_a_completion_has_one_input() -> None:
    with pytest.raises(InvalidRequest, match="FireworksAI chat completions only accepts 1 input"):
        asking_for(TaskType.COMPLETION, ANSWERED).infer("one", "two")


@pytest.mark.parametrize(
    "settings", [{"user": ""}, {"headers": {"X-Team": 5}}, {"headers": {"X Team": "a"}}]
)
def test_task_settings_that_cannot_be_sent_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings):
        asking_for(TaskType.COMPLETION, task_settings=settings)


def test_vectors_have_no_task_settings() -> None:
    with pytest.raises(InvalidRequest, match="unknown to the"):
        embedding(task_settings={"user": "u1"})


def test_a_chat_streams_with_its_usage() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    written = [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]
    asking = asking_for(
        TaskType.CHAT_COMPLETION,
        sse(chunk | {"choices": written}, chunk | {"choices": [], "usage": usage}),
        task_settings={"user": "u1"},
    )

    events = list(asking.stream("hi", max_completion_tokens=50))

    assert asking.body["stream_options"] == {"include_usage": True}
    assert asking.body["max_completion_tokens"] == 50
    assert asking.body["user"] == "u1"
    assert events[0]["choices"] == [{"delta": {"content": "Hi"}, "index": 0}]
    assert events[1] == {
        "id": "c",
        "choices": [],
        "model": "m",
        "object": "chat.completion.chunk",
        "usage": usage,
    }


@pytest.mark.parametrize("task", CHATS)
def test_a_stream_without_its_end_is_broken(task: TaskType) -> None:
    begun = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hel"}}]}

    with pytest.raises(BrokenStream, match="it ended before its end"):
        list(asking_for(task, sse(begun, is_done=False)).stream("hi"))
