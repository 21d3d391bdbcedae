"""Chunks of a fixed number of words."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.chunking.span import Span
from inference.chunking.text import ChunkedText
from inference.chunking.word import split_words
from tests.inference.chunking.reference import Walked, by_words
from tests.inference.chunking.support import ANY_TEXT, offsets, quickly

NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty twenty-one, done."
)


def test_chunks_end_right_after_a_word_and_repeat_the_overlap() -> None:
    assert len(NUMBERS) == 149
    assert offsets(NUMBERS, "word", max_chunk_size=10, overlap=3) == [[0, 48], [33, 106], [80, 149]]
    assert NUMBERS[33:106].startswith(" eight nine ten")
    assert NUMBERS[33:106].endswith("seventeen")


def test_half_of_each_chunk_may_be_repeated() -> None:
    expected = [[0, 48], [23, 88], [48, 131], [88, 149]]
    assert offsets(NUMBERS, "word", max_chunk_size=10, overlap=5) == expected


def test_without_overlap_each_chunk_begins_where_the_last_one_ended() -> None:
    spans, last = split(ChunkedText(NUMBERS), 10, 0)

    assert spans == [(0, 48), (48, 131), (131, 149)]
    assert last == 3


@pytest.mark.parametrize("text", ["Alpha beta gamma.", "", "   \n ", "😀😀"])
def test_a_short_or_blank_text_is_one_chunk(text: str) -> None:
    length = len(text.encode("utf-16-le")) // 2
    assert offsets(text, "word", max_chunk_size=10, overlap=3) == [[0, length]]


def test_what_follows_a_word_that_completes_the_last_chunk_is_in_no_chunk() -> None:
    text = NUMBERS[:48] + " ..."
    assert offsets(text, "word", max_chunk_size=10, overlap=3) == [[0, 48]]


def split(text: ChunkedText, size: int, overlap: int) -> tuple[list[tuple[int, int]], int]:
    spans, last = split_words(text, Span(0, len(text)), size, overlap)
    return [(span.start, span.end) for span in spans], last


@quickly
@given(ANY_TEXT, st.integers(10, 24), st.data())
def test_any_text_is_cut_as_if_walked_word_by_word(
    text: str, size: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, size // 2))
    spans, last = split(ChunkedText(text), size, overlap)

    assert (spans, last) == by_words(Walked(text), size, overlap)
    ends = ChunkedText(text).word_ends
    counts = [int(((ends > start) & (ends <= end)).sum()) for start, end in spans]
    assert counts[:-1] == [size] * (len(spans) - 1)
    assert counts[-1] == last <= size
    for (_, before), (after, _) in pairwise(spans):
        assert int(((ends > after) & (ends <= before)).sum()) == overlap
