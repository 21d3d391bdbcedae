"""Chunks of whole sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.chunking.text import ChunkedText
from tests.inference.chunking.reference import Walked, by_sentences
from tests.inference.chunking.support import offsets, quickly

CATS = (
    "Cats sleep all day long. Dogs run in the park every single morning. "
    "Birds sing songs at dawn. Fish swim in cold deep water. Cows graze."
)
LONG = f"Short start here. {' '.join(f'w{n}' for n in range(1, 46))}. End bit."
TRIMMED = (
    f"Aa1 {' '.join(f'a{n}' for n in range(2, 16))}. "
    f"Bb1 {' '.join(f'b{n}' for n in range(2, 9))}. Cc1 c2 c3."
)


def cut(text: str, overlap: int) -> list[list[int]]:
    return offsets(text, "sentence", max_chunk_size=20, sentence_overlap=overlap)


def test_the_example_has_five_sentences_of_known_length() -> None:
    text = ChunkedText(CATS)
    ends = text.sentence_ends.tolist()

    assert ends == [25, 68, 94, 124, 135]
    counts = [text.count_words(*bounds) for bounds in zip([0, *ends[:-1]], ends, strict=True)]
    assert counts == [5, 8, 5, 6, 2]


def test_sentences_join_until_the_next_one_does_not_fit() -> None:
    assert cut(CATS, 0) == [[0, 94], [94, 135]]


def test_a_chunk_repeats_the_last_sentence_before_it() -> None:
    assert cut(CATS, 1) == [[0, 94], [68, 135]]


@pytest.mark.parametrize("overlap", [0, 1])
def test_a_long_sentence_is_split_and_the_next_one_joins_its_last_piece(overlap: int) -> None:
    assert len(LONG) == 198
    assert ChunkedText(LONG).sentence_ends.tolist() == [190, 198]
    assert cut(LONG, overlap) == [[0, 76], [41, 120], [84, 164], [128, 198]]


def test_an_overlap_that_does_not_fit_keeps_the_end_of_the_sentence() -> None:
    assert ChunkedText(TRIMMED).sentence_ends.tolist() == [53, 79, 89]
    assert cut(TRIMMED, 0) == [[0, 53], [53, 89]]
    assert cut(TRIMMED, 1) == [[0, 53], [16, 79], [53, 89]]
    assert TRIMMED[16:].startswith("a6")


def test_an_untrimmed_overlap_that_does_not_fit_begins_with_the_blank_before_it() -> None:
    first, second = "Aa b c d e f g h. ", "Bb c d e f g h i. "
    third = "Cc d e f g h i j k l m n o. "
    text = first + second + third

    assert cut(text, 1)[1][0] == len(first) - 1


@pytest.mark.parametrize("text", ["", "  ", "\n\n\n", "!?", "😀"])
def test_a_text_without_words_is_one_chunk(text: str) -> None:
    assert cut(text, 1) == [[0, len(text.encode("utf-16-le")) // 2]]


@quickly
@given(st.lists(st.integers(1, 30), max_size=12), st.integers(20, 50), st.integers(0, 1))
def test_sentences_of_any_length_follow_the_rules(
    lengths: list[int], size: int, overlap: int
) -> None:
    text = " ".join(f"Aa{' b' * (length - 1)}." for length in lengths)
    found = offsets(text, "sentence", max_chunk_size=size, sentence_overlap=overlap)
    assert list(map(tuple, found)) == by_sentences(Walked(text), size, overlap)


def test_an_overlap_that_fits_exactly_is_kept_whole() -> None:
    text = f"Aa b c. Bb{' b' * 9}. Cc{' c' * 9}."
    assert cut(text, 1)[1][0] == len("Aa b c. ")


def test_a_last_piece_that_is_full_takes_no_further_sentence() -> None:
    text = f"Aa{' b' * 30}. Cc."
    # 31 words: pieces of 20 that repeat 9, so the second one is full with the last word.
    assert cut(text, 0) == [[0, 40], [22, 64], [64, 67]]
