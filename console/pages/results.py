"""What a result looks like on a page: positions, bars and words instead of raw numbers."""

import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias
from unicodedata import combining, normalize

import numpy as np

from inference.arrays import ByteArray, FloatArray
from inference.chat import ChatRequest
from inference.types import (
    ChatAnswer,
    Completions,
    ElementType,
    InferenceRequest,
    InferenceResult,
    Ranking,
    SparseEmbedding,
    SparseEmbeddings,
    TextEmbeddings,
)

STRIP_HEIGHT = 40
FIRST_NUMBERS = 6
MOST_TOKENS = 60
LEVELS = 5
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
    """up, down: SVG paths of the positive and negative numbers, one unit of width each."""

    width: int
    up: str
    down: str
    first: list[str]
    as_json: str


@dataclass(frozen=True)
class Closeness:
    """cosine: -1 to 1. percent: the length of its bar; unrelated texts have none.

    words: empty where nobody knows what is far and near for the model.
    """

    cosine: float
    percent: float
    words: str


@dataclass(frozen=True)
class EmbeddingsShown:
    template: ClassVar[str] = "endpoints/_result_embedding.html"

    vectors: list[VectorShown]
    closeness: Closeness | None
    dimensions: int
    strip_height: ClassVar[int] = STRIP_HEIGHT


@dataclass(frozen=True)
class RankShown:
    """place, was_place: counted from one. percent: the length of the bar."""

    place: int
    was_place: int
    score: float
    percent: float
    text: str

    @property
    def risen(self) -> int:
        """How many places it went up."""
        return max(0, self.was_place - self.place)

    @property
    def fallen(self) -> int:
        return max(0, self.place - self.was_place)


@dataclass(frozen=True)
class RankingShown:
    template: ClassVar[str] = "endpoints/_result_rerank.html"

    rows: list[RankShown]


@dataclass(frozen=True)
class TokenShown:
    """level: 1 (light) to 5 (heavy). is_added: not in the text, brought in by the model."""

    token: str
    weight: float
    percent: float
    level: int
    is_added: bool


@dataclass(frozen=True)
class SparseShown:
    template: ClassVar[str] = "endpoints/_result_sparse.html"

    tokens: list[TokenShown]
    count: int

    @property
    def left_out(self) -> int:
        return self.count - len(self.tokens)


@dataclass(frozen=True)
class Tokens:
    """What a model read and wrote, as its provider counted."""

    read: int
    written: int


@dataclass(frozen=True)
class WrittenShown:
    """What a model wrote. ended: why it stopped, where that is worth a word."""

    template: ClassVar[str] = "endpoints/_result_text.html"

    text: str
    tokens: Tokens | None = None
    ended: str = ""


Shown: TypeAlias = EmbeddingsShown | RankingShown | SparseShown | WrittenShown


def show(
    request: InferenceRequest | ChatRequest,
    result: InferenceResult,
    unrelated_cosine: float | None = 0.0,
) -> Shown:
    """unrelated_cosine: that of two unrelated texts; None where nobody knows it."""
    match result:
        case Completions(texts=texts):
            return WrittenShown("\n\n".join(texts))
        case ChatAnswer(body=body):
            return _chat(body)
    if isinstance(request, ChatRequest):
        raise TypeError(f"no page shows a chat with a result like {result!r}")
    match result:
        case TextEmbeddings():
            return _embeddings(result, unrelated_cosine)
        case Ranking():
            return _ranking(request, result)
        case SparseEmbeddings((first, *_)):
            return _sparse(request.input[0], first)
    raise TypeError(f"no page shows a result like {result!r}")


def raw_json(result: InferenceResult) -> str:
    """The result as the API answers it; numbers of a vector stay on one line."""
    body: dict[str, Any] = json.loads(json.dumps(result.to_response(), default=_plain))
    text = json.dumps(body, indent=2, ensure_ascii=False)
    if isinstance(result, TextEmbeddings):
        ((name, vectors),) = body.items()
        rows = ",\n    ".join(json.dumps(row) for row in vectors)
        text = f'{{\n  "{name}": [\n    {rows}\n  ]\n}}'
    return text


def _plain(value: Any) -> Any:
    return _numbers(value) if isinstance(value, np.ndarray) else float(value)


def _numbers(vector: FloatArray | ByteArray) -> list[float]:
    """As short as they can be without losing a bit of a 32-bit float."""
    if vector.dtype.kind in "iu":
        return [int(number) for number in vector]
    return [float(str(number)) for number in vector.astype(np.float32)]


