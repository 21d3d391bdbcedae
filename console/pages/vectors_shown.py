"""Vectors as pictures, and how near they are to each other."""

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import ClassVar

import numpy as np

from console.pages.named_inputs import Named
from inference.arrays import ByteArray, FloatArray
from inference.types import ElementType, TextEmbeddings

STRIP_HEIGHT = 40
FIRST_NUMBERS = 6
LEVELS = 8
MOST_PAIRS = 6
# From here on two endpoints see the nearness of two texts differently, as far as an eye can tell.
WORTH_SAYING = 0.05
# Cosines of sentence vectors, counted from those of unrelated texts; the words hold roughly.
CLOSENESS = (
    (0.85, "nearly the same meaning"),
    (0.6, "close in meaning"),
    (0.4, "related"),
    (0.2, "loosely related"),
    (0.0, "hardly related"),
)


@dataclass(frozen=True)
class VectorShown:
    """up, down: SVG paths of the positive and negative numbers, one unit of width each; of bits,
    those that are 1 and those that are 0.

    norm: the Euclidean length; None for bits, which have none worth telling.
    """

    name: Named
    width: int
    up: str
    down: str
    first: list[str]
    as_json: str
    norm: float | None


@dataclass(frozen=True)
class Closeness:
    """cosine: -1 to 1. percent: the length of its bar; unrelated texts have none.

    words: empty where nobody knows what is far and near for the model.
    """

    cosine: float
    percent: float
    words: str

    @property
    def level(self) -> int:
        """0 (unrelated) to LEVELS (the same)."""
        return round(LEVELS * self.percent / 100)


@dataclass(frozen=True)
class Pair:
    one: Named
    other: Named
    closeness: Closeness


@dataclass(frozen=True)
class MatrixRow:
    name: Named
    cells: list[Closeness]


@dataclass(frozen=True)
class EmbeddingsShown:
    """cosines: (inputs, inputs). scale: the largest distance from 0 of a number.

    has_bits: whether the numbers are bytes of eight dimensions each.
    """

    template: ClassVar[str] = "endpoints/_result_embedding.html"

    vectors: list[VectorShown]
    cosines: FloatArray
    unrelated_cosine: float | None
    dimensions: int
    scale: float
    has_bits: bool
    strip_height: ClassVar[int] = STRIP_HEIGHT

    @property
    def names(self) -> list[Named]:
        return [vector.name for vector in self.vectors]

    @property
    def closeness(self) -> Closeness | None:
        """Of two texts; more of them have a matrix."""
        if len(self.vectors) != 2:
            return None
        return self._closeness(0, 1)

    @property
    def matrix(self) -> list[MatrixRow]:
        if len(self.vectors) < 3:
            return []
        places = range(len(self.vectors))
        return [
            MatrixRow(name, [self._closeness(row, column) for column in places])
            for row, name in enumerate(self.names)
        ]

    @cached_property
    def nearest(self) -> list[Pair]:
        """The nearest pairs of more than two texts, the nearest first."""
        if len(self.vectors) < 3:
            return []
        pairs = [
            Pair(self.names[one], self.names[other], self._closeness(one, other))
            for one, other in combinations(range(len(self.vectors)), 2)
        ]
        return sorted(pairs, key=lambda pair: -pair.closeness.cosine)[:MOST_PAIRS]

    def _closeness(self, one: int, other: int) -> Closeness:
        return closeness_of(float(self.cosines[one, other]), self.unrelated_cosine)


@dataclass(frozen=True)
class Difference:
    """Of the cosine of one pair: here and at the endpoint beside it."""

    one: Named
    other: Named
    here: float
    beside: float

    @property
    def change(self) -> float:
        return self.beside - self.here

    @property
    def is_worth_saying(self) -> bool:
        return abs(self.change) >= WORTH_SAYING


@dataclass(frozen=True)
class EmbeddingsCompared:
    """differences: of every pair, the largest first."""

    template: ClassVar[str] = "endpoints/_compared_embedding.html"

    differences: list[Difference]
    pairs: int
    has_same_nearest: bool


