"""Chunks of a fixed number of words."""

import numpy as np

from inference.chunking.settings import WordChunking
from inference.chunking.span import Span
from inference.chunking.text import ChunkedText


def chunk_by_words(text: ChunkedText, settings: WordChunking) -> list[Span]:
    """Spans that end right after a word; the last one runs to the end of the text.

    Unless the last word completes a chunk: what follows that word is then in no chunk.
    """
    return split_words(text, settings.max_chunk_size, settings.overlap)[0]


def split_words(text: ChunkedText, max_words: int, overlap: int) -> tuple[list[Span], int]:
    """The spans, never none of them, and the number of words in the last one.

    overlap: how many words a span repeats of the one before; 0 <= overlap < max_words.
    """
    word_ends, step = text.word_ends, max_words - overlap
    total = len(word_ends)
    if total < max_words:
        return [Span(0, len(text))], total
    # The numbers of the words that complete a chunk, counted from 1.
    last_words = np.arange(max_words, total + 1, step)
    # A chunk may begin after every step-th word; an overlap of 0 begins it right where the one
    # before ended, otherwise only starts before that last word are known by then.
    first_words = (last_words - 1) // step * step if overlap else last_words
    ends = word_ends[last_words - 1].tolist()
    starts = [0, *word_ends[first_words - 1].tolist()]
    spans = list(map(Span, starts, ends))
    remaining = total - int(last_words[-1])
    if not remaining:
        return spans, max_words
    return [*spans, Span(starts[-1], len(text))], overlap + remaining
