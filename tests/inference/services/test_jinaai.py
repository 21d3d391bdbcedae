"""Jina AI: requests to the letter, and its replies as it sends them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.services import fingerprint_of
from inference.types import Content, InputType, TaskType
from inference.upstream.errors import UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint

EMBEDDED = (
    b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-0.2]}],'
    b'"model":"jina-embeddings-v3","usage":{"prompt_tokens":8,"total_tokens":8}}'
)
RANKED = (
    b'{"id":"1983","results":[{"index":1,"relevance_score":0.98,"document":{"text":"b"}}],'
    b'"usage":{"total_tokens":15}}'
)
KEY = {"model_id": "jina-embeddings-v3", "api_key": "k"}
TEXT, IMAGE = Content("text", "text", "a cat"), Content("image", "base64", "AAAA")
SOUND = Content("audio", "base64", "AAAA")
MIXED = {"contents": (TEXT, IMAGE)}


def embedding(*replies: Any, task_settings: Any = None, **settings: Any) -> Asking:
    return endpoint(
        "jinaai", TaskType.TEXT_EMBEDDING, KEY | settings, *replies, task_settings=task_settings
    )


def seeing(*replies: Any, task_settings: Any = None, **settings: Any) -> Asking:
    """An endpoint of the task that takes images."""
    return endpoint(
        "jinaai", TaskType.EMBEDDING, KEY | settings, *replies, task_settings=task_settings
    )


def reranking(*replies: Any, **task_settings: Any) -> Asking:
    return endpoint("jinaai", TaskType.RERANK, KEY, *replies, task_settings=task_settings)


def vectors(*rows: list[float]) -> dict[str, Any]:
    return {"data": [{"index": n, "embedding": row} for n, row in enumerate(rows)]}


def test_texts_are_sent_with_what_the_settings_say() -> None:
    asking = embedding(EMBEDDED, dimensions=512, task_settings={"late_chunking": True})

    answer = asking.infer("hello", input_type=InputType.INGEST)

    assert str(asking.request.url) == "https://api.jina.ai/v1/embeddings"
    assert asking.request.headers["Authorization"] == "Bearer k"
    assert asking.request.headers["Request-Source"] == "unspecified:inference-console"
    assert asking.body == {
        "input": ["hello"],
        "model": "jina-embeddings-v3",
        "embedding_type": "float",
        "task": "retrieval.passage",
        "late_chunking": True,
        "dimensions": 512,
    }
    assert answer["text_embedding"][0]["embedding"].tolist() == pytest.approx([0.1, -0.2])


def test_what_is_not_set_is_not_sent() -> None:
    asking = embedding(EMBEDDED)

    asking.infer("hello")

    assert set(asking.body) == {"input", "model", "embedding_type"}


@pytest.mark.parametrize(
    ("input_type", "task"),
    [
        (InputType.SEARCH, "retrieval.query"),
        (InputType.INGEST, None),
        (InputType.CLASSIFICATION, None),
        (InputType.CLUSTERING, None),
    ],
)
def test_the_clip_model_is_told_of_searches_alone(input_type: InputType, task: str | None) -> None:
    asking = embedding(EMBEDDED, model_id="Jina-CLIP-v2")

    asking.infer("hello", input_type=input_type)

    assert asking.body.get("task") == task


@pytest.mark.parametrize(("words", "sent"), [(5500, True), (5501, False)])
def test_texts_of_too_many_words_are_not_chunked_late(words: int, sent: bool) -> None:
    asking = embedding(vectors([0.1], [0.2]), task_settings={"late_chunking": True})

    asking.infer("one " * (words - 1), "two")

    assert asking.body["late_chunking"] is sent


def test_images_are_not_chunked_late() -> None:
    asking = seeing(vectors([0.1], [0.2]), task_settings={"late_chunking": True})

    asking.infer("a cat", "", **MIXED)

    assert asking.body["late_chunking"] is False


@pytest.mark.parametrize("kind", ["bit", "binary"])
def test_bits_come_as_signed_bytes(kind: str) -> None:
    asking = embedding(vectors([-128, 127]), embedding_type=kind)

    answer = asking.infer("hello")

    assert asking.body["embedding_type"] == "binary"
    assert answer["text_embedding_bits"][0]["embedding"].tolist() == [-128, 127]
    settings = asking.line.config.service_settings.to_response()
    assert (settings["embedding_type"], settings["similarity"]) == (kind, "l2_norm")


def test_a_similarity_that_is_asked_for_is_kept() -> None:
    settings = embedding(embedding_type="bit", similarity="cosine").line.config.service_settings

    assert settings.to_response()["similarity"] == "cosine"


def test_both_names_of_bits_are_one_model() -> None:
    bit, binary = (embedding(embedding_type=kind).line.config for kind in ("bit", "binary"))

    assert fingerprint_of(bit) == fingerprint_of(binary)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (vectors([128]), r"Value \[128\] is out of range for a byte"),
        (vectors([0.5]), r"Value \[0.5\] is out of range for a byte"),
        (vectors([1], [2]), r"\[2\] vectors for \[1\] inputs"),
        ({"results": []}, r"\[data\]"),
    ],
)
def test_a_reply_that_does_not_fit_is_told(reply: Any, why: str) -> None:
    with pytest.raises(UpstreamMalformed, match=why):
        embedding(reply, embedding_type="bit").infer("hello")


def test_texts_and_images_are_sent_as_objects() -> None:
    asking = seeing(vectors([0.1], [0.2]))

    answer = asking.infer("a cat", "", **MIXED)

    assert asking.body["input"] == [{"text": "a cat"}, {"image": "AAAA"}]
    assert len(answer["embeddings"]) == 2


def test_texts_alone_are_objects_too_for_a_multimodal_model() -> None:
    asking = seeing(vectors([0.1]))

    asking.infer("a cat")

    assert asking.body["input"] == [{"text": "a cat"}]
    shown = asking.line.config.service_settings.to_response()
    assert shown["multimodal_model"] is True


def test_a_model_of_texts_gets_texts_and_nothing_else() -> None:
    asking = seeing(vectors([1]), multimodal_model=False, embedding_type="binary")

    assert list(asking.infer("a cat")) == ["embeddings_bits"]
    assert asking.body["input"] == ["a cat"]
    with pytest.raises(InvalidRequest, match="Non-text input provided for text-only model"):
        asking.infer("a cat", "", **MIXED)
    assert len(asking.requests) == 1


def test_sounds_are_refused_before_they_are_sent() -> None:
    asking = seeing(vectors([0.1]))

    with pytest.raises(InvalidRequest, match=r"takes inputs of type \[text, image\], not \[audio"):
        asking.infer("", contents=(SOUND,))
    assert not asking.requests


def test_documents_are_ranked_with_their_texts() -> None:
    asking = reranking(RANKED, return_documents=True, top_n=5)

    answer = asking.infer("a", "b", query="q", top_n=1)

    assert str(asking.request.url) == "https://api.jina.ai/v1/rerank"
    assert asking.body == {
        "model": "jina-embeddings-v3",
        "query": "q",
        "documents": ["a", "b"],
        "top_n": 1,
        "return_documents": True,
    }
    assert answer == {"rerank": [{"index": 1, "relevance_score": 0.98, "text": "b"}]}


@pytest.mark.parametrize("document", ["b", {"text": "b"}])
def test_a_document_that_nobody_asked_for_is_told_as_it_came(document: Any) -> None:
    asking = reranking({"results": [{"index": 0, "relevance_score": 0.5, "document": document}]})

    assert asking.infer("b", query="q")["rerank"][0]["text"] == "b"
    assert set(asking.body) == {"model", "query", "documents"}


@pytest.mark.parametrize(
    ("status", "attempts", "category"),
    [
        (429, 3, "Received a rate limit status code"),
        (500, 3, "Received a server error status code"),
        (503, 1, "Received a server error status code"),
        (400, 1, "Received an input validation error response"),
        (422, 1, "Received an input validation error response"),
        (402, 1, "Payment required"),
        (413, 1, "Received a content too large status code"),
    ],
)
def test_each_refusal_has_its_category(status: int, attempts: int, category: str) -> None:
    asking = embedding(Replied({"detail": "no"}, status))

    with pytest.raises(UpstreamError) as told:
        asking.infer("hello")

    assert str(told.value) == (
        f"{category} for request from inference entity id [my-endpoint] status [{status}]. "
        "Error message: [no]"
    )
    assert len(asking.requests) == attempts


@pytest.mark.parametrize("body", [b"oops", [1], {"detail": [{"msg": "x"}]}, {"message": "x"}])
def test_a_refusal_of_another_shape_says_nothing(body: Any) -> None:
    with pytest.raises(UpstreamError) as told:
        embedding(Replied(body, 400)).infer("hello")

    assert str(told.value).endswith("status [400]")


@pytest.mark.parametrize(
    "make", [lambda: embedding(multimodal_model=True), lambda: embedding(embedding_type="int8")]
)
def test_settings_of_another_task_or_service_are_refused(make: Any) -> None:
    with pytest.raises((InvalidRequest, InvalidSettings)):
        make()
