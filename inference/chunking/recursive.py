"""Chunks cut at the first separator, where still too large at the next one, and so on."""

from collections.abc import Iterator

import numpy as np

from inference.arrays import IntArray
from inference.chunking.sentence import chunk_by_sentences
from inference.chunking.separator import Separator, TimeLimit
from inference.chunking.settings import RecursiveChunking, SentenceChunking
from inference.chunking.span import Span
from inference.chunking.text import ChunkedText


def chunk_recursively(text: ChunkedText, settings: RecursiveChunking) -> list[Span]:
    """Spans without overlap that cover the text; a separator begins the span after it.

    Raises InvalidArgument if a separator is no valid expression or takes too long.
    """
    separators = [Separator(pattern) for pattern in settings.separators]
    limit = TimeLimit.for_length(len(text))
    whole = Span(0, len(text))
    words = text.count_words(0, len(text))
    spans: list[Span] = []
    parts = [(whole, words, 0)]
    while parts:
        span, words, level = parts.pop()
        if words <= settings.max_chunk_size:
            spans.append(span)
        elif level == len(separators):
            sentences = SentenceChunking(max_chunk_size=settings.max_chunk_size, sentence_overlap=0)
            for inner in chunk_by_sentences(text.part(span.start, span.end), sentences):
                spans.append(inner.moved(span.start))
        else:
            cut = _split(text, span, separators[level], limit)
            merged = _merge(text, cut, settings.max_chunk_size)
            parts += ((piece, count, level + 1) for piece, count in reversed(list(merged)))
    return spans


def _split(text: ChunkedText, span: Span, separator: Separator, limit: TimeLimit) -> IntArray:
    """The places that cut the span, both of its ends included. At least one piece, none empty.

    The span is searched for itself: a look-behind sees nothing before its start.
    """
    part = text.part(span.start, span.end)
    matches = part.offsets(separator.starts(str(part), limit))
    return np.unique(np.concatenate([[0], matches, [len(part)]])).astype(np.int32) + span.start


def _merge(text: ChunkedText, cuts: IntArray, max_words: int) -> Iterator[tuple[Span, int]]:
    """Join neighbours from the left while the sum of their words stays within the limit.

    Yields each piece with its words; where they are too many it is a piece that was not joined.
    """
    counts = text.count_words_each(cuts[:-1], cuts[1:]).tolist()
    places = cuts.tolist()
    start, words = places[0], counts[0]
    for place, count in zip(places[1:-1], counts[1:], strict=True):
        if words + count <= max_words:
            words += count
        else:
            yield Span(start, place), words
            start, words = place, count
    yield Span(start, places[-1]), words
