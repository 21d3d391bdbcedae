"""What holds for every strategy and every text."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from inference.chunking import chunk, chunk_texts
from inference.chunking.settings import parse_chunking
from inference.chunking.text import ChunkedText
from tests.inference.chunking.reference import Walked, reference
from tests.inference.chunking.support import (
    ANY_TEXT,
    offsets,
    quickly,
    utf16_length,
    utf16_slice,
)

SETTINGS: list[dict[str, Any]] = [
    {"strategy": "none"},
    {"strategy": "word", "max_chunk_size": 10, "overlap": 3},
    {"strategy": "sentence", "max_chunk_size": 20, "sentence_overlap": 0},
    {"strategy": "sentence", "max_chunk_size": 20, "sentence_overlap": 1},
    {"strategy": "recursive", "max_chunk_size": 10, "separator_group": "plaintext"},
    {"strategy": "recursive", "max_chunk_size": 10, "separator_group": "markdown"},
    {"strategy": "recursive", "max_chunk_size": 10, "separators": ["[.。]", r"\B", "(?=\n)"]},
]
each_setting = pytest.mark.parametrize("raw", SETTINGS, ids=str)


@each_setting
@quickly
@given(text=ANY_TEXT)
def test_chunks_are_in_order_and_cover_the_text(raw: dict[str, Any], text: str) -> None:
    spans = chunk(text, parse_chunking(raw))

    assert spans == chunk(text, parse_chunking(raw)), "the same every time"
    assert spans[0].start == 0
    assert all(span.start < span.end for span in spans) or not text
    for before, after in pairwise(spans):
        assert after.start <= before.end < after.end
        # An overlap that is kept whole although it does not fit begins one segment too early, so
        # a chunk that is a single sentence may be repeated with the blank before it.
        earliest = before.start + 1
        if raw.get("sentence_overlap"):
            earliest = Walked(text).boundary_before(before.start)
        assert after.start >= earliest
    left_out = utf16_slice(text, spans[-1].end, utf16_length(text))
    assert len(ChunkedText(left_out).word_ends) == 0
    if raw["strategy"] != "word":
        assert left_out == ""


@each_setting
@quickly
@given(text=ANY_TEXT)
def test_chunk_texts_are_utf16_slices(raw: dict[str, Any], text: str) -> None:
    spans = chunk(text, parse_chunking(raw))

    expected = [utf16_slice(text, span.start, span.end) for span in spans]
    assert chunk_texts(text, spans) == expected


@each_setting
@quickly
@given(text=ANY_TEXT)
def test_chunks_are_those_of_the_rules_followed_one_by_one(raw: dict[str, Any], text: str) -> None:
    spans = [(span.start, span.end) for span in chunk(text, parse_chunking(raw))]
    assert spans == reference(text, raw)


@pytest.mark.parametrize("raw", SETTINGS[1:], ids=str)
@quickly
@given(text=ANY_TEXT)
def test_no_chunk_holds_more_words_than_allowed(raw: dict[str, Any], text: str) -> None:
    """Counted in the text or in the chunk alone: where a cut halves a word, they differ."""
    spans = chunk(text, parse_chunking(raw))
    word_ends = ChunkedText(text).word_ends
    for span, piece in zip(spans, chunk_texts(text, spans), strict=True):
        inside = np.count_nonzero((word_ends > span.start) & (word_ends <= span.end))
        assert min(inside, len(ChunkedText(piece).word_ends)) <= raw["max_chunk_size"]


@quickly
@given(ANY_TEXT)
def test_none_is_one_chunk(text: str) -> None:
    assert offsets(text, "none") == [[0, utf16_length(text)]]


def test_an_emoji_counts_two() -> None:
    text = "😀 One. " * 21
    spans = chunk(text, parse_chunking(SETTINGS[2]))

    assert [(span.start, span.end) for span in spans] == [(0, 160), (160, 168)]
    assert chunk_texts(text, spans) == ["😀 One. " * 20, "😀 One. "]
