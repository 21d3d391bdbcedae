"""Voyage AI: requests to the letter, and its replies as it sends them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import Content, InferenceRequest, InputType, TaskType
from inference.upstream.errors import UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint

EMBEDDED = (
    b'{"object":"list","data":[{"object":"embedding","embedding":[0.1,-0.2],"index":0}],'
    b'"model":"voyage-3-large","usage":{"total_tokens":10}}'
)
RANKED = (
    b'{"object":"list","data":[{"index":1,"relevance_score":0.91,"document":"b"}],'
    b'"model":"rerank-2","usage":{"total_tokens":26}}'
)
KEY = {"model_id": "voyage-3-large", "api_key": "k"}
PICTURE = "data:image/png;base64,AAAA"
TEXT, IMAGE = Content("text", "text", "a cat"), Content("image", "base64", PICTURE)


def embedding(*replies: Any, task_settings: Any = None, **settings: Any) -> Asking:
    return endpoint(
        "voyageai", TaskType.TEXT_EMBEDDING, KEY | settings, *replies, task_settings=task_settings
    )


def seeing(*replies: Any, **settings: Any) -> Asking:
    """An endpoint of the task that takes images."""
    return endpoint("voyageai", TaskType.EMBEDDING, KEY | settings, *replies)


def reranking(*replies: Any, **task_settings: Any) -> Asking:
    return endpoint("voyageai", TaskType.RERANK, KEY, *replies, task_settings=task_settings)


def vectors(*rows: list[float]) -> dict[str, Any]:
    return {"data": [{"index": n, "embedding": row} for n, row in enumerate(rows)]}


def test_texts_are_sent_with_what_the_settings_say() -> None:
    asking = embedding(EMBEDDED, dimensions=512, task_settings={"truncation": True})

    answer = asking.infer("hello", input_type=InputType.INGEST)

    assert str(asking.request.url) == "https://api.voyageai.com/v1/embeddings"
    assert asking.request.headers["Authorization"] == "Bearer k"
    assert asking.request.headers["Request-Source"] == "unspecified:inference-console"
    assert asking.body == {
        "input": ["hello"],
        "model": "voyage-3-large",
        "input_type": "document",
        "truncation": True,
        "output_dimension": 512,
        "output_dtype": "float",
    }
    assert answer["text_embedding"][0]["embedding"].tolist() == pytest.approx([0.1, -0.2])


def test_what_is_not_set_is_not_sent() -> None:
    asking = embedding(EMBEDDED)

    asking.infer("hello")

    assert asking.body == {
        "input": ["hello"],
        "model": "voyage-3-large",
        "output_dtype": "float",
    }


@pytest.mark.parametrize(
    ("kind", "sent", "answered"),
    [
        ("int8", "int8", "text_embedding_bytes"),
        ("byte", "int8", "text_embedding_bytes"),
        ("bit", "binary", "text_embedding_bits"),
        ("binary", "binary", "text_embedding_bits"),
    ],
)
def test_each_kind_of_vectors_has_its_own_answer(kind: str, sent: str, answered: str) -> None:
    asking = embedding(vectors([-128, 127]), embedding_type=kind)

    answer = asking.infer("hello")

    assert asking.body["output_dtype"] == sent
    assert answer[answered][0]["embedding"].tolist() == [-128, 127]
    settings = asking.line.config.service_settings.to_response()
    assert (settings["embedding_type"], settings["similarity"]) == (kind, "dot_product")


@pytest.mark.parametrize("dimensions", [None, 16])
def test_it_is_told_who_chose_the_length_of_the_vectors(dimensions: int | None) -> None:
    chosen = {"dimensions": dimensions} if dimensions else {}
    asking = embedding(vectors([1, 2]), embedding_type="bit", **chosen)
    line = asking.line

    proof = line.answer(InferenceRequest(("how big",)), 5)

    assert line.service.learned(line.config.service_settings, proof) == {
        "dimensions": 16,
        "dimensions_set_by_user": dimensions is not None,
    }


def test_texts_and_images_have_an_address_of_their_own() -> None:
    asking = seeing(vectors([0.1], [0.2]))

    answer = asking.infer("a cat", "", contents=(TEXT, IMAGE), input_type=InputType.SEARCH)

    assert str(asking.request.url) == "https://api.voyageai.com/v1/multimodalembeddings"
    assert asking.body == {
        "inputs": [
            {"content": [{"type": "text", "text": "a cat"}]},
            {"content": [{"type": "image_base64", "image_base64": PICTURE}]},
        ],
        "model": "voyage-3-large",
        "input_type": "query",
        "output_dtype": "float",
    }
    assert len(answer["embeddings"]) == 2


def test_texts_alone_go_the_same_way() -> None:
    asking = seeing(vectors([0.1]))

    asking.infer("a cat")

    assert asking.body["inputs"] == [{"content": [{"type": "text", "text": "a cat"}]}]


def test_a_model_of_texts_gets_texts_and_nothing_else() -> None:
    asking = seeing(vectors([1]), multimodal_model=False, embedding_type="byte")

    assert list(asking.infer("a cat")) == ["embeddings_bytes"]
    assert str(asking.request.url) == "https://api.voyageai.com/v1/embeddings"
    assert asking.body["input"] == ["a cat"]
    with pytest.raises(InvalidRequest, match="Non-text input provided for text-only model"):
        asking.infer("a cat", "", contents=(TEXT, IMAGE))


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (vectors([128]), r"Value \[128\] is out of range for a byte"),
        (vectors([1], [2]), r"\[2\] vectors for \[1\] inputs"),
        ({"data": [{"embedding": [1]}]}, r"\[data.0.index\]"),
        ({"data": [{"index": 0}]}, r"\[data.0.embedding\]"),
    ],
)
def test_a_reply_that_does_not_fit_is_told(reply: Any, why: str) -> None:
    with pytest.raises(UpstreamMalformed, match=why):
        embedding(reply, embedding_type="byte").infer("hello")


def test_documents_are_ranked_with_their_texts() -> None:
    asking = reranking(RANKED, return_documents=True, top_k=5, truncation=True)

    answer = asking.infer("a", "b", query="q", top_n=1)

    assert str(asking.request.url) == "https://api.voyageai.com/v1/rerank"
    assert asking.body == {
        "model": "voyage-3-large",
        "query": "q",
        "documents": ["a", "b"],
        "return_documents": True,
        "top_k": 1,
        "truncation": True,
    }
    assert answer == {"rerank": [{"index": 1, "relevance_score": 0.91, "text": "b"}]}


def test_the_endpoint_says_how_many_documents_where_the_call_does_not() -> None:
    asking = reranking(RANKED, top_k=5)

    asking.infer("a", "b", query="q")

    assert asking.body["top_k"] == 5


@pytest.mark.parametrize(
    ("status", "attempts", "category"),
    [
        (429, 3, "Received a rate limit status code"),
        (500, 3, "Received a server error status code"),
        (503, 1, "Received a server error status code"),
        (400, 1, "Received an input validation error response"),
        (402, 1, "Payment required"),
    ],
)
def test_each_refusal_has_its_category(status: int, attempts: int, category: str) -> None:
    asking = reranking(Replied({"detail": "no"}, status))

    with pytest.raises(UpstreamError) as told:
        asking.infer("a", query="q")

    assert str(told.value).startswith(category)
    assert str(told.value).endswith("Error message: [no]")
    assert len(asking.requests) == attempts


def test_an_input_type_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(
        InvalidSettings, match=r"Input type \[clustering\] is not supported for \[Voyage AI\]"
    ):
        embedding(EMBEDDED).infer("hello", input_type=InputType.CLUSTERING)
    with pytest.raises(InvalidSettings, match=r"must be one of \[ingest, search\]"):
        embedding(task_settings={"input_type": "clustering"})


def test_who_chose_the_length_is_nothing_to_be_given() -> None:
    with pytest.raises(InvalidRequest, match=r"{dimensions_set_by_user=true}\] unknown"):
        embedding(dimensions_set_by_user=True)
