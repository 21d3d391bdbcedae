"""OpenAI: requests to the letter, and its replies as it sends them."""

import base64
import struct
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.services import find_service
from inference.services.base import EndpointConfig
from inference.types import TaskType
from inference.upstream.errors import BrokenStream, UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint, sse

EMBEDDED = (
    b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-0.2]},'
    b'{"object":"embedding","index":1,"embedding":[0.3,0.4]}],'
    b'"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}'
)
ANSWERED = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1741569952,"model":"gpt-4o",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"Hello","refusal":null,'
    b'"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":8,'
    b'"completion_tokens":2,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":0,'
    b'"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},'
    b'"service_tier":"default"}'
)
KEY = {"model_id": "gpt-4o", "api_key": "sk-1"}
OAUTH = {
    "model_id": "gpt-4o",
    "client_id": "me",
    "client_secret": "s3cret",
    "scopes": ["one", "two"],
    "token_url": "https://login.test/token",
}
TOKEN = Replied({"access_token": "t1", "expires_in": 3600, "token_type": "Bearer"})
OTHER_TOKEN = Replied({"access_token": "t2", "expires_in": 3600})
REFUSED = {"error": {"message": "No.", "type": "invalid_request_error", "code": "invalid_api_key"}}


def embedding(*replies: Any, **settings: Any) -> Asking:
    task_settings = settings.pop("task_settings", None)
    settings = {"model_id": "text-embedding-3-small", "api_key": "sk-1"} | settings
    return endpoint(
        "openai", TaskType.TEXT_EMBEDDING, settings, *replies, task_settings=task_settings
    )


def completion(*replies: Any, **settings: Any) -> Asking:
    return endpoint("openai", TaskType.COMPLETION, KEY | settings, *replies)


def chatting(*replies: Any, **settings: Any) -> Asking:
    return endpoint("openai", TaskType.CHAT_COMPLETION, settings or KEY, *replies)


def chunk(**delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    return {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o",
        "system_fingerprint": "fp_1",
        "choices": [choice],
        "usage": None,
    }


def test_texts_are_sent_with_what_the_settings_say() -> None:
    asking = embedding(
        EMBEDDED,
        organization_id="org-1",
        dimensions=2,
        task_settings={"user": "u1", "headers": {"X-Team": "search"}},
    )

    asking.infer("a", "b")

    assert str(asking.request.url) == "https://api.openai.com/v1/embeddings"
    assert asking.body == {
        "input": ["a", "b"],
        "model": "text-embedding-3-small",
        "user": "u1",
        "dimensions": 2,
        "encoding_format": "base64",
    }
    headers = asking.request.headers
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer sk-1"
    assert headers["OpenAI-Organization"] == "org-1"
    assert headers["X-Team"] == "search"


def test_only_what_was_set_is_sent() -> None:
    asking = embedding(EMBEDDED, url="https://mine.test/v2/embed?x=1")

    asking.infer("a", "b")

    assert str(asking.request.url) == "https://mine.test/v2/embed?x=1"
    assert set(asking.body) == {"input", "model", "encoding_format"}
    assert "OpenAI-Organization" not in asking.request.headers


def test_headers_of_a_call_take_the_place_of_those_of_the_endpoint() -> None:
    asking = embedding(EMBEDDED, task_settings={"user": "u1", "headers": {"X-One": "1"}})

    asking.infer("a", "b", task_settings={"headers": {"X-Two": "2"}})

    assert "X-One" not in asking.request.headers
    assert asking.request.headers["X-Two"] == "2"
    assert asking.body["user"] == "u1"


def test_vectors_come_as_numbers_or_as_base64_of_them() -> None:
    packed = base64.b64encode(struct.pack("<2f", 0.5, -0.25)).decode()
    rows = {"data": [{"index": 0, "embedding": packed}, {"index": 1, "embedding": [0.5, 1]}]}

    first, second = embedding(rows).infer("a", "b")["text_embedding"]

    assert first["embedding"].tolist() == [0.5, -0.25]
    assert second["embedding"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"data": [{"embedding": [0.1]}]}, r"\[1\] vectors for \[2\] inputs"),
        ({"data": [{"embedding": [0.1]}, {"embedding": [0.1, 0.2]}]}, r"lengths \[1, 2\]"),
        ({"data": [{"embedding": "?"}, {"embedding": "?"}]}, "neither numbers nor base64"),
        ({"data": [{"embedding": "AAA="}, {"embedding": "AAA="}]}, "neither numbers nor base64"),
        ({"data": [{"embedding": [1e39]}, {"embedding": [0.1]}]}, "out of range"),
        ({"object": "list"}, r"\[data\] Field required"),
        (b"", "it is empty"),
        (b'{"data": [', "JSON"),
    ],
)
def test_a_reply_that_is_none_is_told_with_what_is_wrong(body: Any, why: str) -> None:
    with pytest.raises(UpstreamMalformed, match=why):
        embedding(body).infer("a", "b")