def _embeddings(result: TextEmbeddings, unrelated_cosine: float | None) -> EmbeddingsShown:
    vectors = result.vectors.astype(np.float32)
    largest = float(np.abs(vectors).max()) or 1.0
    closeness = None
    if len(vectors) == 2 and result.element_type != ElementType.BIT:
        closeness = _closeness(cosine_similarity(vectors[0], vectors[1]), unrelated_cosine)
    shown = [_vector(vector, largest) for vector in result.vectors]
    return EmbeddingsShown(shown, closeness, result.dimensions)


def cosine_similarity(one: FloatArray, other: FloatArray) -> float:
    """The cosine of the angle between two vectors of like length; 0 where one is all zeros."""
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0


def _closeness(cosine: float, unrelated_cosine: float | None) -> Closeness:
    cosine = max(-1.0, min(1.0, cosine))
    if unrelated_cosine is None:
        return Closeness(cosine, 100 * max(0.0, cosine), "")
    share = max(0.0, (cosine - unrelated_cosine) / (1 - unrelated_cosine))
    words = next(words for least, words in CLOSENESS if share >= least)
    return Closeness(cosine, 100 * share, words)


def _vector(vector: FloatArray | ByteArray, largest: float) -> VectorShown:
    """largest: the greatest distance from 0 of a number in any of the vectors."""
    numbers = _numbers(vector)
    middle = STRIP_HEIGHT / 2
    ends = middle - np.asarray(numbers) / largest * (middle - 1)
    bars = [f"M{place + 0.5} {middle:g}V{end:.1f}" for place, end in enumerate(ends)]
    return VectorShown(
        width=len(numbers),
        up="".join(bar for bar, number in zip(bars, numbers, strict=True) if number >= 0),
        down="".join(bar for bar, number in zip(bars, numbers, strict=True) if number < 0),
        first=[
            f"{number:.4f}" if isinstance(number, float) else str(number)
            for number in numbers[:FIRST_NUMBERS]
        ],
        as_json=json.dumps(numbers),
    )


def _chat(body: dict[str, Any]) -> WrittenShown:
    """A chat's answer: its first choice, which is all that is ever asked for."""
    choices = body.get("choices") or [{}]
    message = choices[0].get("message") or {}
    return WrittenShown(
        message.get("content") or calls_in(message),
        tokens_in(body.get("usage")),
        ending(choices[0].get("finish_reason")),
    )


def calls_in(message: dict[str, Any]) -> str:
    """The tools that a message calls, where it says nothing itself."""
    calls = [call.get("function") or {} for call in message.get("tool_calls") or ()]
    return "\n".join(f"{call.get('name')}({call.get('arguments')})" for call in calls)


def tokens_in(usage: Any) -> Tokens | None:
    """What the `usage` of a chat tells; None where it tells nothing."""
    if not usage:
        return None
    return Tokens(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)


def ending(reason: str | None) -> str:
    """Why a model stopped, where it did not simply end."""
    return "" if reason in (None, "stop") else reason.replace("_", " ")


def _ranking(request: InferenceRequest, ranking: Ranking) -> RankingShown:
    scores = [document.relevance_score for document in ranking.documents]
    lowest, highest = min(0.0, *scores, 0.0), max(0.0, *scores, 0.0)
    span = (highest - lowest) or 1.0
    return RankingShown(
        [
            RankShown(
                place=place,
                was_place=document.index + 1,
                score=document.relevance_score,
                percent=100 * (document.relevance_score - lowest) / span,
                text=request.input[document.index],
            )
            for place, document in enumerate(ranking.documents, start=1)
        ]
    )


def _sparse(text: str, row: SparseEmbedding) -> SparseShown:
    weights = sorted(row.weights.items(), key=lambda item: -item[1])
    heaviest = weights[0][1] if weights else 1.0
    written = re.findall(r"\w+", _plain_letters(text))
    # A word that is no token itself was split into pieces, which belong to it.
    split = [word for word in written if word not in row.weights]
    tokens = [
        TokenShown(
            token=token,
            weight=weight,
            percent=100 * weight / heaviest,
            level=max(1, min(LEVELS, 1 + int(LEVELS * weight / heaviest))),
            is_added=token not in written
            and not any(token.removeprefix("##") in word for word in split),
        )
        for token, weight in weights[:MOST_TOKENS]
    ]
    return SparseShown(tokens, len(weights))


def _plain_letters(text: str) -> str:
    """As the vocabularies of these models write: small letters without accents."""
    return "".join(c for c in normalize("NFD", text.lower()) if not combining(c))
