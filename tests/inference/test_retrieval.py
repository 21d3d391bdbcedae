import numpy as np
import pytest

from inference.retrieval import (
    OtherVectors,
    as_floats,
    dense_scores,
    nearest,
    pack,
    sparse_scores,
    unpack_dense,
    unpack_sparse,
)
from inference.types import ElementType, SparseEmbedding, SparseEmbeddings, TextEmbeddings

VECTORS = np.array([[1, 0], [0, 2], [-1, 0]], np.float32)


def test_packed_vectors_come_back_as_they_were() -> None:
    packed = pack(TextEmbeddings(VECTORS))

    assert len(packed) == 24
    np.testing.assert_array_equal(
        unpack_dense([packed, packed], ElementType.FLOAT, 2), np.vstack([VECTORS, VECTORS])
    )


def test_bytes_take_a_byte_each_and_bits_count_one_by_one() -> None:
    kind = ElementType.BIT
    packed = pack(TextEmbeddings(np.array([[-1], [0]], np.int8), element_type=kind))

    assert packed == b"\xff\0"
    np.testing.assert_array_equal(unpack_dense([packed], kind, 1), [[1] * 8, [-1] * 8])


def test_sparse_vectors_come_back_and_are_compared_by_the_tokens_of_both() -> None:
    rows = (SparseEmbedding({"bee": 2.0, "hive": 1.0}), SparseEmbedding({"wasp": 3.0}))
    kept = unpack_sparse([pack(SparseEmbeddings(rows))])

    assert kept == [row.weights for row in rows]
    assert sparse_scores({"bee": 0.5, "hive": 1.0, "roof": 9.0}, kept).tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("similarity", "scores"),
    [("cosine", [0, 1, 0]), ("dot_product", [0, 6, 0]), ("l2_norm", [1 / 11, 1 / 2, 1 / 11])],
)
def test_nearness_is_that_of_the_model(similarity: str, scores: list[float]) -> None:
    found = dense_scores(np.array([0, 3], np.float32), VECTORS, similarity)

    np.testing.assert_allclose(found, scores, rtol=1e-6)


def test_a_vector_of_zeros_is_near_to_nothing() -> None:
    assert dense_scores(np.zeros(2, np.float32), VECTORS, "cosine").tolist() == [0, 0, 0]


def test_the_nearest_come_first_and_equals_keep_their_order() -> None:
    hits = nearest(np.array([0.5, 0.9, 0.5, 0.1], np.float32), 3)

    assert [hit.number for hit in hits] == [1, 0, 2]


def test_vectors_of_another_length_are_not_compared() -> None:
    with pytest.raises(OtherVectors):
        dense_scores(np.zeros(3, np.float32), VECTORS, "cosine")
    with pytest.raises(OtherVectors):
        unpack_dense([b"\0" * 12], ElementType.FLOAT, 2)
    assert as_floats(np.array([[1, 2]], np.int8), ElementType.BYTE).dtype == np.float32
