"""Chunks of whole sentences, as many as fit."""

from collections.abc import Iterator, Sequence

import numpy as np

from inference.chunking.settings import SentenceChunking
from inference.chunking.span import Span
from inference.chunking.text import ChunkedText
from inference.chunking.word import split_words

MAX_OVERLAP_WORDS = 20

Sentence = tuple[int, int, int]  # start, end, number of words


def chunk_by_sentences(text: ChunkedText, settings: SentenceChunking) -> list[Span]:
    """Spans of sentences; one that is too long for a chunk is split between words.

    With sentence_overlap 1 a chunk begins with the last sentence of the one before, or with the
    end of that sentence where the whole of it does not fit.
    """
    whole = Span(0, len(text))
    return _join(text, whole, _sentences(text, [whole]), settings)


def chunk_each_by_sentences(
    text: ChunkedText, spans: Sequence[Span], max_words: int
) -> Iterator[Span]:
    """The chunks of each span taken alone, without overlap; the spans come in order."""
    settings = SentenceChunking(max_chunk_size=max_words, sentence_overlap=0)
    divided = [span for span in spans if text.divides(span)]
    sentences = _sentences(text, divided) if divided else iter(())
    for span in spans:
        if text.divides(span):
            yield from _join(text, span, sentences, settings)
        else:
            alone = ChunkedText(*text.texts([span]))
            yield from (inner.moved(span.start) for inner in chunk_by_sentences(alone, settings))


def _join(
    text: ChunkedText, span: Span, sentences: Iterator[Sentence], settings: SentenceChunking
) -> list[Span]:
    """The chunks of a span, from its sentences, which are taken from the iterator."""
    max_words, has_overlap = settings.max_chunk_size, settings.sentence_overlap > 0
    split_overlap = min(MAX_OVERLAP_WORDS, (max_words - 1) // 2)
    spans: list[Span] = []
    chunk_start = previous_start = span.start
    words = previous_words = 0
    for start, end, own_words in sentences:
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
                too_long = Span(chunk_start, end)
                pieces, words = split_words(text, too_long, max_words, split_overlap)
                spans += pieces[:-1]
                chunk_start = pieces[-1].start
        if end == span.end:
            break
        previous_start, previous_words = start, own_words
    if words or not spans:
        spans.append(Span(chunk_start, span.end))
    return spans


def _sentences(text: ChunkedText, spans: Sequence[Span]) -> Iterator[Sentence]:
    """The sentences of all the spans in order, each span taken alone."""
    ends = text.sentence_ends_in(spans)
    firsts = np.array([span.start for span in spans], np.int32)
    lasts = np.array([span.end for span in spans], np.int32)
    floors = firsts[np.searchsorted(lasts, ends)]
    starts = np.concatenate([np.zeros(1, np.int32), ends])[: len(ends)]
    starts = np.maximum(starts, floors)
    counts = text.count_words_each(starts, ends, floors)
    return zip(starts.tolist(), ends.tolist(), counts.tolist(), strict=True)