@pytest.mark.parametrize(
    "refusal",
    [
        Replied(b"", 413),
        Replied({"error": {"message": "Please reduce your prompt; or completion length."}}, 400),
        Replied({"error": {"message": "Too long", "code": "context_length_exceeded"}}, 400),
    ],
)
def test_texts_that_are_too_long_are_cut_to_half_and_sent_again(refusal: Replied) -> None:
    asking = embedding(refusal, EMBEDDED)

    asking.infer("abcdef", "xy")

    assert asking.body["input"] == ["abc", "x"]


def test_texts_are_cut_to_what_the_endpoint_allows() -> None:
    asking = embedding(EMBEDDED, max_input_tokens=1)

    asking.infer("abcdef", "xy")

    assert asking.body["input"] == ["abc", "xy"]


def test_a_chat_is_sent_in_the_provider_s_own_shape() -> None:
    asking = chatting(ANSWERED)
    function = {"name": "weather", "parameters": {"type": "object", "properties": {}}}

    answer = asking.chat(
        model="gpt-5",
        max_completion_tokens=100,
        stop=["."],
        temperature=0.5,
        top_p=1,
        tools=[{"type": "function", "function": function}],
        tool_choice={"type": "function", "function": {"name": "weather"}},
    )

    assert str(asking.request.url) == "https://api.openai.com/v1/chat/completions"
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "gpt-5",
        "max_completion_tokens": 100,
        "n": 1,
        "stop": ["."],
        "temperature": 0.5,
        "top_p": 1,
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "stream": False,
    }
    assert answer == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1741569952,
        "model": "gpt-4o",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello"},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 8,
            "completion_tokens": 2,
            "total_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def test_the_effort_of_reasoning_is_sent_as_a_word() -> None:
    asking = chatting(ANSWERED)

    asking.chat(reasoning={"effort": "low", "exclude": True})

    assert asking.body["reasoning_effort"] == "low"
    assert "reasoning" not in asking.body
    with pytest.raises(InvalidRequest, match="effort"):
        asking.chat(reasoning={"enabled": True})


def test_a_completion_is_a_chat_of_one_message() -> None:
    asking = completion(ANSWERED)

    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "gpt-4o",
        "n": 1,
        "stream": False,
    }
    with pytest.raises(InvalidRequest, match="only accepts 1 input"):
        asking.infer("one", "two")


def test_a_stream_of_a_chat_is_passed_on_with_tool_calls_and_usage() -> None:
    called = {"index": 0, "id": "call_1", "type": "function"}
    usage = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
    asking = chatting(
        sse(
            chunk(role="assistant", content="He", refusal=None),
            chunk(tool_calls=[called | {"function": {"name": "weather", "arguments": ""}}]),
            chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"a":1}'}}]),
            chunk() | {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
            chunk() | {"choices": [], "usage": usage},
        )
    )

    chunks = list(asking.stream())

    assert asking.body["stream_options"] == {"include_usage": True}
    assert chunks[0] == {
        "id": "c-1",
        "choices": [{"delta": {"content": "He", "role": "assistant"}, "index": 0}],
        "model": "gpt-4o",
        "object": "chat.completion.chunk",
    }
    first, second = (one["choices"][0]["delta"]["tool_calls"] for one in chunks[1:3])
    assert first == [called | {"function": {"name": "weather", "arguments": ""}}]
    assert second == [{"index": 0, "function": {"arguments": '{"a":1}'}}]
    assert chunks[3]["choices"] == [{"delta": {}, "finish_reason": "tool_calls", "index": 0}]
    assert chunks[4]["choices"] == []
    assert chunks[4]["usage"] == usage


def test_a_stream_of_a_completion_tells_texts_alone() -> None:
    asking = completion(
        sse(chunk(role="assistant", content=""), chunk(content="He"), chunk(content="llo"), chunk())
    )

    assert list(asking.stream()) == [
        {"completion": [{"delta": "He"}]},
        {"completion": [{"delta": "llo"}]},
    ]


@pytest.mark.parametrize(
    "event",
    [
        b'data: {"error":{"message":"Overloaded","type":"server_error","code":null}}\n\n',
        b'event: error\ndata: {"error":{"message":"Overloaded"}}\n\n',
    ],
)
def test_an_error_in_a_stream_ends_it(event: bytes) -> None:
    stream = completion(sse(chunk(content="He"), is_done=False) + event).stream()

    assert next(stream) == {"completion": [{"delta": "He"}]}
    with pytest.raises(BrokenStream, match=r"Error message: \[Overloaded\]"):
        next(stream)


def test_a_refusal_is_told_with_the_provider_s_words() -> None:
    asking = chatting(Replied(REFUSED, 401))

    with pytest.raises(UpstreamError) as caught:
        asking.chat()

    assert str(caught.value) == (
        "Received an authentication error status code for request from inference entity id "
        "[my-endpoint] status [401]. Error message: [No.]"
    )
    assert caught.value.status == 401
    assert (caught.value.told.code, caught.value.told.type) == (
        "invalid_api_key", "invalid_request_error",
    )  # fmt: skip
    assert len(asking.requests) == 1


