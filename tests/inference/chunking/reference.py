"""Every strategy once more, slow and rule by rule: what the chunkers are compared with."""

from itertools import pairwise
from typing import Any

from inference.chunking.separator import Separator, TimeLimit
from inference.chunking.settings import parse_chunking
from inference.chunking.text import ChunkedText
from tests.inference.chunking.support import utf16_length, utf16_slice

Spans = list[tuple[int, int]]


class Walked:
    """A text whose boundaries are looked at one by one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.length = utf16_length(text)
        chunked = ChunkedText(text)
        self.word_ends: list[int] = chunked.word_ends.tolist()
        self.sentence_ends: list[int] = chunked.sentence_ends.tolist()
        self.boundaries: list[int] = chunked._breaks.tolist()

    def part(self, start: int, end: int) -> "Walked":
        return Walked(utf16_slice(self.text, start, end))

    def boundary_before(self, place: int) -> int:
        return max((boundary for boundary in self.boundaries if boundary < place), default=0)

    def count_words(self, start: int, end: int) -> int:
        first = self.boundary_before(start)
        return sum(first <= place <= end for place in self.word_ends)

    def skip_words(self, start: int, number: int) -> int:
        first = self.boundary_before(start)
        skipped = 0
        for place in (place for place in self.boundaries if place >= first):
            if skipped == number:
                return place
            skipped += place in self.word_ends
        return self.length


def reference(text: str, raw: dict[str, Any]) -> Spans:
    settings = parse_chunking(raw).to_response()
    walked = Walked(text)
    match settings.pop("strategy"):
        case "word":
            return by_words(walked, settings["max_chunk_size"], settings["overlap"])[0]
        case "sentence":
            return by_sentences(walked, settings["max_chunk_size"], settings["sentence_overlap"])
        case "recursive":
            return recursively(walked, settings["max_chunk_size"], list(settings["separators"]))
        case _:
            return [(0, walked.length)]


def by_words(text: Walked, size: int, overlap: int) -> tuple[Spans, int]:
    """The spans and the words of the last one."""
    spans: Spans = []
    window = following = words = since = 0
    for end in text.word_ends:
        words, since = words + 1, since + 1
        if words >= size:
            spans.append((window, end))
            words = overlap
            if overlap == 0:
                following = end
            window = following
        if since == size - overlap:
            following, since = end, 0
    if words > overlap or not spans:
        spans.append((window, text.length))
        return spans, words
    return spans, size


def by_sentences(text: Walked, size: int, overlap: int) -> Spans:
    spans: Spans = []
    chunk_start = words = previous = previous_words = start = 0
    for end in text.sentence_ends:
        count = text.count_words(start, end)
        if words + count <= size:
            words += count
        else:
            new_words = count
            if words > 0:
                spans.append((chunk_start, start))
                chunk_start = start
                if overlap and previous_words + count <= size:
                    chunk_start, new_words = previous, previous_words + count
                elif overlap:
                    skip = max(0, previous_words - min(size // 2, 20))
                    chunk_start = text.skip_words(previous, skip)
                    new_words = previous_words - skip + count
            words = new_words
            if words > size:
                alone = text.part(chunk_start, end)
                pieces, words = by_words(alone, size, min(20, (size - 1) // 2))
                spans += [(chunk_start + first, chunk_start + last) for first, last in pieces[:-1]]
                chunk_start += pieces[-1][0]
        previous, previous_words, start = start, count, end
    if words or not spans:
        spans.append((chunk_start, text.length))
    return spans


def recursively(text: Walked, size: int, separators: list[str]) -> Spans:
    return _recursively(text, (0, text.length), size, separators)


def _recursively(text: Walked, span: tuple[int, int], size: int, separators: list[str]) -> Spans:
    start, end = span
    if start == end or text.count_words(start, end) <= size:
        return [span]
    alone = str(ChunkedText(utf16_slice(text.text, start, end)))
    if not separators:
        return [(start + a, start + b) for a, b in by_sentences(Walked(alone), size, 0)]
    matches = Separator(separators[0]).starts(alone, TimeLimit.for_length(len(alone)))
    places = [start, *(start + utf16_length(alone[:match]) for match in matches), end]
    pieces = [(a, b) for a, b in pairwise(places) if a < b]
    spans: Spans = []
    first, words = start, text.count_words(*pieces[0])
    for a, b in pieces[1:]:
        if words + text.count_words(a, b) <= size:
            words += text.count_words(a, b)
        else:
            spans += _recursively(text, (first, a), size, separators[1:])
            first, words = a, text.count_words(a, b)
    return spans + _recursively(text, (first, end), size, separators[1:])
