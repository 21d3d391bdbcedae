"""Finding the nearest of some hundred vectors, and keeping them as bytes."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.arrays import ByteArray, FloatArray
from inference.types import ElementType, SparseEmbeddings, TextEmbeddings

COSINE, DOT_PRODUCT, L2_NORM = "cosine", "dot_product", "l2_norm"


class OtherVectors(ValueError):
    """Vectors that cannot be compared: of another length, or of another kind."""


@dataclass(frozen=True)
class Hit:
    """number: which of the vectors, from 0."""

    number: int
    score: float


def pack(result: TextEmbeddings | SparseEmbeddings) -> bytes:
    """The vectors of a result, as few bytes as hold all of them."""
    if isinstance(result, TextEmbeddings):
        is_float = result.element_type == ElementType.FLOAT
        return result.vectors.astype(np.float32 if is_float else np.int8).tobytes()
    return zlib.compress(json.dumps([row.weights for row in result.rows]).encode())


def unpack_dense(packed: Sequence[bytes], element_type: ElementType, width: int) -> FloatArray:
    """(vectors, width), as floats, of BIT one number for each bit.

    width: how many numbers are stored of each vector. Raises OtherVectors.
    """
    content = b"".join(packed)
    numbers: FloatArray | ByteArray
    if element_type == ElementType.FLOAT:
        numbers = np.frombuffer(content, np.float32)
    else:
        numbers = np.frombuffer(content, np.int8)
    if not width or len(numbers) % width:
        raise OtherVectors
    return as_floats(numbers.reshape(-1, width), element_type)


def as_floats(vectors: FloatArray | ByteArray, element_type: ElementType) -> FloatArray:
    """Bits become -1 and 1, so that their cosine falls with each one that differs."""
    if element_type == ElementType.BIT:
        bits = np.unpackbits(vectors.astype(np.int8).view(np.uint8), axis=1)
        return bits.astype(np.float32) * 2 - 1
    return vectors.astype(np.float32)


def unpack_sparse(packed: Sequence[bytes]) -> list[dict[str, float]]:
    return [row for one in packed for row in json.loads(zlib.decompress(one))]


def dense_scores(query: FloatArray, vectors: FloatArray, similarity: str) -> FloatArray:
    """How near each vector is, more is nearer. query: (dim,). vectors: (vectors, dim).

    Cosine and dot product as they are; of a distance 1 / (1 + its square), as Elasticsearch does.
    Raises OtherVectors.
    """
    if vectors.shape[1] != len(query):
        raise OtherVectors
    if similarity == L2_NORM:
        near: FloatArray = 1 / (1 + np.square(vectors - query).sum(axis=1, dtype=np.float32))
        return near
    scores: FloatArray = vectors @ query
    if similarity == DOT_PRODUCT:
        return scores
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    cosines: FloatArray = np.divide(scores, lengths, out=np.zeros_like(scores), where=lengths > 0)
    return cosines


def sparse_scores(query: dict[str, float], rows: Sequence[dict[str, float]]) -> FloatArray:
    """The sum of the products of weights of the tokens that both have."""
    scores = [
        sum(weight * row[token] for token, weight in query.items() if token in row) for row in rows
    ]
    return np.array(scores, np.float32)


def nearest(scores: FloatArray, count: int) -> list[Hit]:
    """The highest scores first; equal ones keep their order."""
    order = np.argsort(-scores, kind="stable")[:count]
    return [Hit(int(number), float(scores[number])) for number in order]
