"""Cohere: requests of version 2 to the letter, and its replies as it sends them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.services import find_service, fingerprint_of
from inference.types import InputType, TaskType
from inference.upstream.errors import BrokenStream, UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint, sse

EMBEDDED = (
    b'{"id":"1","texts":["a","b"],"embeddings":{"float":[[0.1,0.2],[0.3,0.4]]},'
    b'"meta":{"billed_units":{"input_tokens":2}},"response_type":"embeddings_by_type"}'
)
ANSWERED = (
    b'{"id":"1","finish_reason":"COMPLETE","message":{"role":"assistant","content":'
    b'[{"type":"text","text":"Hello"}]},"usage":{"billed_units":{},"tokens":'
    b'{"input_tokens":1,"output_tokens":2}}}'
)
RANKED = b'{"id":"1","results":[{"index":1,"relevance_score":0.98}],"meta":{}}'
START = {"type": "message-start", "id": "1", "delta": {"message": {"content": []}}}
END = {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {}}}
KEY = {"model_id": "m", "api_key": "k"}


def embedding(*replies: Any, task_settings: Any = None, **settings: Any) -> Asking:
    return endpoint(
        "cohere", TaskType.TEXT_EMBEDDING, KEY | settings, *replies, task_settings=task_settings
    )


def reranking(*replies: Any, **task_settings: Any) -> Asking:
    return endpoint("cohere", TaskType.RERANK, KEY, *replies, task_settings=task_settings)


def completing(*replies: Any) -> Asking:
    return endpoint("cohere", TaskType.COMPLETION, KEY, *replies)


def delta(**content: str) -> dict[str, Any]:
    return {"type": "content-delta", "index": 0, "delta": {"message": {"content": content}}}


def test_texts_are_sent_with_their_purpose_and_the_kind_of_vectors() -> None:
    asking = embedding(EMBEDDED, task_settings={"truncate": "end", "input_type": "ingest"})

    answer = asking.infer("a", "b")

    assert str(asking.request.url) == "https://api.cohere.ai/v2/embed"
    assert asking.request.headers["Authorization"] == "Bearer k"
    assert asking.request.headers["Request-Source"] == "unspecified:inference-console"
    assert asking.body == {
        "texts": ["a", "b"],
        "model": "m",
        "input_type": "search_document",
        "embedding_types": ["float"],
        "truncate": "END",
    }
    assert [row["embedding"].tolist() for row in answer["text_embedding"]] == [
        pytest.approx([0.1, 0.2]),
        pytest.approx([0.3, 0.4]),
    ]


def test_the_input_type_of_a_call_wins_over_that_of_the_endpoint() -> None:
    asking = embedding(EMBEDDED, task_settings={"input_type": "ingest"})

    asking.infer("a", "b", input_type=InputType.CLUSTERING)

    assert asking.body["input_type"] == "clustering"


@pytest.mark.parametrize(
    ("given", "shown", "sent", "similarity", "answered"),
    [
        ("float", "float", "float", "cosine", "text_embedding"),
        ("byte", "byte", "int8", "cosine", "text_embedding_bytes"),
        ("int8", "byte", "int8", "cosine", "text_embedding_bytes"),
        ("bit", "bit", "binary", "l2_norm", "text_embedding_bits"),
        (" Binary ", "bit", "binary", "l2_norm", "text_embedding_bits"),
    ],
)
def test_each_kind_of_vectors_has_one_name_and_its_own_answer(
    given: str, shown: str, sent: str, similarity: str, answered: str
) -> None:
    asking = embedding({"embeddings": {sent: [[1, -2]]}}, embedding_type=given)

    (name,) = asking.infer("a")

    assert name == answered
    assert asking.body["embedding_types"] == [sent]
    settings = asking.line.config.service_settings.to_response()
    assert settings["embedding_type"] == shown
    assert settings["similarity"] == similarity


def test_two_names_of_a_kind_of_vectors_are_one_model() -> None:
    prints = {
        fingerprint_of(embedding(embedding_type=kind).line.config)
        for kind in ("int8", "byte", "float")
    }

    assert len(prints) == 2


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ({"embeddings": {"float": [[0.1]]}}, "[1] vectors for [2] inputs"),
        ({"embeddings": {"float": [[0.1], [0.1, 0.2]]}}, "lengths [1, 2]"),
        ({"embeddings": {"int8": [[1], [2]]}}, "no [float] vectors"),
        ({"embeddings": [[0.1], [0.2]]}, "[embeddings]"),
    ],
)
def test_a_reply_that_does_not_fit_the_inputs_is_told(reply: Any, why: str) -> None:
    with pytest.raises(UpstreamMalformed) as told:
        embedding(reply).infer("a", "b")

    assert why in str(told.value)


def test_a_number_that_is_no_byte_is_told() -> None:
    with pytest.raises(UpstreamMalformed, match=r"Value \[128\] is out of range for a byte"):
        embedding({"embeddings": {"int8": [[128]]}}, embedding_type="byte").infer("a")


def test_long_texts_are_cut_before_they_are_sent_and_never_after_a_refusal() -> None:
    asking = embedding(Replied({"message": "too long"}, 413), max_input_tokens=2)

    with pytest.raises(UpstreamError) as told:
        asking.infer("123456789")

    assert asking.body["texts"] == ["123456"]
    assert len(asking.requests) == 1
    assert told.value.status == 413


def test_too_many_texts_have_their_own_category() -> None:
    said = "invalid request: total number of texts must be at most 96 - received 97"

    with pytest.raises(UpstreamError) as told:
        embedding(Replied({"id": "1", "message": said}, 400)).infer("a")

    assert str(told.value) == (
        "Received a texts array too large response for request from inference entity id "
        f"[my-endpoint] status [400]. Error message: [{said}]"
    )


@pytest.mark.parametrize(("status", "attempts"), [(429, 3), (500, 3), (503, 1), (422, 1), (498, 1)])
def test_only_a_rate_limit_and_a_server_error_are_tried_again(status: int, attempts: int) -> None:
    asking = completing(Replied({"message": "no"}, status))

    with pytest.raises(UpstreamError, match="no"):
        asking.infer("hi")

    assert len(asking.requests) == attempts


def test_documents_are_ranked_without_what_version_2_refuses() -> None:
    asking = reranking(RANKED, return_documents=True, max_chunks_per_doc=3, top_n=2)

    answer = asking.infer("d0", "d1", query="q", top_n=1)

    assert str(asking.request.url) == "https://api.cohere.ai/v2/rerank"
    assert asking.body == {"model": "m", "query": "q", "documents": ["d0", "d1"], "top_n": 1}
    assert answer == {"rerank": [{"index": 1, "relevance_score": 0.98, "text": "d1"}]}


def test_a_rank_of_a_document_that_was_not_sent_is_told() -> None:
    with pytest.raises(UpstreamMalformed, match=r"a document \[1\] that was not sent"):
        reranking(RANKED).infer("d0", query="q")


def test_a_completion_is_a_chat_with_one_message() -> None:
    asking = completing(ANSWERED)

    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert str(asking.request.url) == "https://api.cohere.ai/v2/chat"
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "m",
        "stream": False,
    }
    with pytest.raises(InvalidRequest, match="Cohere completion only accepts 1 input"):
        asking.infer("one", "two")


def test_thoughts_are_no_part_of_a_completion() -> None:
    content = [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Hello"}]

    answer = completing({"message": {"content": content}}).infer("hi")

    assert answer == {"completion": [{"result": "Hello"}]}


def test_a_stream_tells_each_piece_of_text() -> None:
    asking = completing(
        sse(START, delta(text="Hel"), delta(thinking="Hm"), delta(text=""), delta(text="lo"), END)
    )

    assert list(asking.stream("hi")) == [
        {"completion": [{"delta": "Hel"}]},
        {"completion": [{"delta": "lo"}]},
    ]
    assert asking.body["stream"] is True


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (
            {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "o"}},
            r"\[ERROR\]: o",
        ),
        ({"type": "message-end", "delta": {"finish_reason": "TIMEOUT"}}, r"\[TIMEOUT\]"),
        ({"message": "internal server error"}, "internal server error"),
        ({"error": {"message": "broken"}}, "broken"),
        (b"{oops", "cannot be read"),
    ],
)
def test_a_stream_that_fails_says_why(end: Any, why: str) -> None:
    told: list[dict[str, Any]] = []

    with pytest.raises(BrokenStream, match=why):
        told.extend(completing(sse(START, delta(text="Hel"), end)).stream("hi"))

    assert told == [{"completion": [{"delta": "Hel"}]}]


def test_a_stream_without_its_last_event_is_broken() -> None:
    with pytest.raises(BrokenStream, match="it ended before its end"):
        list(completing(sse(START, delta(text="Hel"), is_done=False)).stream("hi"))


def test_a_model_may_be_named_as_before() -> None:
    service = find_service("cohere")
    config = service.parse(
        TaskType.RERANK, {"service_settings": {"api_key": "k", "model": "old-name"}}
    )

    assert config.service_settings.to_response() == {
        "rate_limit": {"requests_per_minute": 10000},
        "model_id": "old-name",
    }


def test_another_address_is_called_and_never_shown() -> None:
    asking = embedding(EMBEDDED, url="https://elsewhere.test/embed")

    asking.infer("a", "b")

    assert str(asking.request.url) == "https://elsewhere.test/embed"
    assert "url" not in asking.line.config.service_settings.to_response()
    assert asking.line.config.secrets["url"] == "https://elsewhere.test/embed"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"model_id": None}, "field is required for the Cohere V2 API"),
        ({"embedding_type": "ubinary"}, r"must be one of \[binary, bit, byte, float, int8\]"),
        ({"url": "nowhere"}, r"Invalid url \[\*\*\*\] received for field \[url\]"),
        ({"dimensions": 0}, "must be a positive integer"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidSettings, match=why):
        embedding(**settings)
