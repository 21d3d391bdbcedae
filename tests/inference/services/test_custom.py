"""The custom service: requests to the letter, replies of any shape, and what it refuses."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.services import find_service
from inference.services.custom import Custom
from inference.types import InferenceRequest, InputType, TaskType
from inference.upstream.errors import UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint

EMBEDDING: dict[str, Any] = {
    "secret_parameters": {"token": "s3cret"},
    "url": "https://emb.example.org/${tenant}/embed",
    "headers": {"Authorization": "Token ${token}", "X-Trace": "inference"},
    "query_parameters": [["version", "2024-06-01"], ["tag", "a b"], ["tag", "${tenant}"]],
    "request": '{"texts":${input},"model":${model},"mode":${input_type},"norm":${norm}}',
    "response": {
        "json_parser": {"text_embeddings": "$.output.items[*].vec", "embedding_type": "byte"}
    },
    "input_type": {"translation": {"ingest": "doc", "search": "qry"}, "default": "doc"},
    "batch_size": 2,
    "similarity": "cosine",
}
PARAMETERS = {"parameters": {"tenant": "acme", "model": "m-1", "norm": True}}
EMBEDDED = b'{"output":{"items":[{"vec":[1,-2]},{"vec":[3,127]}]}}'
RERANK: dict[str, Any] = {
    "secret_parameters": {"key": "k"},
    "url": "https://rr.example.org/rank",
    "headers": {"x-api-key": "${key}"},
    "request": '{"q":${query},"docs":${input},"k":${top_n}}',
    "response": {
        "json_parser": {
            "relevance_score": "$.ranked[*].s",
            "reranked_index": "$.ranked[*].i",
            "document_text": "$.ranked[*].t",
        }
    },
}
SPARSE: dict[str, Any] = {
    "url": "http://sp.local:9000/sparse",
    "request": '{"input":${input}}',
    "response": {
        "json_parser": {
            "token_path": "$.result[*].terms[*].id",
            "weight_path": "$.result[*].terms[*].w",
        }
    },
}
COMPLETION: dict[str, Any] = {
    "secret_parameters": {"api_key": "k"},
    "url": "https://llm.example.org/v1/chat/completions",
    "headers": {"Authorization": "Bearer ${api_key}"},
    "request": '{"model":"m","temperature":${temperature:-0.2},"prompt":${input}}',
    "response": {"json_parser": {"completion_result": "$.choices[*].message.content"}},
}


def embedding(*replies: Any, task_settings: Any = PARAMETERS, **settings: Any) -> Asking:
    settings = {**EMBEDDING, **settings}
    task = TaskType.TEXT_EMBEDDING
    return endpoint("custom", task, settings, *replies, task_settings=task_settings)


def ranker(*replies: Any, **settings: Any) -> Asking:
    top_n = {"parameters": {"top_n": 3}}
    return endpoint("custom", TaskType.RERANK, RERANK | settings, *replies, task_settings=top_n)


def completion(*replies: Any, **settings: Any) -> Asking:
    return endpoint("custom", TaskType.COMPLETION, COMPLETION | settings, *replies)


def parser(**paths: Any) -> dict[str, Any]:
    return {"json_parser": paths}


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


# ---------------------------------------------------------------------- replies


def test_sparse_vectors_are_pairs_of_two_lists() -> None:
    reply = b'{"result":[{"terms":[{"id":6,"w":0.5},{"id":"nine","w":0.25}]}]}'
    answer = endpoint("custom", TaskType.SPARSE_EMBEDDING, SPARSE, reply).infer("a")

    assert answer == {
        "sparse_embedding": [{"is_truncated": False, "embedding": {"6": 0.5, "nine": 0.25}}]
    }


def test_bits_are_packed_bytes() -> None:
    asking = embedding(
        EMBEDDED, response=parser(text_embeddings="$.output.items[*].vec", embedding_type="binary")
    )

    result = asking.infer("a", "b")

    assert result["text_embedding_bits"][0]["embedding"].tolist() == [1, -2]


def test_a_ranking_without_indices_is_in_the_order_of_the_inputs() -> None:
    asking = ranker({"scores": [0.2, 1]}, response=parser(relevance_score="$.scores"))

    assert asking.infer("a", "b", query="q") == {
        "rerank": [
            {"index": 0, "relevance_score": 0.2},
            {"index": 1, "relevance_score": 1},
        ]
    }


@pytest.mark.parametrize(("found", "texts"), [("one", ["one"]), (["one", "two"], ["one", "two"])])
def test_a_completion_is_a_text_or_a_list_of_them(found: Any, texts: list[str]) -> None:
    asking = completion({"r": found}, response=parser(completion_result="$.r"))

    assert asking.infer("hi") == {"completion": [{"result": text} for text in texts]}


ENTRY = "Failed to parse text embedding entry [0], error: "


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[]", "it is no JSON object"),
        (b"<html>", "it is no JSON"),
        (b"", "it is no JSON"),
        ({"data": {}}, "matched the array field pattern"),
        ({"rows": []}, "Unable to find field [data] in map"),
        (
            {"data": [{"embedding": 1.5}]},
            f"{ENTRY}Extracted field [data.embedding] is an invalid type, expected a list but "
            "received [Double]",
        ),
        (
            {"data": [{"embedding": [True]}]},
            f"{ENTRY}Failed to parse list entry [0], error: Unable to convert field "
            "[data.embedding] of type [Boolean] to Number",
        ),
        (
            {"data": [{"embedding": [0.1, None]}]},
            f"{ENTRY}Failed to parse list entry [1], error: Failed to parse field "
            "[data.embedding], extracted field was null",
        ),
        ({"data": [{"embedding": [0.1]}] * 2}, "[2] vectors for [1] inputs"),
        ({"data": [{"embedding": []}]}, "lengths [0]"),
    ],
)
def test_vectors_that_are_none_are_told(body: Any, why: str) -> None:
    asking = embedding(body, response=parser(text_embeddings="$.data[*].embedding"))

    with pytest.raises(UpstreamMalformed) as told:
        asking.infer("a")

    assert why in str(told.value)
    assert len(asking.requests) == 3


@pytest.mark.parametrize("number", [128, -129, 0.5])
def test_a_byte_is_a_whole_number_of_its_range(number: float) -> None:
    with pytest.raises(UpstreamMalformed, match=r"out of range for a byte"):
        embedding({"output": {"items": [{"vec": [number]}]}}).infer("a")


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ([{"id": 1}], "Unable to find field [w] in map"),
        ([{"id": 1, "w": "x"}], "entry [0], error: Failed to parse list entry [0], error: Unable"),
        ({"id": 1, "w": 1}, "matched the array field pattern"),
    ],
)
def test_weights_that_are_none_are_told(terms: Any, why: str) -> None:
    asking = endpoint("custom", TaskType.SPARSE_EMBEDDING, SPARSE, {"result": [{"terms": terms}]})

    with pytest.raises(UpstreamMalformed) as told:
        asking.infer("a")

    assert why in str(told.value)


def test_each_token_has_one_weight() -> None:
    settings = SPARSE | {"response": parser(token_path="$.t", weight_path="$.w")}
    reply = {"t": [["a", "b"]], "w": [[0.5]]}

    with pytest.raises(UpstreamMalformed, match=r"tokens list is size \[2\] but the weights list"):
        endpoint("custom", TaskType.SPARSE_EMBEDDING, settings, reply).infer("a")


@pytest.mark.parametrize(
    ("ranked", "why"),
    [
        ({"s": ["x"], "i": [0], "t": ["a"]}, "Failed to parse rerank scores, error: Failed to"),
        ({"s": [1], "i": [0.5], "t": ["a"]}, "Failed to parse rerank indices, error: "),
        ({"s": [1], "i": [0], "t": [5]}, "of type [Integer] to [String]"),
        ({"s": [1, 2], "i": [0], "t": ["a"]}, "reranked indices [1] does not match"),
        ({"s": [1], "i": [0], "t": []}, "documents [0] does not match"),
        ({"s": [1], "i": [7], "t": ["a"]}, "a document [7] that was not sent"),
    ],
)
def test_a_ranking_that_is_none_is_told(ranked: Any, why: str) -> None:
    paths = parser(relevance_score="$.s", reranked_index="$.i", document_text="$.t")

    with pytest.raises(UpstreamMalformed) as told:
        ranker(ranked, response=paths).infer("a", "b", query="q")

    assert why in str(told.value)


def test_a_completion_that_is_none_is_told() -> None:
    paths = parser(completion_result="$.r")

    with pytest.raises(UpstreamMalformed, match=r"\[r\] from path \[\$\.r\].*\[Boolean\]"):
        completion({"r": True}, response=paths).infer("a")
    with pytest.raises(UpstreamMalformed, match=r"entry \[1\].*\[Integer\] to \[String\]"):
        completion({"r": ["a", 1]}, response=paths).infer("a")


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
