"""Azure OpenAI: addresses made of settings, three ways to prove who calls, OpenAI's replies."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import InputType, TaskType
from inference.upstream.errors import BrokenStream, UpstreamError
from tests.inference.services.asking import Asking, Replied, endpoint, sse

PLACE = {"resource_name": "ours", "deployment_id": "my model/1", "api_version": "2024-10-21"}
KEY = PLACE | {"api_key": "k1"}
OAUTH = PLACE | {
    "client_id": "app",
    "client_secret": "s3cret",
    "tenant_id": "tenant",
    "scopes": ["https://cognitiveservices.azure.com/.default"],
}
BASE = "https://ours.openai.azure.com/openai/deployments/my%20model%2F1"
EMBEDDED = b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25]}]}'
ANSWERED = (
    b'{"choices":[{"content_filter_results":{},"finish_reason":"stop","index":0,"logprobs":null,'
    b'"message":{"content":"Hello","role":"assistant"}}],"created":1,"id":"chatcmpl-1",'
    b'"model":"gpt-4o-2024-08-06","object":"chat.completion","prompt_filter_results":[],'
    b'"system_fingerprint":"fp","usage":{"completion_tokens":2,"prompt_tokens":8,"total_tokens":10}}'
)
DENIED = (
    b'{"error":{"code":"401","message":"Access denied due to invalid subscription key","type":null,'
    b'"param":null,"innererror":{"code":"x"}}}'
)
FILTERED_PROMPT = (
    b'{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{}]}'
)


def asked(task_type: TaskType, settings: dict[str, Any], *replies: Any, **more: Any) -> Asking:
    return endpoint("azureopenai", task_type, settings, *replies, **more)


def test_texts_are_sent_to_the_deployment_without_a_model() -> None:
    own = {"user": "u1", "headers": {"X-Team": "search"}}
    settings = KEY | {"dimensions": 2}
    asking = asked(TaskType.TEXT_EMBEDDING, settings, EMBEDDED, task_settings=own)

    answer = asking.infer("a")

    assert str(asking.request.url) == f"{BASE}/embeddings?api-version=2024-10-21"
    assert asking.body == {"input": ["a"], "user": "u1", "dimensions": 2}
    assert asking.request.headers["X-Team"] == "search"
    assert answer["text_embedding"][0]["embedding"].tolist() == [0.5, -0.25]


def test_only_what_was_set_is_sent() -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, KEY, EMBEDDED)

    asking.infer("a")

    assert asking.body == {"input": ["a"]}


def test_a_chat_names_no_model_even_where_the_caller_does() -> None:
    asking = asked(TaskType.CHAT_COMPLETION, KEY, ANSWERED)

    answer = asking.chat(model="gpt-5", max_completion_tokens=7)

    assert str(asking.request.url) == f"{BASE}/chat/completions?api-version=2024-10-21"
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "max_completion_tokens": 7,
        "n": 1,
        "stream": False,
    }
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "Hello"}
    assert answer["model"] == "gpt-4o-2024-08-06"


def test_a_completion_is_a_chat_of_one_message() -> None:
    asking = asked(TaskType.COMPLETION, KEY, ANSWERED, task_settings={"user": "u1"})

    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "n": 1,
        "stream": False,
        "user": "u1",
    }


def test_a_first_chunk_without_choices_is_no_fault() -> None:
    said = {"id": "c", "choices": [{"index": 0, "delta": {"content": "He"}}]}
    asking = asked(TaskType.COMPLETION, KEY, sse(FILTERED_PROMPT, said))

    assert list(asking.stream()) == [{"completion": [{"delta": "He"}]}]
    assert asking.body["stream_options"] == {"include_usage": True}


def test_a_stream_without_its_end_was_broken_off() -> None:
    said = {"id": "c", "choices": [{"index": 0, "delta": {"content": "He"}}]}
    stream = asked(TaskType.COMPLETION, KEY, sse(said, is_done=False)).stream()

    assert next(stream) == {"completion": [{"delta": "He"}]}
    with pytest.raises(BrokenStream, match="it ended before its end"):
        next(stream)


def test_a_key_goes_into_a_header_of_its_own() -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, KEY, EMBEDDED)

    asking.infer("a")

    assert asking.request.headers["api-key"] == "k1"
    assert "Authorization" not in asking.request.headers


def test_a_ready_token_is_sent_as_it_is() -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, PLACE | {"entra_id": "t0"}, EMBEDDED)

    asking.infer("a")

    assert asking.request.headers["Authorization"] == "Bearer t0"
    assert "api-key" not in asking.request.headers


def test_oauth2_asks_the_tenant_for_a_token_once() -> None:
    token = {"token_type": "Bearer", "expires_in": 3599, "access_token": "t1"}
    asking = asked(TaskType.TEXT_EMBEDDING, OAUTH, token, EMBEDDED)

    asking.infer("a")
    asking.infer("b")

    fetched, *calls = asking.requests
    assert str(fetched.url) == "https://login.microsoftonline.com/tenant/oauth2/v2.0/token"
    assert parse_qs(fetched.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app"],
        "client_secret": ["s3cret"],
        "scope": ["https://cognitiveservices.azure.com/.default"],
    }
    assert [call.headers["Authorization"] for call in calls] == ["Bearer t1"] * 2


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (PLACE, r"one of the required settings \[api_key, entra_id, client_secret\]"),
        (KEY | {"entra_id": "t"}, r"\[api_key\] cannot be used together with \[entra_id\]"),
        (KEY | {"client_id": "app"}, r"\[api_key\] cannot be used together with \[client_id\]"),
        (OAUTH | {"entra_id": "t"}, r"\[entra_id\] cannot be used together with \[client_id"),
        (OAUTH | {"tenant_id": None}, r"missing are \[tenant_id\]"),
        (KEY | {"resource_name": "evil.test/"}, r"\[resource_name\] must be made of letters"),
        (KEY | {"deployment_id": ""}, r"\[deployment_id\] must be a non-empty string"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidSettings, match=why):
        asked(TaskType.COMPLETION, settings)


@pytest.mark.parametrize("name", ["model_id", "url"])
def test_there_is_neither_model_nor_url(name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"unknown to the \[azureopenai\] service"):
        asked(TaskType.COMPLETION, KEY | {name: "https://x.test"})


@pytest.mark.parametrize(
    ("body", "words", "kind"),
    [
        (DENIED, "Access denied due to invalid subscription key", "azure_openai_error"),
        (b'{"statusCode":401,"message":"No such key"}', "No such key", "azure_openai_error"),
        (b"denied by a gateway", "denied by a gateway", "azure_openai_error"),
        (b'{"error":{"message":"m","type":"own"}}', "m", "own"),
    ],
)
def test_a_refusal_is_told_in_whatever_shape_it_came(body: bytes, words: str, kind: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        asked(TaskType.CHAT_COMPLETION, KEY, Replied(body, 401)).chat()

    assert str(caught.value).endswith(f"status [401]. Error message: [{words}]")
    assert caught.value.told.type == kind


def test_a_rate_limit_tells_only_what_remains() -> None:
    headers = {"x-ratelimit-remaining-tokens": "12", "retry-after": "0"}
    asking = asked(TaskType.TEXT_EMBEDDING, KEY, Replied(DENIED, 429, headers))

    with pytest.raises(UpstreamError) as caught:
        asking.infer("a")

    assert str(caught.value).startswith(
        "Received a rate limit status code. Remaining tokens [12]. Remaining requests [unknown]. "
        "for request from"
    )
    assert len(asking.requests) == 3


def test_endpoints_of_one_deployment_share_a_limit_whatever_their_key() -> None:
    one, other = (asked(TaskType.COMPLETION, KEY | {"api_key": key}) for key in ("a", "b"))
    elsewhere = asked(TaskType.COMPLETION, KEY | {"deployment_id": "another"})

    group = one.service.group(one.config)
    assert group == other.service.group(other.config)
    assert group is not None
    assert group.requests_per_minute == 120
    assert elsewhere.service.group(elsewhere.config) != group


def test_an_input_type_is_refused() -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, KEY, EMBEDDED)

    with pytest.raises(InvalidSettings, match="input_type option is not supported"):
        asking.infer("a", input_type=InputType.SEARCH)
    assert not asking.requests


@pytest.mark.parametrize("key", ["k1\n", " k1", "k1 ", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_told(key: str) -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, PLACE | {"api_key": key}, EMBEDDED)

    with pytest.raises(InvalidSettings, match="The key has a blank around it") as caught:
        asking.infer("a")
    assert "k1" not in str(caught.value)
    assert not asking.requests


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"X-Key": "a\nb"}, r"\[\*\*\*\]. \[X-Key\] must be a non-empty string of printable"),
        ({"X Y": "a"}, r"\[headers\] cannot set the header \[X Y\]"),
        ({"Host": "evil.test"}, r"cannot set the header \[Host\]"),
        ({"X": 5}, r"field \[X\] is not of the expected type"),
    ],
)
def test_headers_that_cannot_be_are_refused(headers: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidSettings, match=why):
        asked(TaskType.COMPLETION, KEY, task_settings={"headers": headers})


def test_a_header_of_null_is_none() -> None:
    own = {"headers": {"X-One": "1", "X-None": None}}
    asking = asked(TaskType.COMPLETION, KEY, ANSWERED, task_settings=own)

    assert asking.config.task_settings.to_response() == {"headers": {"X-One": "1"}}


def test_how_a_deployment_is_called_leaves_its_vectors_as_they_are() -> None:
    def fingerprint(settings: dict[str, Any]) -> str:
        asking = asked(TaskType.TEXT_EMBEDDING, settings, task_settings={"user": "u1"})
        return asking.service.fingerprint(asking.config)

    assert fingerprint(OAUTH | {"api_version": "2030-01-01"}) == fingerprint(KEY)
    assert fingerprint(KEY | {"dimensions": 2}) != fingerprint(KEY)
    assert fingerprint(KEY | {"deployment_id": "other"}) != fingerprint(KEY)


def test_vectors_have_a_limit_and_a_similarity_where_nobody_says_them() -> None:
    settings = asked(TaskType.TEXT_EMBEDDING, KEY).config.service_settings.to_response()

    assert settings["rate_limit"] == {"requests_per_minute": 1440}
    assert settings["similarity"] == "dot_product"