@pytest.mark.parametrize(("status", "attempts"), [(429, 3), (500, 3), (503, 3), (502, 1), (422, 1)])
def test_some_statuses_are_tried_again(status: int, attempts: int) -> None:
    asking = embedding(Replied(REFUSED, status))

    with pytest.raises(UpstreamError):
        asking.infer("a")

    assert len(asking.requests) == attempts


def test_a_rate_limit_is_told_with_what_is_left() -> None:
    headers = {"x-ratelimit-limit-tokens": "100", "x-ratelimit-remaining-requests": "0"}

    with pytest.raises(UpstreamError) as caught:
        embedding(Replied(REFUSED, 429, headers)).infer("a")

    assert str(caught.value) == (
        "Received a rate limit status code. Token limit [100], remaining tokens [unknown]. "
        "Request limit [unknown], remaining requests [0] for request from inference entity id "
        "[my-endpoint] status [429]. Error message: [No.]"
    )


def test_an_oauth2_token_is_fetched_once_for_many_calls() -> None:
    asking = chatting(TOKEN, ANSWERED, **OAUTH)

    asking.chat()
    asking.chat()

    fetched, *calls = asking.requests
    assert str(fetched.url) == "https://login.test/token"
    assert parse_qs(fetched.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["me"],
        "client_secret": ["s3cret"],
        "scope": ["one two"],
    }
    assert [call.headers["Authorization"] for call in calls] == ["Bearer t1"] * 2


def test_a_refused_token_is_dropped() -> None:
    asking = chatting(TOKEN, Replied(REFUSED, 401), OTHER_TOKEN, ANSWERED, **OAUTH)

    with pytest.raises(UpstreamError):
        asking.chat()
    asking.chat()

    assert asking.request.headers["Authorization"] == "Bearer t2"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"api_key": None}, r"one of the required settings \[api_key, client_secret\]"),
        (OAUTH, r"\[api_key\] cannot be used together"),
        (OAUTH | {"api_key": None, "token_url": None}, r"missing are \[token_url\]"),
        ({"url": "ftp://x.test"}, r"Invalid url \[ftp://x.test\] received for field \[url\]"),
        ({"url": "https://u:pw1@x.test"}, r"Invalid url \[\*\*\*\]"),
        ({"url": "https://x.test:99999"}, "there is no port 99999"),
        ({"url": "https:///embed"}, "it names no host"),
        ({"url": "https://x.test/\n"}, "Reason: Invalid non-printable"),
        ({"dimensions": 0}, "must be a positive integer"),
        ({"similarity": "manhattan"}, r"one of \[cosine, dot_product, l2_norm\]"),
    ],
)
def test_settings_that_cannot_be_are_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidSettings, match=why) as caught:
        embedding(**change)

    assert "pw1" not in str(caught.value)


def test_a_stored_secret_goes_to_no_other_address() -> None:
    """Who may change an endpoint need not know its secret, and shall not come by it."""
    service, stored = find_service("openai"), {"service_settings": OAUTH}
    elsewhere = {"token_url": "https://evil.test/token"}

    def update(changed: dict[str, Any]) -> EndpointConfig:
        return service.parse_update(TaskType.COMPLETION, stored, {"service_settings": changed})

    with pytest.raises(InvalidSettings, match=r"\[client_secret\] must be given again"):
        update(elsewhere)
    update(elsewhere | {"client_secret": "new"})
    update({"token_url": OAUTH["token_url"], "scopes": ["one"]})


@pytest.mark.parametrize("name", ["model", "model_id"])
def test_the_model_may_stand_in_the_task_settings_as_it_once_did(name: str) -> None:
    own = {name: "m", "user": "u1"}
    asking = endpoint("openai", TaskType.COMPLETION, {"api_key": "k"}, ANSWERED, task_settings=own)

    asking.infer("hi")

    assert (asking.body["model"], asking.body["user"]) == ("m", "u1")
    assert asking.config.task_settings.to_response() == {"user": "u1"}
    with pytest.raises(InvalidRequest, match=rf"settings \[{{{name}=m}}\] unknown"):
        endpoint(
            "openai", TaskType.COMPLETION, {"api_key": "k", "model_id": "n"}, task_settings=own
        )


def test_only_vectors_have_dimensions() -> None:
    with pytest.raises(InvalidRequest, match=r"unknown to the \[openai\] service"):
        completion(dimensions=3)


def test_models_are_listed_without_cost_at_openai_itself() -> None:
    asking = completion()
    settings: Any = asking.config.service_settings

    asked = asking.service.models_request(settings)

    assert isinstance(asked, httpx.Request)
    assert str(asked.url) == "https://api.openai.com/v1/models"
    mine: Any = completion(url="https://mine.test").config.service_settings
    assert asking.service.models_request(mine) is None
