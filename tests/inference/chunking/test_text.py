"""Words, sentences and offsets as ICU and Java see them."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.chunking.span import Span
from inference.chunking.text import ChunkedText
from tests.inference.chunking.support import ANY_TEXT, quickly, utf16_length, utf16_slice


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("can't", 1),
        ("3.14", 1),
        ("12,000.50", 1),
        ("foo_bar", 1),
        ("example.com", 1),
        ("U.S.", 1),
        ("foo-bar", 2),
        ("日本語", 1),
        ("½ ² ②", 0),
        ("  \t ...!", 0),
        ("😀 👍🏽", 0),
        ("𠀀", 1),
        ("々", 0),
        ("a々", 1),
        ("人々", 1),
        ("한국", 1),
        ("한국\u0301", 0),
        ("Ⓐ \u00b8", 2),
        ("\ud800a", 1),
        ("", 0),
    ],
)
def test_words_are_the_segments_that_icu_gives_a_status(text: str, words: int) -> None:
    assert len(ChunkedText(text).word_ends) == words


def test_the_last_dot_of_an_abbreviation_and_a_run_of_blanks_are_segments_of_their_own() -> None:
    assert ChunkedText("U.S.").word_ends.tolist() == [3]
    assert ChunkedText("a    b")._breaks.tolist() == [0, 1, 5, 6]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("Mr. Smith went. He ran.", [4, 16, 23]),
        ("Hello world. next one", [21]),
        ("e.g. this one. OK", [15, 17]),
        ("Title\nFirst line here.", [6, 22]),
        ("A\n\nB c", [2, 3, 6]),
        ("", []),
    ],
)
def test_sentences_end_where_icu_ends_them(text: str, ends: list[int]) -> None:
    assert ChunkedText(text).sentence_ends.tolist() == ends


def test_a_word_that_ends_where_a_piece_begins_is_counted_too() -> None:
    text = ChunkedText("so it\n\nThird one")

    assert text.count_words(5, 16) == 3
    assert text.count_words(0, 5) == 2
    assert text.count_words(6, 16) == 3, "the boundary before the second line break ends a word"
    assert text.count_words(7, 16) == 2


def test_skipped_words_lead_to_the_start_of_the_next_one() -> None:
    text = ChunkedText("One. Aa1 a2 a3 a4")

    assert text.skip_words(5, 0) == 4, "one segment before, the blank"
    assert text.skip_words(5, 2) == 12, "the start of the third word"
    assert text.skip_words(0, 0) == 0


@quickly
@given(ANY_TEXT)
def test_counting_agrees_with_walking_the_boundaries(text: str) -> None:
    chunked = ChunkedText(text)
    words = set(chunked.word_ends.tolist())
    breaks = chunked._breaks.tolist()
    for start in range(0, len(chunked) + 1, 3):
        before = max((place for place in breaks if place < start), default=0)
        for end in range(start, len(chunked) + 1, 7):
            expected = sum(before <= place <= end and place in words for place in breaks)
            assert chunked.count_words(start, end) == expected


@quickly
@given(ANY_TEXT)
def test_offsets_count_utf16_units(text: str) -> None:
    chunked = ChunkedText(text)
    length = utf16_length(text)

    assert len(chunked) == length
    assert chunked._breaks.tolist() == sorted(set(chunked._breaks.tolist()))
    assert [chunked._breaks[0], chunked._breaks[-1]] == [0, length]
    assert chunked.sentence_ends.tolist()[-1:] == [length][: bool(length)]
    for start, end in zip(chunked._breaks[:-1].tolist(), chunked._breaks[1:].tolist(), strict=True):
        assert chunked.texts([Span(start, end)]) == [utf16_slice(text, start, end)]
    indices = list(range(len(str(chunked)) + 1))
    expected = [utf16_length(str(chunked)[:index]) for index in indices]
    np.testing.assert_array_equal(chunked.offsets(indices), expected)


@quickly
@given(ANY_TEXT)
def test_the_words_of_a_span_are_those_it_has_alone(text: str) -> None:
    chunked = ChunkedText(text)
    places = chunked._breaks.tolist()
    for start in places[::2]:
        for end in (place for place in places[::3] if place > start):
            alone = ChunkedText(utf16_slice(text, start, end)).word_ends + start
            assert chunked.word_ends_in(Span(start, end)).tolist() == alone.tolist()


@pytest.mark.parametrize(
    ("run", "boundaries"),
    [
        ("คนนนร", [0, 2, 3, 5]),
        ("ກກາຂ", [0, 1, 3, 4]),
        ("ကစသဘ", [0, 1, 2, 3, 4]),
        ("ខខសស", [0, 1, 2, 4]),
    ],
    ids=["Thai", "Lao", "Burmese", "Khmer"],
)
def test_a_run_without_blanks_that_is_cut_is_divided_anew(run: str, boundaries: list[int]) -> None:
    text = ChunkedText(run)
    assert text._breaks.tolist() == boundaries

    differing = 0
    for start, end in combinations(boundaries, 2):
        alone = (ChunkedText(run[start:end]).word_ends + start).tolist()
        assert text.word_ends_in(Span(start, end)).tolist() == alone
        differing += alone != [place for place in boundaries if start < place <= end]
    assert differing, "the example shows nothing: each part is divided as in the whole"


@quickly
@given(ANY_TEXT, st.integers(1, 9))
def test_the_sentences_of_spans_are_those_each_has_alone(text: str, every: int) -> None:
    chunked = ChunkedText(text)
    places = sorted({*chunked._breaks.tolist()[::every], len(chunked)})
    spans = [Span(start, end) for start, end in pairwise(places)] or [Span(0, len(chunked))]

    expected = []
    for span in spans:
        alone = ChunkedText(utf16_slice(text, span.start, span.end)).sentence_ends
        expected += (alone + span.start).tolist()
    assert chunked.sentence_ends_in(spans).tolist() == expected


@quickly
@given(ANY_TEXT)
def test_texts_are_utf16_slices(text: str) -> None:
    chunked = ChunkedText(text)
    spans = [Span(start, end) for start, end in pairwise(chunked._breaks.tolist())]
    expected = [utf16_slice(text, span.start, span.end) for span in spans]
    assert chunked.texts(spans) == expected
