"""Chunks cut at the first separator, where still too large at the next one, and so on."""

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from operator import attrgetter

import numpy as np

from inference.chunking.sentence import chunk_each_by_sentences
from inference.chunking.separator import Separator, TimeLimit
from inference.chunking.settings import RecursiveChunking
from inference.chunking.span import Span
from inference.chunking.text import ChunkedText


def chunk_recursively(text: ChunkedText, settings: RecursiveChunking) -> list[Span]:
    """Spans without overlap that cover the text; a separator begins the span after it.

    Raises InvalidArgument if a separator is no valid expression or takes too long.
    """
    separators = [Separator(pattern) for pattern in settings.separators]
    limit = TimeLimit.for_length(len(text))
    max_words = settings.max_chunk_size
    spans: list[Span] = []
    too_large = [Span(0, len(text))]
    if text.count_words(0, len(text)) <= max_words:
        return too_large
    for separator in separators:
        if not too_large:
            break
        cuts = _cuts(text, too_large, separator, limit)
        too_large = []
        for piece, words in _merged(text, cuts, max_words):
            (spans if words <= max_words else too_large).append(piece)
    spans += chunk_each_by_sentences(text, too_large, max_words)
    return sorted(spans, key=attrgetter("start"))


def _cuts(
    text: ChunkedText, spans: Sequence[Span], separator: Separator, limit: TimeLimit
) -> list[list[int]]:
    """The places that cut each span, both of its ends included. At least one piece, none empty.

    Each span is searched for itself: a look-behind sees nothing before its start.
    """
    found = [separator.starts(own_text, limit) for own_text in text.texts(spans)]
    firsts = text.indices([span.start for span in spans]).tolist()
    positions = [
        first + start for first, starts in zip(firsts, found, strict=True) for start in starts
    ]
    places = iter(text.offsets(positions).tolist())
    cuts = []
    for span, starts in zip(spans, found, strict=True):
        inner = (place for place in islice(places, len(starts)) if span.start < place < span.end)
        cuts.append([span.start, *inner, span.end])
    return cuts


def _merged(
    text: ChunkedText, cuts: Sequence[Sequence[int]], max_words: int
) -> Iterator[tuple[Span, int]]:
    """Join neighbours from the left while the sum of their words stays within the limit.

    Yields each piece with its words; where they are too many it is a piece that was not joined.
    """
    pieces = [piece for places in cuts for piece in pairwise(places)]
    starts, ends = np.array(pieces, np.int32).T
    counts = iter(text.count_words_each(starts, ends).tolist())
    for places in cuts:
        start, words = places[0], next(counts)
        for place, count in zip(places[1:-1], counts, strict=False):
            if words + count <= max_words:
                words += count
            else:
                yield Span(start, place), words
                start, words = place, count
        yield Span(start, places[-1]), words
