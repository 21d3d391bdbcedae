"""Chunks of a fixed number of words."""

from inference.chunking.settings import WordChunking
from inference.chunking.span import Span
from inference.chunking.text import ChunkedText


def chunk_by_words(text: ChunkedText, settings: WordChunking) -> list[Span]:
    """Spans that end right after a word; the last one runs to the end of the text.

    Unless the last word completes a chunk: what follows that word is then in no chunk.
    """
    whole = Span(0, len(text))
    return split_words(text, whole, settings.max_chunk_size, settings.overlap)[0]


def split_words(
    text: ChunkedText, span: Span, max_words: int, overlap: int
) -> tuple[list[Span], int]:
    """The chunks of a span taken alone, at least one, and the number of words in the last one.

    overlap: how many words a chunk repeats of the one before; 0 <= overlap < max_words.
    """
    word_ends, step = text.word_ends_in(span), max_words - overlap
    total = len(word_ends)
    if total < max_words:
        return [span], total
    # The words that complete a chunk, and those after which the next one begins: that may be
    # after every step-th word; an overlap of 0 begins it right where the one before ended,
    # otherwise only starts before that last word are known by then.
    ends = word_ends[max_words - 1 :: step].tolist()
    first = (max_words - 1) // step * step if overlap else max_words
    starts = [span.start, *word_ends[first - 1 :: step].tolist()]
    spans = list(map(Span, starts, ends))
    remaining = (total - max_words) % step
    if not remaining:
        return spans, max_words
    return [*spans, Span(starts[len(spans)], span.end)], overlap + remaining
