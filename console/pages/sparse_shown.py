"""Weighted tokens: over the text that they come from, beside it, and shared with another."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar
from unicodedata import combining, normalize

from console.pages.named_inputs import Named
from inference.types import SparseEmbedding

MOST_TOKENS = 60
MOST_SHARED = 20
MOST_APART = 10
LEVELS = 5
WORDS = re.compile(r"\w+")
# How vocabularies mark a piece within a word, or the first piece of one.
MARKS = ("##", "▁", "Ġ")


@dataclass(frozen=True)
class TokenShown:
    """level: 1 (light) to 5 (heavy). is_added: not in the text, brought in by the model."""

    token: str
    weight: float
    percent: float
    level: int
    is_added: bool


@dataclass(frozen=True)
class Piece:
    """A piece of a text. weight: of the heaviest token in it; 0 for what has none, level 0 too."""

    text: str
    weight: float = 0.0
    level: int = 0


@dataclass(frozen=True)
class SparseRow:
    """One text. weights: of all tokens. tokens: the heaviest of them."""

    name: Named
    weights: Mapping[str, float]
    pieces: list[Piece]
    tokens: list[TokenShown]

    @property
    def count(self) -> int:
        return len(self.weights)

    @property
    def added(self) -> list[TokenShown]:
        return [token for token in self.tokens if token.is_added]

    @property
    def left_out(self) -> int:
        return self.count - len(self.tokens)


@dataclass(frozen=True)
class SharedToken:
    """percent: its part of the largest product."""

    token: str
    one: float
    other: float
    percent: float

    @property
    def product(self) -> float:
        return self.one * self.other


@dataclass(frozen=True)
class Overlap:
    """What two texts share. dot_product: their score in a search. tokens: the weightiest of count.

    share: how much of what the texts could reach at best, their cosine in percent.
    """

    dot_product: float
    share: float
    tokens: list[SharedToken]
    count: int


@dataclass(frozen=True)
class SparseShown:
    template: ClassVar[str] = "endpoints/_result_sparse.html"

    rows: list[SparseRow]
    overlap: Overlap | None


@dataclass(frozen=True)
class TokenCompared:
    """Its weight at each of two endpoints; None where it has none."""

    token: str
    here: float | None
    beside: float | None


@dataclass(frozen=True)
class TextCompared:
    """One text at two endpoints: how many words both weigh, or one alone, and which of them differ
    most, each measured by the heaviest of its endpoint.
    """

    name: Named
    shared: int
    only_here: int
    only_beside: int
    apart: list[TokenCompared]


@dataclass(frozen=True)
class SparseCompared:
    template: ClassVar[str] = "endpoints/_compared_sparse.html"

    texts: list[TextCompared]


def sparse_shown(
    texts: tuple[str, ...], names: list[Named], rows: tuple[SparseEmbedding, ...]
) -> SparseShown:
    shown = [
        _row(name, text, row.weights) for name, text, row in zip(names, texts, rows, strict=True)
    ]
    overlap = overlap_of(rows[0].weights, rows[1].weights) if len(rows) == 2 else None
    return SparseShown(shown, overlap)


def sparse_compared(here: SparseShown, beside: SparseShown) -> SparseCompared:
    pairs = zip(here.rows, beside.rows, strict=True)
    return SparseCompared([text_compared(one.name, one.weights, two.weights) for one, two in pairs])


def text_compared(
    name: Named, here: Mapping[str, float], beside: Mapping[str, float]
) -> TextCompared:
    most_here, most_beside = (max(one.values(), default=0.0) or 1.0 for one in (here, beside))
    distances = {
        token: abs(here.get(token, 0.0) / most_here - beside.get(token, 0.0) / most_beside)
        for token in {**here, **beside}
    }
    apart = sorted(filter(distances.get, distances), key=lambda token: -distances[token])
    return TextCompared(
        name,
        shared=len(here.keys() & beside.keys()),
        only_here=len(here.keys() - beside.keys()),
        only_beside=len(beside.keys() - here.keys()),
        apart=[
            TokenCompared(token, here.get(token), beside.get(token)) for token in apart[:MOST_APART]
        ],
    )


def overlap_of(one: dict[str, float], other: dict[str, float]) -> Overlap:
    shared = [(token, one[token], other[token]) for token in one if token in other]
    shared.sort(key=lambda row: -row[1] * row[2])
    most = shared[0][1] * shared[0][2] if shared else 1.0
    total = sum(here * there for _, here, there in shared)
    lengths = _length(one) * _length(other)
    return Overlap(
        dot_product=total,
        share=100 * total / lengths if lengths else 0.0,
        tokens=[
            SharedToken(token, here, there, 100 * here * there / (most or 1.0))
            for token, here, there in shared[:MOST_SHARED]
        ],
        count=len(shared),
    )


def _length(weights: dict[str, float]) -> float:
    return float(sum(weight * weight for weight in weights.values()) ** 0.5)


def _row(name: Named, text: str, row: dict[str, float]) -> SparseRow:
    weights = sorted(row.items(), key=lambda item: -item[1])
    heaviest = (weights[0][1] if weights else 1.0) or 1.0
    written = WORDS.findall(_plain_letters(text))
    # A word that is no token itself was split into pieces, which belong to it.
    split = [word for word in written if word not in row]
    tokens = [
        TokenShown(
            token=token,
            weight=weight,
            percent=100 * weight / heaviest,
            level=_level(weight, heaviest),
            is_added=_bare(token) not in written
            and not any(_bare(token) in word for word in split),
        )
        for token, weight in weights[:MOST_TOKENS]
    ]
    return SparseRow(name, row, list(_pieces(text, row, heaviest)), tokens)


def _pieces(text: str, row: dict[str, float], heaviest: float) -> Iterator[Piece]:
    """The text in order, its words apart from what is between them."""
    bare = {_bare(token): weight for token, weight in row.items()}
    end = 0
    for found in WORDS.finditer(text):
        if found.start() > end:
            yield Piece(text[end : found.start()])
        end = found.end()
        word = _plain_letters(found[0])
        within = [weight for token, weight in bare.items() if token and token in word]
        weight = bare.get(word) or max(within, default=0.0)
        yield Piece(found[0], weight, _level(weight, heaviest) if weight else 0)
    if end < len(text):
        yield Piece(text[end:])


def _level(weight: float, heaviest: float) -> int:
    return max(1, min(LEVELS, 1 + int(LEVELS * weight / heaviest)))


def _bare(token: str) -> str:
    for mark in MARKS:
        token = token.removeprefix(mark)
    return token


def _plain_letters(text: str) -> str:
    """As the vocabularies of these models write: small letters without accents."""
    return "".join(c for c in normalize("NFD", text.lower()) if not combining(c))
