"""Llama Stack: at an address of one's own, with a key or without."""

from typing import Any

import pytest

from inference.errors import InvalidSettings
from inference.types import TaskType
from inference.upstream.errors import BrokenStream, UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint, sse

EMBEDDING = {"url": "http://h.test:8321/v1/inference/embeddings", "model_id": "all-MiniLM-L6-v2"}
CHAT = {"url": "http://h.test:8321/v1/openai/v1/chat/completions", "model_id": "llama3.2:3b"}
ANSWERED = (
    b'{"id":"chatcmpl-1","choices":[{"finish_reason":"stop","index":0,"logprobs":null,"message":'
    b'{"content":"Hello","refusal":null,"role":"assistant","annotations":null,"audio":null,'
    b'"function_call":null,"tool_calls":null}}],"created":1,"model":"llama3.2:3b",'
    b'"object":"chat.completion","usage":{"completion_tokens":2,"prompt_tokens":8,'
    b'"total_tokens":10}}'
)
NOT_FOUND = b'{"error":{"message":"400: Invalid value: Model \'x\' not found"}}'


def asked(task_type: TaskType, settings: dict[str, Any], *replies: Any) -> Asking:
    return endpoint("llama", task_type, settings, *replies)


@pytest.mark.parametrize("reply", [b'{"embeddings":[[0.5,0.25],[1,2]]}', b"[[0.5,0.25],[1,2]]"])
def test_texts_are_contents_of_a_model_id(reply: bytes) -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, EMBEDDING | {"dimensions": 2}, reply)

    first, second = asking.infer("hello", "world")["text_embedding"]

    assert str(asking.request.url) == EMBEDDING["url"]
    assert asking.body == {"model_id": "all-MiniLM-L6-v2", "contents": ["hello", "world"]}
    assert first["embedding"].tolist() == [0.5, 0.25]
    assert second["embedding"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("key", "expected"), [({}, None), ({"api_key": "k1"}, "Bearer k1")])
def test_a_key_is_sent_where_there_is_one(key: dict[str, str], expected: str | None) -> None:
    asking = asked(TaskType.COMPLETION, CHAT | key, ANSWERED)

    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert asking.request.headers.get("Authorization") == expected


def test_a_chat_is_sent_with_the_older_name_of_its_limit() -> None:
    asking = asked(TaskType.CHAT_COMPLETION, CHAT, ANSWERED)

    answer = asking.chat(max_completion_tokens=100)

    assert str(asking.request.url) == CHAT["url"]
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "llama3.2:3b",
        "max_tokens": 100,
        "n": 1,
        "stream": False,
    }
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "Hello"}


def test_texts_that_are_too_long_are_cut_to_half() -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, EMBEDDING, Replied(b"", 413), b"[[1]]")

    asking.infer("abcdef")

    assert asking.body["contents"] == ["abc"]


@pytest.mark.parametrize(
    "reply", [b"[[0.5],[0.25]]", b'{"embeddings":[]}', b'{"embeddings":[["a"]]}', b"[[NaN]]", b"{}"]
)
def test_a_reply_that_does_not_fit_is_told(reply: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        asked(TaskType.TEXT_EMBEDDING, EMBEDDING, reply).infer("hello")


def test_a_refusal_is_named_after_the_service() -> None:
    asking = asked(TaskType.CHAT_COMPLETION, CHAT, Replied(NOT_FOUND, 400))

    with pytest.raises(UpstreamError) as caught:
        asking.chat()

    assert str(caught.value).endswith("Error message: [400: Invalid value: Model 'x' not found]")
    assert caught.value.status == 400
    assert (caught.value.told.type, caught.value.told.code) == ("llama_error", None)


def test_a_stream_may_hold_nothing_but_an_error() -> None:
    stream = asked(TaskType.CHAT_COMPLETION, CHAT, sse(NOT_FOUND, is_done=False)).stream()

    with pytest.raises(BrokenStream, match="Model 'x' not found") as caught:
        next(stream)
    assert caught.value.told.type == "llama_error"
    assert caught.value.told.code == "stream_error"


@pytest.mark.parametrize("name", ["url", "model_id"])
def test_what_is_missing_is_told(name: str) -> None:
    with pytest.raises(InvalidSettings, match=rf"required setting \[{name}\]"):
        asked(TaskType.COMPLETION, CHAT | {name: None})


def test_limits_are_shared_by_address_model_and_key() -> None:
    def group(**other: Any) -> Any:
        asking = asked(TaskType.COMPLETION, CHAT | {"api_key": "k1"} | other)
        return asking.service.group(asking.config)

    assert group() == group()
    assert group().requests_per_minute == 3000
    for other in ({"api_key": "k2"}, {"model_id": "m"}, {"url": "http://other.test"}):
        assert group(**other) != group()


def test_a_stream_without_its_end_was_broken_off() -> None:
    said = {"id": "c", "choices": [{"index": 0, "delta": {"content": "He"}}]}
    stream = asked(TaskType.COMPLETION, CHAT, sse(said, is_done=False)).stream()

    assert next(stream) == {"completion": [{"delta": "He"}]}
    with pytest.raises(BrokenStream, match="it ended before its end"):
        next(stream)


def test_what_is_never_sent_leaves_the_vectors_as_they_are() -> None:
    def fingerprint(**more: Any) -> str:
        asking = asked(TaskType.TEXT_EMBEDDING, EMBEDDING | more)
        return asking.service.fingerprint(asking.config)

    assert fingerprint(dimensions=2, max_input_tokens=5, api_key="k1") == fingerprint()
    assert fingerprint(model_id="other") != fingerprint()
