"""The custom service: where in replies of any shape its results are found."""

from typing import Any

import pytest

from inference.types import TaskType
from inference.upstream.errors import UpstreamMalformed
from tests.inference.services.asking import endpoint
from tests.inference.services.custom_endpoints import (
    EMBEDDED,
    SPARSE,
    completion,
    embedding,
    parser,
    ranker,
)


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
