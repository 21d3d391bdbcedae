"""Chunks of whole sentences, as many as fit."""

import numpy as np

from inference.chunking.settings import SentenceChunking
from inference.chunking.span import Span
from inference.chunking.text import ChunkedText
from inference.chunking.word import split_words

MAX_OVERLAP_WORDS = 20


def chunk_by_sentences(text: ChunkedText, settings: SentenceChunking) -> list[Span]:
    """Spans of sentences; one that is too long for a chunk is split between words.

    With sentence_overlap 1 a chunk begins with the last sentence of the one before, or with the
    end of that sentence where the whole of it does not fit.
    """
    max_words, has_overlap = settings.max_chunk_size, settings.sentence_overlap > 0
    split_overlap = min(MAX_OVERLAP_WORDS, (max_words - 1) // 2)
    spans: list[Span] = []
    chunk_start = words = previous_start = previous_words = 0
    for start, end, own_words in _sentences(text):
        if words + own_words <= max_words:
            words += own_words
        else:
            if words == 0:
                words = own_words
            else:
                spans.append(Span(chunk_start, start))
                if not has_overlap:
                    chunk_start, words = start, own_words
                elif previous_words + own_words <= max_words:
                    chunk_start, words = previous_start, previous_words + own_words
                else:
                    kept = min(max_words // 2, MAX_OVERLAP_WORDS, previous_words)
                    chunk_start = text.skip_words(previous_start, previous_words - kept)
                    words = kept + own_words
            if words > max_words:
                pieces, words = split_words(text.part(chunk_start, end), max_words, split_overlap)
                spans += (piece.moved(chunk_start) for piece in pieces[:-1])
                chunk_start += pieces[-1].start
        previous_start, previous_words = start, own_words
    if words or not spans:
        spans.append(Span(chunk_start, len(text)))
    return spans


def _sentences(text: ChunkedText) -> list[tuple[int, int, int]]:
    """(start, end, number of words) of each sentence."""
    ends = text.sentence_ends
    starts = np.concatenate([np.zeros(1, np.int32), ends[:-1]])[: len(ends)]
    counts = text.count_words_each(starts, ends)
    return list(zip(starts.tolist(), ends.tolist(), counts.tolist(), strict=True))
