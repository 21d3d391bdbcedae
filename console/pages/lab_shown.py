"""What the lab shows of a document that is cut in two ways: a part of it at a time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from console.forms.lab import CutForm
from endpoints.lab import searching
from endpoints.lab.cuts import quick_cut, start_of, tokens_of
from endpoints.lab.embedding import BATCH, Plan, plan_for
from endpoints.lab.tokens import TokenCount, TokenCounter
from endpoints.models import LabRun
from inference.arrays import IntArray
from inference.chunking.cut import Cut
from inference.errors import InferenceError

# Both sides show the chunks that begin in the same part of the document, of so many characters.
PART = 6000
# Of a chunk that is longer its start and its end are shown.
LONGEST_SHOWN, END_SHOWN = 2400, 400
# No more characters of a chunk are counted in tokens.
MOST_READ = 10_000
SHORTEST_MARKED = 4
WORD = re.compile(r"\w+")
STRIP_WIDTH, LEAST_WIDTH = 1000, 4


def nothing_counted() -> IntArray:
    return np.zeros(0, np.int32)


@dataclass(frozen=True)
class ChunkShown:
    """number: from 1. repeated: what the chunk before has, too. left_out: characters not shown."""

    number: int
    words: int
    characters: int
    tokens: int
    is_over: bool
    repeated: str
    text: str
    left_out: int = 0
    end: str = ""


@dataclass(frozen=True)
class SideShown:
    """One side of the page. cut: None where its settings are refused, and while it is counted.

    counted: (chunks,), the tokens of each, of a very long document of the first ones.
    calls: how many it would take to embed it. is_counting: whether only the first chunks are known.
    """

    side: str
    form: CutForm
    cut: Cut | None = None
    chunks: tuple[ChunkShown, ...] = ()
    words: int = 0
    counted: IntArray = field(default_factory=nothing_counted)
    tokens: int = 0
    over: int = 0
    is_exact: bool = False
    is_counting: bool = False
    # The chunk that began before this part, where none begins in it.
    goes_on: int = 0

    @property
    def count(self) -> int:
        return len(self.cut) if self.cut else 0

    @property
    def is_refused(self) -> bool:
        return self.cut is None and not self.is_counting

    @property
    def average_words(self) -> float:
        return self.words / self.count if self.count else 0.0

    @property
    def calls(self) -> int:
        return -(-self.count // BATCH)


@dataclass(frozen=True)
class Parts:
    """number: the part that is shown, from 1."""

    number: int
    count: int

    @classmethod
    def of(cls, characters: int, wished: str) -> "Parts":
        count = max(1, -(-characters // PART))
        number = int(wished) if wished.isascii() and wished.isdigit() and len(wished) < 9 else 1
        return cls(min(max(number, 1), count), count)

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def following(self) -> int:
        return self.number + 1 if self.number < self.count else 0

    @property
    def bounds(self) -> tuple[int, int]:
        """From which character up to which."""
        return (self.number - 1) * PART, self.number * PART


def part_with(place: int) -> int:
    """The number of the part in which a character stands."""
    return place // PART + 1


def side_shown(run: LabRun, form: CutForm, counter: TokenCounter, parts: Parts) -> SideShown:
    """What is refused only when the text is cut is noted at the form."""
    if not form.is_valid() or form.settings is None:
        return SideShown(form.side, form)
    try:
        cut = quick_cut(run, form.settings)
        start = start_of(run, form.settings) if cut is None else None
    except InferenceError as exc:
        form.note(exc)
        return SideShown(form.side, form)
    if cut is None:
        chunks = first_shown(run, start, counter, parts) if start else ()
        return SideShown(form.side, form, chunks=chunks, is_counting=True)
    tokens = tokens_of(run, form.settings, counter)
    first, end = (int(np.searchsorted(cut.starts, place)) for place in parts.bounds)
    return SideShown(
        form.side,
        form,
        cut,
        chunks_shown(run.text, cut, counter, tokens, first, end),
        words=int(cut.words.sum()),
        counted=tokens.counted,
        tokens=tokens.total,
        over=tokens.over,
        is_exact=tokens.is_exact,
        goes_on=first if first == end else 0,
    )


def first_shown(
    run: LabRun, start: Cut, counter: TokenCounter, parts: Parts
) -> tuple[ChunkShown, ...]:
    """The chunks of a part while only the first ones are known; none of a part further on."""
    first, end = (int(np.searchsorted(start.starts, place)) for place in parts.bounds)
    if end == len(start):
        return ()
    uncounted = TokenCount(nothing_counted(), 0, 0, is_exact=False)
    return chunks_shown(run.text, start, counter, uncounted, first, end)


def chunks_shown(
    text: str, cut: Cut, counter: TokenCounter, count: TokenCount, first: int, end: int
) -> tuple[ChunkShown, ...]:
    texts = cut.texts(text, first, end)
    counts = count.counted[first:end].tolist()
    # Those behind what was counted are counted where they are shown.
    uncounted = counter.count([one[:MOST_READ] for one in texts[len(counts) :]])
    shown = []
    for one, tokens in zip(texts[len(counts) :], uncounted, strict=True):
        # Of one that is too long, as many as in its start.
        counts.append(round(tokens * max(1, len(one) / MOST_READ)))
    for number, one, tokens in zip(range(first, end), texts, counts, strict=True):
        is_whole = len(one) <= LONGEST_SHOWN + END_SHOWN
        start = one if is_whole else one[:LONGEST_SHOWN]
        repeated = cut.repeated(number)
        shown.append(
            ChunkShown(
                number=number + 1,
                words=int(cut.words[number]),
                characters=len(one),
                tokens=tokens,
                is_over=counter.window is not None and tokens > counter.window,
                repeated=start[:repeated],
                text=(start[repeated:] if repeated else start.lstrip("\n")).rstrip("\n"),
                left_out=0 if is_whole else len(one) - LONGEST_SHOWN - END_SHOWN,
                end="" if is_whole else one[-END_SHOWN:],
            )
        )
    return tuple(shown)


def plan_of(sides: Sequence[SideShown]) -> Plan | None:
    """What would be embedded; nothing while a side is refused."""
    cuts = {side.side: side.cut for side in sides if side.cut}
    return plan_for(cuts) if len(cuts) == len(sides) else None


@dataclass(frozen=True)
class Mark:
    """A found chunk in the picture of the document, in thousandths of its length."""

    place: int
    start: float
    width: float


@dataclass(frozen=True)
class FoundShown:
    """place: from 1. pieces: the text, and of each piece whether it is a word of the query.

    is_shared: whether the other side found something of the same place.
    """

    found: searching.Found
    place: int
    part: int
    percent: float
    pieces: tuple[tuple[str, bool], ...]
    left_out: int
    is_shared: bool

    @property
    def number(self) -> int:
        return self.found.number + 1

    @property
    def risen(self) -> int:
        return max(0, self.found.was_place - self.place)

    @property
    def fallen(self) -> int:
        return max(0, self.place - self.found.was_place)


@dataclass(frozen=True)
class SideFound:
    side: str
    label: str
    found: tuple[FoundShown, ...]
    marks: tuple[Mark, ...]
    rerank_ms: float | None


@dataclass(frozen=True)
class FoundPage:
    query: str
    sides: tuple[SideFound, ...]
    similarity: str
    query_ms: float
    reranker: str


def found_shown(
    run: LabRun, answer: searching.Answer, query: str, reranker: str, labels: Mapping[str, str]
) -> FoundPage:
    a, b = (answer.sides[side].found for side in answer.sides)
    sides = [
        SideFound(
            side,
            labels[side],
            tuple(rows(answer.sides[side].found, others, query)),
            marks(answer.sides[side].found, run.characters),
            answer.sides[side].rerank_ms,
        )
        for side, others in zip(answer.sides, (b, a), strict=True)
    ]
    return FoundPage(query, tuple(sides), answer.similarity, answer.query_ms, reranker)


def rows(
    found: Sequence[searching.Found], others: Sequence[searching.Found], query: str
) -> list[FoundShown]:
    scores = [one.score if one.rerank_score is None else one.rerank_score for one in found]
    lowest, highest = min(0.0, *scores, 0.0), max(0.0, *scores, 0.0)
    span = (highest - lowest) or 1.0
    words = {word.casefold() for word in WORD.findall(query) if len(word) >= SHORTEST_MARKED}
    return [
        FoundShown(
            one,
            place,
            part_with(one.start),
            percent=100 * (score - lowest) / span,
            pieces=pieces(one.text[:LONGEST_SHOWN].strip(), words),
            left_out=max(0, len(one.text) - LONGEST_SHOWN),
            is_shared=any(one.start < other.end and other.start < one.end for other in others),
        )
        for place, (one, score) in enumerate(zip(found, scores, strict=True), start=1)
    ]


def pieces(text: str, words: set[str]) -> tuple[tuple[str, bool], ...]:
    """The text in pieces, those that are one of the words marked."""
    places = [match.span() for match in WORD.finditer(text) if match[0].casefold() in words]
    edges = [0, *(edge for place in places for edge in place), len(text)]
    return tuple(
        (text[start:end], number % 2 == 1)
        for number, (start, end) in enumerate(pairwise(edges))
        if start < end
    )


def marks(found: Sequence[searching.Found], characters: int) -> tuple[Mark, ...]:
    scale = STRIP_WIDTH / max(1, characters)
    return tuple(
        Mark(place, one.start * scale, max(LEAST_WIDTH, (one.end - one.start) * scale))
        for place, one in enumerate(found, start=1)
    )


def hidden(written: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a form sends beside its fields, so that the page stays as it was set."""
    return [(name, str(value)) for name, value in written.items() if value]
