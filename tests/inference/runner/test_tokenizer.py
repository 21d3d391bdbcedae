from pathlib import Path

import pytest

from inference.runner.tokenizer import CHARACTERS_PER_TOKEN, TextTokenizer
from tests.tiny import VOCABULARY, write_tiny_model

WINDOW = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> TextTokenizer:
    return TextTokenizer(folder, max_input_tokens=WINDOW)


def tokens(tokenizer: TextTokenizer, text: str) -> tuple[list[str], bool]:
    (found,) = tokenizer.tokenize((text,))
    return [VOCABULARY[number] for number in found.ids], found.is_truncated


def test_special_tokens_stand_at_both_ends(tokenizer: TextTokenizer) -> None:
    assert tokens(tokenizer, "the cats") == (["[CLS]", "the", "cat", "##s", "[SEP]"], False)


def test_an_empty_text_is_its_special_tokens(tokenizer: TextTokenizer) -> None:
    assert tokens(tokenizer, "") == (["[CLS]", "[SEP]"], False)


def test_a_text_that_just_fits_is_not_truncated(tokenizer: TextTokenizer) -> None:
    assert tokens(tokenizer, "cat " * (WINDOW - 2)) == (["[CLS]", *["cat"] * 6, "[SEP]"], False)


def test_a_longer_text_is_cut_to_the_window_and_says_so(tokenizer: TextTokenizer) -> None:
    assert tokens(tokenizer, "cat " * 6 + "dog") == (["[CLS]", *["cat"] * 6, "[SEP]"], True)


def test_a_very_long_text_gives_the_same_tokens_as_its_start(tokenizer: TextTokenizer) -> None:
    text = "cat dog " * CHARACTERS_PER_TOKEN * WINDOW

    assert tokens(tokenizer, text) == tokens(tokenizer, "cat dog " * WINDOW)


def test_blanks_and_one_endless_word_at_the_start_hide_nothing(tokenizer: TextTokenizer) -> None:
    """The head of a long text may hold fewer tokens than the window: then all of it counts."""
    blanks = " " * 10 * CHARACTERS_PER_TOKEN * WINDOW
    endless = "x" * 10 * CHARACTERS_PER_TOKEN * WINDOW

    assert tokens(tokenizer, f"{blanks}cat") == (["[CLS]", "cat", "[SEP]"], False)
    assert tokens(tokenizer, f"{endless} cat") == (["[CLS]", "[UNK]", "cat", "[SEP]"], False)


def test_the_vocabulary_is_in_the_order_of_the_ids(tokenizer: TextTokenizer) -> None:
    assert tokenizer.vocabulary == list(VOCABULARY)
