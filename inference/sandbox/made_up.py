"""What the sandbox answers: made up from the request, so that the same gets the same."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from inference.arrays import FloatArray

DIMENSIONS = 8
REPLY = "The sandbox heard: "


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A unit vector for a text, rounded as providers round."""
    found = unit_vector(text, dimensions)
    return [round(float(number), 6) for number in found]


def unit_vector(text: str, dimensions: int) -> FloatArray:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    numbers = np.random.default_rng(seed).normal(size=dimensions)
    return np.asarray(numbers / np.linalg.norm(numbers), np.float32)


def byte_vector(text: str, length: int = DIMENSIONS) -> list[int]:
    """Signed bytes: a vector of bytes, or the bits of one that is eight times as long."""
    return [int(number) for number in np.round(unit_vector(text, length) * 100)]


def typed_vector(text: str, kind: str, dimensions: int = DIMENSIONS) -> list[float] | list[int]:
    """kind: float, int8 or binary, which has eight dimensions in a byte."""
    if kind == "float":
        return vector(text, dimensions)
    return byte_vector(text, dimensions // 8 if kind == "binary" else dimensions)


def weights(text: str) -> dict[str, float]:
    """Tokens of a text, each with a weight."""
    words = dict.fromkeys(text.lower().split())
    return {word: round(1 / (1 + n), 4) for n, word in enumerate(words)} or {"empty": 0.1}


def scores(query: str, documents: Sequence[str]) -> list[tuple[int, float]]:
    """Index and score of each document, the best first: the share of the query's words in it."""
    wanted = set(query.lower().split())
    found = [
        (n, round(len(wanted & set(text.lower().split())) / max(len(wanted), 1), 4))
        for n, text in enumerate(documents)
    ]
    return sorted(found, key=lambda pair: -pair[1])


def reply_to(prompt: str) -> str:
    return REPLY + prompt


def pieces_of(text: str) -> Iterator[str]:
    """The words of a text, with the blanks before them, as a model writes them."""
    for n, word in enumerate(text.split(" ")):
        yield word if n == 0 else f" {word}"


def tokens(text: str) -> int:
    """About as many as a tokenizer would find."""
    return max(1, len(text) // 4)
