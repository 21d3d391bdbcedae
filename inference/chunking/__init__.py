"""Cuts a text into the spans that are embedded one by one."""

from inference.chunking.recursive import chunk_recursively
from inference.chunking.sentence import chunk_by_sentences
from inference.chunking.settings import (
    ChunkingSettings,
    RecursiveChunking,
    SentenceChunking,
    WordChunking,
)
from inference.chunking.span import Span
from inference.chunking.text import ChunkedText
from inference.chunking.word import chunk_by_words

__all__ = ["Span", "chunk", "chunk_read", "chunk_texts"]


def chunk(text: str, settings: ChunkingSettings) -> list[Span]:
    """The spans of the text's chunks in order, at least one; offsets in UTF-16 code units.

    Raises InvalidArgument if a separator of the settings cannot be used.
    """
    return chunk_read(ChunkedText(text), settings)


def chunk_read(chunked: ChunkedText, settings: ChunkingSettings) -> list[Span]:
    """The same for a text whose boundaries somebody wants to go on using."""
    match settings:
        case WordChunking():
            return chunk_by_words(chunked, settings)
        case SentenceChunking():
            return chunk_by_sentences(chunked, settings)
        case RecursiveChunking():
            return chunk_recursively(chunked, settings)
        case _:
            return [Span(0, len(chunked))]


def chunk_texts(text: str, spans: list[Span]) -> list[str]:
    """The text of each span, whitespace kept."""
    return ChunkedText(text).texts(spans)