def embeddings_shown(
    result: TextEmbeddings, names: list[Named], unrelated_cosine: float | None
) -> EmbeddingsShown:
    has_bits = result.element_type == ElementType.BIT
    drawn = signs_of(result.vectors) if has_bits else result.vectors.astype(np.float32)
    largest = float(np.abs(drawn).max())
    return EmbeddingsShown(
        [
            _vector(name, vector, row, largest or 1.0, has_bits=has_bits)
            for name, vector, row in zip(names, result.vectors, drawn, strict=True)
        ],
        cosines_of(drawn),
        unrelated_cosine,
        result.dimensions,
        largest,
        has_bits,
    )


def embeddings_compared(
    here: EmbeddingsShown, beside: EmbeddingsShown
) -> EmbeddingsCompared | None:
    """Where two endpoints differ about the same texts; None where there is nothing to compare."""
    if len(here.vectors) < 2:
        return None
    pairs = list(combinations(range(len(here.vectors)), 2))
    found = [
        Difference(
            here.names[one],
            here.names[other],
            float(here.cosines[one, other]),
            float(beside.cosines[one, other]),
        )
        for one, other in pairs
    ]
    nearest_here = max(found, key=lambda pair: pair.here)
    nearest_beside = max(found, key=lambda pair: pair.beside)
    ordered = sorted(found, key=lambda pair: -abs(pair.change))
    return EmbeddingsCompared(ordered[:MOST_PAIRS], len(found), nearest_here == nearest_beside)


def signs_of(vectors: FloatArray | ByteArray) -> FloatArray:
    """Bits as 1 and -1, (inputs, dimensions): the less two differ, the nearer their cosine is to 1.

    vectors: (inputs, dimensions / 8), eight bits to a byte, the highest first.
    """
    bits = np.unpackbits(vectors.astype(np.int8).view(np.uint8), axis=1)
    return bits.astype(np.float32) * 2 - 1


def cosines_of(vectors: FloatArray) -> FloatArray:
    """The cosine of each vector with each, (inputs, inputs); 0 where one is all zeros.

    vectors: (inputs, dimensions).
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    cosines: FloatArray = np.clip(units @ units.T, -1.0, 1.0)
    return cosines


def closeness_of(cosine: float, unrelated_cosine: float | None) -> Closeness:
    """unrelated_cosine: that of two unrelated texts; None where nobody knows it."""
    if unrelated_cosine is None:
        return Closeness(cosine, 100 * max(0.0, cosine), "")
    share = max(0.0, (cosine - unrelated_cosine) / (1 - unrelated_cosine))
    words = next(words for least, words in CLOSENESS if share >= least)
    return Closeness(cosine, 100 * share, words)


def numbers_of(vector: FloatArray | ByteArray) -> list[float]:
    """As short as they can be without losing a bit of a 32-bit float."""
    if vector.dtype.kind in "iu":
        return [int(number) for number in vector]
    return [float(str(number)) for number in vector.astype(np.float32)]


def _vector(
    name: Named,
    vector: FloatArray | ByteArray,
    drawn: FloatArray,
    largest: float,
    *,
    has_bits: bool,
) -> VectorShown:
    """drawn: a number for each dimension. largest: their greatest distance from 0 in any vector."""
    numbers = numbers_of(vector)
    middle = STRIP_HEIGHT / 2
    ends = middle - drawn / largest * (middle - 1)
    bars = [f"M{place + 0.5} {middle:g}V{end:.1f}" for place, end in enumerate(ends)]
    return VectorShown(
        name,
        width=len(drawn),
        up="".join(bar for bar, number in zip(bars, drawn, strict=True) if number >= 0),
        down="".join(bar for bar, number in zip(bars, drawn, strict=True) if number < 0),
        first=[
            f"{number:.4f}" if isinstance(number, float) else str(number)
            for number in numbers[:FIRST_NUMBERS]
        ],
        as_json=json.dumps(numbers),
        norm=None if has_bits else float(np.linalg.norm(drawn)),
    )
