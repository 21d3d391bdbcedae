"""The custom service: requests to the letter, settings, and what it refuses."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.services import find_service
from inference.services.custom import Custom
from inference.types import InferenceRequest, InputType, TaskType
from inference.upstream.errors import UpstreamError
from tests.inference.services.asking import Replied, endpoint
from tests.inference.services.custom_endpoints import (
    EMBEDDED,
    EMBEDDING,
    PARAMETERS,
    RERANK,
    completion,
    embedding,
    parser,
    ranker,
)

# ---------------------------------------------------------------------- requests


def test_a_request_is_what_the_templates_say() -> None:
    asking = embedding(EMBEDDED)

    answer = asking.infer('he said "hi"', "b", input_type=InputType.SEARCH)

    sent = asking.request
    assert sent.method == "POST"
    assert str(sent.url) == (
        "https://emb.example.org/acme/embed?version=2024-06-01&tag=a+b&tag=acme"
    )
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Authorization"] == "Token s3cret"
    assert sent.headers["X-Trace"] == "inference"
    assert sent.content == (
        rb'{"texts":["he said \"hi\"","b"],"model":"m-1","mode":"qry","norm":true}'
    )
    rows = [row["embedding"].tolist() for row in answer["text_embedding_bytes"]]
    assert rows == [[1, -2], [3, 127]]


def test_a_query_of_the_address_stays_and_values_are_encoded() -> None:
    asking = embedding(
        EMBEDDED,
        url="https://emb.example.org/e?v=1",
        query_parameters=[["t", "a&b=ü"]],
    )

    asking.infer("a", "b")

    assert str(asking.request.url) == "https://emb.example.org/e?v=1&t=a%26b%3D%C3%BC"


def test_a_content_type_of_its_own_takes_the_place_of_the_usual() -> None:
    asking = embedding(EMBEDDED, headers={"content-type": "application/vnd.api+json"})

    asking.infer("a", "b")

    assert asking.request.headers.get_list("Content-Type") == ["application/vnd.api+json"]
    assert "Authorization" not in asking.request.headers


@pytest.mark.parametrize(
    ("input_type", "word"),
    [
        (InputType.INGEST, b'"doc"'),
        (InputType.CLUSTERING, b'"other"'),
        (InputType.UNSPECIFIED, b'"other"'),
    ],
)
def test_input_types_are_translated_and_the_default_stands_for_the_rest(
    input_type: InputType, word: bytes
) -> None:
    words = {"translation": {"ingest": "doc"}, "default": "other"}
    asking = embedding(EMBEDDED, input_type=words, request="${input_type}")

    asking.infer("a", "b", input_type=input_type)

    assert asking.request.content == word


def test_without_a_translation_the_input_type_is_empty() -> None:
    asking = embedding(EMBEDDED, input_type={}, request="${input_type}")

    asking.infer("a", "b")

    assert asking.request.content == b'""'


def test_null_is_as_good_as_nothing_and_names_of_input_types_have_no_case() -> None:
    words = {"translation": {"SEARCH": "qry"}, "default": None}
    asking = embedding(EMBEDDED, input_type=words, request="${input_type}")

    asking.infer("a", "b", input_type=InputType.SEARCH)
    assert asking.request.content == b'"qry"'
    asking.infer("a", "b")
    assert asking.request.content == b'""'


def test_parameters_of_a_call_win_key_by_key() -> None:
    asking = embedding(EMBEDDED)

    asking.infer("a", "b", task_settings={"parameters": {"model": "m-2", "tenant": None}})

    assert asking.body["model"] == "m-2"
    assert asking.request.url.path == "/acme/embed"


def test_what_the_request_names_itself_wins_over_parameters() -> None:
    asking = ranker({"ranked": [{"s": 0.9, "i": 1, "t": "cat"}]})

    answer = asking.infer("dog", "cat", query="cats", top_n=1)

    assert asking.request.content == b'{"q":"cats","docs":["dog","cat"],"k":1}'
    assert answer == {"rerank": [{"index": 1, "relevance_score": 0.9, "text": "cat"}]}
    asking.infer("dog", "cat", query="cats")
    assert asking.body["k"] == 3


def test_a_completion_sends_the_first_input_and_tells_of_the_others() -> None:
    asking = completion({"choices": [{"message": {"content": "Hello"}}]})

    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert asking.request.content == b'{"model":"m","temperature":0.2,"prompt":"hi"}'
    asking.infer("hi", task_settings={"parameters": {"temperature": 0.7}})
    assert asking.body["temperature"] == 0.7

    result = asking.line.answer(InferenceRequest(("one", "second")), 5)
    assert asking.body["prompt"] == "one"
    assert result.truncated["1"].lost_characters == len("second")


def test_a_request_may_be_wrapped_as_content() -> None:
    asking = embedding(EMBEDDED, request={"content": '{"t":${input}}'})

    assert asking.config.columns()["service_settings"]["request"] == '{"t":${input}}'


# ---------------------------------------------------------------------- settings


def test_it_shows_its_settings_with_their_defaults_and_without_secrets() -> None:
    settings = {
        "url": "https://e.org",
        "request": "${input}",
        "response": parser(text_embeddings="$.v"),
        "headers": {"X-Nothing": None},
        "query_parameters": [],
        "secret_parameters": {"unused": "s3cret"},
    }
    shown = endpoint("custom", TaskType.TEXT_EMBEDDING, settings).config.columns()

    assert shown["service_settings"] == {
        "rate_limit": {"requests_per_minute": 10000},
        "similarity": "dot_product",
        "url": "https://e.org",
        "request": "${input}",
        "response": {"json_parser": {"text_embeddings": "$.v", "embedding_type": "float"}},
        "input_type": {"translation": {}, "default": ""},
        "batch_size": 10,
    }
    assert shown["task_settings"] == {}


def test_its_settings_are_shown_in_the_order_of_elasticsearch() -> None:
    asking = embedding(EMBEDDED)
    shown = asking.service.in_order(asking.config.service_settings.to_response())

    assert list(shown) == [
        "similarity", "url", "headers", "query_parameters", "request", "response", "input_type",
        "rate_limit", "batch_size",
    ]  # fmt: skip


SCOPE = "[service_settings.response.json_parser]"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"url": None}, "[service_settings] does not contain the required setting [url]"),
        ({"request": None}, "[service_settings] does not contain the required setting [request]"),
        ({"response": None}, "[service_settings] does not contain the required setting [response]"),
        ({"response": {}}, "Invalid value empty map. [response] must be a non-empty map"),
        (
            {"response": {"error_parser": {"path": "$.e"}, **EMBEDDING["response"]}},
            "unknown settings [{error_parser={path=$.e}}] while parsing field [response]",
        ),
        (
            {"response": {"json_parser": {}}},
            "[service_settings.response] Invalid value empty map. [json_parser] must be a",
        ),
        (
            {"response": parser(embedding_type="float")},
            f"{SCOPE} does not contain the required setting [text_embeddings]",
        ),
        (
            {"response": parser(text_embeddings="$.a", foo=1)},
            "unknown settings [{foo=1}] while parsing field [json_parser]",
        ),
        (
            {"response": parser(text_embeddings="$.a", embedding_type="int4")},
            f"{SCOPE} Invalid value [int4] received. [embedding_type] must be one of "
            "[binary, bit, byte, float]",
        ),
        (
            {"response": parser(text_embeddings="a")},
            "[text_embeddings] is no path: Path [a] must start with a dollar sign ($)",
        ),
        (
            {"headers": {"k": 5}},
            "Map field [headers] has an entry that is not valid, [k => 5]. Value type of [5] is "
            "not one of [String].",
        ),
        ({"headers": {"a b": "1"}}, "[headers] cannot set the header [a b]"),
        ({"headers": {"Content-Length": "1"}}, "[headers] cannot set the header [Content-Length]"),
        (
            {"secret_parameters": {"k": 5}},
            "Map field [secret_parameters] has an entry that is not valid, [k => ***]",
        ),
        ({"query_parameters": [["a"]]}, "[query_parameters] must be a list of [key, value] pairs"),
        ({"query_parameters": [["a", 1]]}, "[query_parameters] must be a list of"),
        (
            {"input_type": {"translation": {"foo": "x"}}},
            "Invalid input type translation for key: [foo], is not a valid value. Must be one of "
            "[ingest, search, classification, clustering]",
        ),
        (
            {"input_type": {"translation": {"search": 5}}},
            "Input type translation value for key [search] must be a String that is not null and "
            "not empty, received: [5], type: [Integer].",
        ),
        (
            {"input_type": {"foo": 1}},
            "unknown settings [{foo=1}] while parsing field [input_type]",
        ),
        (
            {"batch_size": 0},
            "[service_settings] Invalid value [0]. [batch_size] must be a positive",
        ),
        ({"url": "ftp://e.org"}, "Failed to validate model configuration: Failed to build URI"),
        (
            {"request": '{"a":${some_template}}'},
            "Failed to validate model configuration: Found placeholder [${some_template}] in field "
            "[request] after replacement call",
        ),
        ({"url": "https://e.org/${norm}"}, "Found placeholder [${norm}] in field [url]"),
        ({"headers": {"X": "${input}"}}, "Found placeholder [${input}] in field [header.X]"),
        (
            {"query_parameters": [["q", "${foo}"]]},
            "Found placeholder [${foo}] in field [query parameters: [q]]",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises((InvalidSettings, InvalidRequest)) as told:
        embedding(**settings)

    assert why in str(told.value)


@pytest.mark.parametrize("name", ["similarity", "dimensions", "max_input_tokens"])
def test_settings_of_vectors_are_unknown_to_other_tasks(name: str) -> None:
    value = "cosine" if name == "similarity" else 3

    with pytest.raises(InvalidRequest, match=rf"{name}=.*unknown to the \[custom"):
        completion(**{name: value})


def test_a_value_of_a_parameter_is_a_text_a_number_or_a_truth() -> None:
    with pytest.raises(InvalidSettings) as told:
        embedding(task_settings={"parameters": {"k": [1]}})

    assert (
        "Map field [parameters] has an entry that is not valid, [k => [1]]. Value type of [[1]] is "
        "not one of [Boolean, Double, Float, Integer, String]."
    ) in str(told.value)


def test_a_name_is_a_parameter_or_a_secret_but_not_both() -> None:
    both = {"parameters": {**PARAMETERS["parameters"], "token": "x"}}
    with pytest.raises(InvalidSettings, match=r"both have \[token\]"):
        embedding(task_settings=both)

    asking = embedding(EMBEDDED)
    with pytest.raises(InvalidSettings, match=r"both have \[token\]"):
        asking.infer("a", "b", task_settings=both)
    assert not asking.requests


def test_a_template_that_only_some_calls_can_fill_needs_a_default() -> None:
    with pytest.raises(InvalidSettings, match=r"Found placeholder \[\$\{top_n\}\]"):
        endpoint("custom", TaskType.RERANK, RERANK)


def test_an_update_merges_parameters_and_replaces_secrets() -> None:
    service = find_service("custom")
    stored = {"service_settings": EMBEDDING, "task_settings": PARAMETERS}

    changed = service.parse_update(
        TaskType.TEXT_EMBEDDING,
        stored,
        {
            "service_settings": {"secret_parameters": {"token": "new"}, "max_input_tokens": 9},
            "task_settings": {"parameters": {"model": "m-2"}},
        },
    )

    parameters = {"tenant": "acme", "model": "m-2", "norm": True}
    assert changed.columns()["task_settings"] == {"parameters": parameters}
    assert changed.secrets == {"secret_parameters": {"token": "new"}}
    with pytest.raises(InvalidRequest, match="unknown to the"):
        service.parse_update(
            TaskType.TEXT_EMBEDDING, stored, {"service_settings": {"url": "https://e.org"}}
        )


def test_endpoints_of_the_same_settings_share_a_limit_whatever_their_secrets() -> None:
    service = Custom()
    group = service.group(embedding().config)

    assert group == service.group(embedding(secret_parameters={"token": "other"}).config)
    assert group != service.group(embedding(url="https://else.org").config)


# ---------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("reply", "status", "attempts", "why"),
    [
        (
            Replied({"oops": "no"}, 500),
            400,
            1,
            "Received a server error status code for request from inference entity id "
            "[my-endpoint] status [500]. Error message: [Received a server error response: "
            'HTTP/1.1 500 Internal Server Error, body: {"oops":"no"}]',
        ),
        (
            Replied(b"busy", 503),
            400,
            1,
            "Error message: [Parsing custom response body failed. Response: HTTP/1.1 503 "
            "Service Unavailable]",
        ),
        (Replied(b"", 429), 429, 3, "Received a rate limit status code"),
        (Replied(b"", 401), 401, 1, "Received an authentication error status code"),
        (Replied(b"", 404), 404, 1, "Received an unsuccessful status code"),
    ],
)
def test_a_refusal_is_told_in_the_provider_s_words(
    reply: Replied, status: int, attempts: int, why: str
) -> None:
    asking = embedding(reply)

    with pytest.raises(UpstreamError) as told:
        asking.infer("a", "b")

    assert why in str(told.value)
    assert told.value.status == status
    assert len(asking.requests) == attempts


def test_a_value_that_no_header_can_have_is_refused_before_anything_is_sent() -> None:
    asking = embedding(EMBEDDED, headers={"X-Tenant": "${tenant}"})

    with pytest.raises(InvalidRequest, match=r"Failed to construct the custom service request"):
        asking.infer("a", "b", task_settings={"parameters": {"tenant": "a\r\nEvil: 1"}})
    assert not asking.requests


def test_no_reason_tells_a_secret_of_an_address() -> None:
    with pytest.raises(InvalidSettings) as told:
        embedding(url="https://e.org:${token}/", secret_parameters={"token": "planted"})

    assert "Failed to build URI" in str(told.value)
    assert "planted" not in str(told.value)
