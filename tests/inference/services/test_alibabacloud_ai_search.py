"""AlibabaCloud AI Search: requests to the letter, and its replies as it sends them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import InputType, TaskType
from inference.upstream.errors import UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint

HOST = "default-j01.platform-cn-shanghai.opensearch.aliyuncs.com"
SETTINGS = {"api_key": "OS-1", "service_id": "ops-1", "host": HOST, "workspace": "default"}
EMBEDDED = (
    b'{"request_id":"B4AB","latency":38,"usage":{"token_count":6},"result":{"embeddings":['
    b'{"index":0,"embedding":[0.5,-0.25]},{"index":1,"embedding":[0.75,0.5]}]}}'
)
SPARSE = (
    b'{"request_id":"DDC4","latency":25,"usage":{"token_count":2},"result":{"sparse_embeddings":['
    b'{"index":0,"embedding":[{"token_id":6,"weight":0.101,"token":""},'
    b'{"token_id":9803,"weight":0.19,"token":"open"}]}]}}'
)
RANKED = (
    b'{"request_id":"450A","latency":564,"usage":{"doc_count":2},"result":{"scores":['
    b'{"index":1,"score":1.37},{"index":0,"score":0.3}]}}'
)
WRITTEN = (
    b'{"request_id":"4503","latency":564,"result":{"text":"Sunny."},"usage":{"output_tokens":3,'
    b'"input_tokens":9,"total_tokens":12}}'
)


def asking(task: TaskType, *replies: Any, **settings: Any) -> Asking:
    task_settings = settings.pop("task_settings", None)
    return endpoint(
        "alibabacloud-ai-search", task, SETTINGS | settings, *replies, task_settings=task_settings
    )


def embedding(*replies: Any, **settings: Any) -> Asking:
    return asking(TaskType.TEXT_EMBEDDING, *replies, **settings)


def url(path: str) -> str:
    return f"https://{HOST}/v3/openapi/workspaces/default/{path}/ops-1"


def test_texts_are_sent_to_the_workspace() -> None:
    call = embedding(EMBEDDED)

    answer = call.infer("hello", "world", input_type=InputType.INGEST)

    assert str(call.request.url) == url("text-embedding")
    assert call.request.headers["Authorization"] == "Bearer OS-1"
    assert call.body == {"input": ["hello", "world"], "input_type": "document"}
    vectors = [row["embedding"].tolist() for row in answer["text_embedding"]]
    assert vectors == [[0.5, -0.25], [0.75, 0.5]]


def test_names_are_parts_of_the_address_whatever_they_hold() -> None:
    call = embedding(EMBEDDED, workspace="a/../b", service_id="x?y", http_schema="http")

    call.infer("hello", "world")

    assert call.request.url.raw_path == b"/v3/openapi/workspaces/a%2F..%2Fb/text-embedding/x%3Fy"
    assert call.request.url.scheme == "http"


def test_the_input_type_of_a_call_wins_over_that_of_the_endpoint() -> None:
    call = embedding(EMBEDDED, task_settings={"input_type": "ingest"})

    call.infer("a", "b")
    assert call.body["input_type"] == "document"
    call.infer("a", "b", task_settings={"input_type": "search"})
    assert call.body["input_type"] == "query"
    call.infer("a", "b", input_type=InputType.SEARCH, task_settings={"input_type": "ingest"})
    assert call.body["input_type"] == "query"


def test_other_input_types_are_refused() -> None:
    with pytest.raises(
        InvalidSettings, match=r"Input type \[clustering\] is not supported for \[A"
    ):
        embedding(EMBEDDED).infer("a", input_type=InputType.CLUSTERING)


def test_texts_are_not_cut() -> None:
    call = embedding(EMBEDDED, max_input_tokens=1)

    call.infer("abcdef", "xy")

    assert call.body == {"input": ["abcdef", "xy"]}


def test_weights_without_a_usable_name_are_left_out() -> None:
    call = asking(TaskType.SPARSE_EMBEDDING, SPARSE)

    answer = call.infer("hello", task_settings={"input_type": "search", "return_token": True})

    assert str(call.request.url) == url("text-sparse-embedding")
    assert call.body == {"input": ["hello"], "input_type": "query", "return_token": True}
    assert answer == {"sparse_embedding": [{"is_truncated": False, "embedding": {"open": 0.19}}]}


def test_tokens_without_words_are_called_by_their_numbers() -> None:
    weights = [
        {"token_id": 6, "weight": 0.1},
        {"token_id": 7, "weight": -0.1},
        {"token_id": 8, "weight": 0.1, "token": None},
        {"token_id": 9, "weight": 0.1, "token": "a.b"},
        {"token_id": 10, "weight": 0.2},
    ]
    reply = {"result": {"sparse_embeddings": [{"index": 0, "embedding": weights}]}}

    answer = asking(TaskType.SPARSE_EMBEDDING, reply).infer("a")

    assert answer["sparse_embedding"][0]["embedding"] == {"10": 0.2, "6": 0.1}


def test_a_ranking_is_asked_for_without_options() -> None:
    call = asking(TaskType.RERANK, RANKED)

    answer = call.infer("a", "b", query="q")

    assert str(call.request.url) == url("ranker")
    assert call.body == {"query": "q", "docs": ["a", "b"]}
    assert answer["rerank"] == [
        {"index": 1, "relevance_score": 1.37},
        {"index": 0, "relevance_score": 0.3},
    ]


def test_the_inputs_of_a_completion_are_a_conversation() -> None:
    call = asking(TaskType.COMPLETION, WRITTEN, task_settings={"parameters": {"temperature": 0.5}})

    answer = call.infer("hi", "hello", "weather?")

    assert str(call.request.url) == url("text-generation")
    assert call.body == {
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "weather?"},
        ],
        "parameters": {"temperature": 0.5},
    }
    assert answer == {"completion": [{"result": "Sunny."}]}


def test_a_conversation_ends_with_the_user() -> None:
    call = asking(TaskType.COMPLETION, WRITTEN)

    with pytest.raises(InvalidRequest, match="must be an odd number"):
        call.infer("hi", "hello")
    assert not call.requests


@pytest.mark.parametrize(
    ("task", "body", "why"),
    [
        (TaskType.TEXT_EMBEDDING, {"result": {}}, r"\[result.embeddings\] Field required"),
        (TaskType.SPARSE_EMBEDDING, {"result": {"sparse_embeddings": []}}, r"\[0\] vectors for"),
        (TaskType.RERANK, {"result": {"scores": [{"index": 9, "score": 1}]}}, r"document \[9\]"),
        (TaskType.COMPLETION, {"result": {"text": None}}, r"\[result.text\]"),
    ],
)
def test_a_reply_that_is_none_is_told(task: TaskType, body: Any, why: str) -> None:
    with pytest.raises(UpstreamMalformed, match=why):
        asking(task, body).infer("a", query="q" if task == TaskType.RERANK else None)


@pytest.mark.parametrize(
    ("status", "attempts", "category"),
    [
        (400, 1, "Received an unsuccessful status code"),
        (401, 1, "Received an authentication error status code"),
        (429, 3, "Received a rate limit status code"),
        (500, 1, "Received a server error status code"),
        (503, 1, "Received a server error status code"),
    ],
)
def test_only_a_rate_limit_is_tried_again(status: int, attempts: int, category: str) -> None:
    body = {"request_id": "651B", "latency": 0, "code": "InvalidParameter", "message": "No."}
    call = embedding(Replied(body, status))

    with pytest.raises(UpstreamError) as told:
        call.infer("a")

    assert str(told.value).startswith(category)
    assert "Error message: [No.]" in str(told.value)
    assert told.value.told.code == "InvalidParameter"
    assert len(call.requests) == attempts


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"http_schema": "ftp"}, "Invalid value for [http_schema]. Must be one of [https, http]"),
        ({"host": None}, "does not contain the required setting [host]"),
        ({"host": "a b"}, "Invalid url [a b] received for field [host]"),
        ({"workspace": ""}, "[workspace] must be a non-empty string"),
        ({"task_settings": {"input_type": "clustering"}}, "must be one of [ingest, search]"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidSettings) as told:
        embedding(**settings)

    assert why in str(told.value)
