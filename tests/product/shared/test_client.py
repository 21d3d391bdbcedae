"""The first thing a user does: the real client, the real server, a real model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import (
    AuthenticationException,
    BadRequestError,
    Elasticsearch,
    ElasticsearchWarning,
    NotFoundError,
)

from tests.product.running import Product

REFERENCE = json.loads((Path(__file__).parents[2] / "data" / "minilm-reference.json").read_text())
SETTINGS = {"num_allocations": 2, "num_threads": 1}
MODELS = {
    "text_embedding": ".all-minilm-l6-v2",
    "sparse_embedding": ".minilm-sparse-v1",
    "rerank": ".minilm-rerank-v1",
}


@pytest.fixture(scope="module")
def endpoints(client: Elasticsearch) -> dict[str, str]:
    """One endpoint of each task, made with the client; the first brings the weights."""
    for task, model_id in MODELS.items():
        client.inference.put(
            task_type=task,
            inference_id=f"my-{task}",
            inference_config={
                "service": "elasticsearch",
                "service_settings": SETTINGS | {"model_id": model_id},
            },
        )
    return {task: f"my-{task}" for task in MODELS}


# One of the reference's texts is longer than the window.
cuts_are_known = pytest.mark.filterwarnings("ignore:1 of .* was cut to the model's window")


def embed(client: Elasticsearch, endpoints: dict[str, str], texts: list[str]) -> Any:
    answer = client.inference.text_embedding(inference_id=endpoints["text_embedding"], input=texts)
    return np.array([row["embedding"] for row in answer["text_embedding"]])


@cuts_are_known
def test_vectors_are_those_of_the_reference(
    client: Elasticsearch, endpoints: dict[str, str]
) -> None:
    cases = REFERENCE["cases"]

    vectors = embed(client, endpoints, [case["text"] for case in cases])

    references = np.array([case["embedding"] for case in cases])
    cosines = (vectors * references).sum(axis=1) / np.linalg.norm(references, axis=1)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert cosines.min() >= 0.99999


@cuts_are_known
def test_a_text_gets_the_same_vector_alone_and_among_others(
    client: Elasticsearch, endpoints: dict[str, str]
) -> None:
    texts = [case["text"] for case in REFERENCE["cases"]]

    together = embed(client, endpoints, texts)

    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(embed(client, endpoints, [text])[0], vector, atol=1e-5)


def test_documents_are_ranked(client: Elasticsearch, endpoints: dict[str, str]) -> None:
    documents = [
        "The cat sat on the mat.",
        "To change your password, open the account settings and choose a new one.",
        "Our office is closed on public holidays.",
    ]

    answer = client.inference.rerank(
        inference_id=endpoints["rerank"], query="How do I reset my password?", input=documents
    )

    ranked = answer["rerank"]
    scores = [row["relevance_score"] for row in ranked]
    assert ranked[0]["index"] == 1
    assert ranked[0]["text"] == documents[1]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_sparse_weights_name_the_words_of_the_text(
    client: Elasticsearch, endpoints: dict[str, str]
) -> None:
    answer = client.inference.sparse_embedding(
        inference_id=endpoints["sparse_embedding"], input=["the harbour at night", "port " * 300]
    )

    first, long = answer["sparse_embedding"]
    weights = list(first["embedding"].values())
    assert "harbour" in first["embedding"]
    assert weights == sorted(weights, reverse=True)
    assert all(weight > 0 for weight in weights)
    assert (first["is_truncated"], long["is_truncated"]) == (False, True)


@pytest.mark.parametrize(
    ("task", "call", "told"),
    [
        (
            "text_embedding",
            {"input": ["port", "port " * 298]},
            "1 of 2 inputs was cut to the model's window of 256 tokens: input 1 lost 44 tokens;",
        ),
        (
            "rerank",
            {"query": "port " * 255, "input": ["port " * 300, "port"]},
            "2 of 3 texts were cut to the model's window of 256 tokens: query lost 1 token, "
            "document 0 lost 46 tokens;",
        ),
    ],
)
def test_the_client_warns_of_an_input_that_was_cut(
    client: Elasticsearch, endpoints: dict[str, str], task: str, call: dict[str, Any], told: str
) -> None:
    with pytest.warns(ElasticsearchWarning, match=told):
        getattr(client.inference, task)(inference_id=endpoints[task], **call)


def test_endpoints_are_read_back(client: Elasticsearch, endpoints: dict[str, str]) -> None:
    listed = client.inference.get()["endpoints"]
    one = client.inference.get(inference_id=endpoints["rerank"])["endpoints"]

    assert [entry["inference_id"] for entry in listed] == [
        ".elser-2-elasticsearch",
        ".multilingual-e5-small-elasticsearch",
        ".rerank-v1-elasticsearch",
        *sorted(endpoints.values()),
    ]
    assert one[0]["service_settings"] == SETTINGS | {"model_id": MODELS["rerank"]}


def test_a_deleted_endpoint_is_gone(client: Elasticsearch, endpoints: dict[str, str]) -> None:
    config = {
        "service": "elasticsearch",
        "service_settings": SETTINGS | {"model_id": MODELS["text_embedding"]},
    }
    client.inference.put(task_type="text_embedding", inference_id="brief", inference_config=config)

    assert client.inference.delete(inference_id="brief")["acknowledged"] is True
    with pytest.raises(NotFoundError):
        client.inference.text_embedding(inference_id="brief", input="a")


def test_a_wrong_password_is_refused(product: Product, endpoints: dict[str, str]) -> None:
    with (
        Elasticsearch(product.url, basic_auth=("elastic", "wrong")) as stranger,
        pytest.raises(AuthenticationException) as refusal,
    ):
        stranger.inference.get()

    assert refusal.value.error == "security_exception"


def test_an_unknown_endpoint_is_not_found(client: Elasticsearch) -> None:
    with pytest.raises(NotFoundError) as refusal:
        client.inference.text_embedding(inference_id="nobody", input="a")

    assert refusal.value.error == "resource_not_found_exception"


def test_a_wrong_task_is_refused(client: Elasticsearch, endpoints: dict[str, str]) -> None:
    with pytest.raises(BadRequestError) as refusal:
        client.inference.rerank(inference_id=endpoints["text_embedding"], query="q", input=["a"])

    assert refusal.value.error == "status_exception"


def test_a_bad_body_is_refused(client: Elasticsearch, endpoints: dict[str, str]) -> None:
    with pytest.raises(BadRequestError) as refusal:
        client.perform_request(
            "POST",
            f"/_inference/{endpoints['text_embedding']}",
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            body={"inputs": "a"},
        )

    assert refusal.value.error == "x_content_parse_exception"
