from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.runner import tokenizer as tokenizing
from inference.runner.tokenizer import CHARACTERS_PER_TOKEN, TextTokenizer, TooLate
from inference.types import Truncation
from tests.tiny import VOCABULARY, write_tiny_model
from tests.tiny import tokenizer as tiny_tokenizer

WINDOW = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> TextTokenizer:
    return TextTokenizer(folder, max_input_tokens=WINDOW)


def tokens(tokenizer: TextTokenizer, text: str) -> tuple[list[str], Truncation | None]:
    (found,) = tokenizer.tokenize((text,))
    return [VOCABULARY[number] for number in found.ids], found.truncation


def test_special_tokens_stand_at_both_ends(tokenizer: TextTokenizer) -> None:
    assert tokens(tokenizer, "the cats") == (["[CLS]", "the", "cat", "##s", "[SEP]"], None)


def test_an_empty_text_is_its_special_tokens(tokenizer: TextTokenizer) -> None:
    assert tokens(tokenizer, "") == (["[CLS]", "[SEP]"], None)


def test_a_text_that_just_fits_is_not_truncated(tokenizer: TextTokenizer) -> None:
    assert tokens(tokenizer, "cat " * (WINDOW - 2)) == (["[CLS]", *["cat"] * 6, "[SEP]"], None)


@pytest.mark.parametrize(("more", "lost"), [("dog", 1), ("cats dog", 3), ("dog " * 100, 100)])
def test_a_longer_text_is_cut_to_the_window_and_says_by_how_much(
    tokenizer: TextTokenizer, more: str, lost: int
) -> None:
    kept = ["[CLS]", *["cat"] * 6, "[SEP]"]

    assert tokens(tokenizer, "cat " * 6 + more) == (kept, Truncation(WINDOW, lost))


def test_a_very_long_text_gives_the_same_tokens_as_its_start(tokenizer: TextTokenizer) -> None:
    ids, _ = tokens(tokenizer, "cat dog " * CHARACTERS_PER_TOKEN * WINDOW)

    assert ids == tokens(tokenizer, "cat dog " * WINDOW)[0]


def test_a_very_long_text_is_not_counted_to_its_end_and_says_so(tokenizer: TextTokenizer) -> None:
    """The head ends at the first blank behind its length: the word there still belongs to it."""
    words = 1 + CHARACTERS_PER_TOKEN * WINDOW // 4

    _, counted = tokens(tokenizer, "cat" + " cat" * (words - 1))
    _, uncounted = tokens(tokenizer, "cat" + " cat" * words)

    assert counted == Truncation(WINDOW, words + 2 - WINDOW)
    assert uncounted == Truncation(WINDOW, words + 2 - WINDOW, is_exact=False)


@given(
    st.lists(st.sampled_from((*VOCABULARY[4:], "zürich", "cats", "!", "  \n", "")), max_size=40),
    st.sampled_from([1, 4 * CHARACTERS_PER_TOKEN]),
)
def test_what_is_read_is_the_start_of_the_whole_text(
    tokenizer: TextTokenizer, words: list[str], repeats: int
) -> None:
    """However long a text: the window's worth of its tokens, between the special ones."""
    text = " ".join(words * repeats)
    whole = tiny_tokenizer().encode(text).ids

    (found,) = tokenizer.tokenize((text,))

    if len(whole) <= WINDOW:
        assert found.ids.tolist() == whole
        assert found.truncation is None
    else:
        assert found.ids.tolist() == [*whole[: WINDOW - 1], whole[-1]]
        assert found.truncation
        assert found.truncation.read_tokens == len(found.ids) == WINDOW
        lost = len(whole) - WINDOW
        assert 0 < found.truncation.lost_tokens <= lost
        assert not found.truncation.is_exact or found.truncation.lost_tokens == lost


def test_blanks_and_one_endless_word_at_the_start_hide_nothing(tokenizer: TextTokenizer) -> None:
    """The head of a long text may hold fewer tokens than the window: then all of it counts."""
    blanks = " " * 10 * CHARACTERS_PER_TOKEN * WINDOW
    endless = "x" * 10 * CHARACTERS_PER_TOKEN * WINDOW

    assert tokens(tokenizer, f"{blanks}cat") == (["[CLS]", "cat", "[SEP]"], None)
    assert tokens(tokenizer, f"{endless} cat") == (["[CLS]", "[UNK]", "cat", "[SEP]"], None)


def at_least_one(read: int) -> Truncation:
    """What is lost of a text that was not read to its end."""
    return Truncation(read, 1, is_exact=False)


def test_no_text_is_read_without_end(
    tokenizer: TextTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenizing, "LONGEST_READ", 2000)

    assert tokens(tokenizer, "x" * 2000 + " cat") == (["[CLS]", "[UNK]", "[SEP]"], at_least_one(3))
    assert tokens(tokenizer, " " * 2000 + "cat") == (["[CLS]", "[SEP]"], at_least_one(2))
    assert tokens(tokenizer, " " * 3000) == (["[CLS]", "[SEP]"], None)
    assert tokens(tokenizer, "x" * 1990 + " cat") == (["[CLS]", "[UNK]", "cat", "[SEP]"], None)


def test_texts_read_in_groups_keep_their_order(
    tokenizer: TextTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenizing, "GROUP_CHARACTERS", 7)

    found = tokenizer.tokenize(["cat", "", "dog sat on", "sky", "port"])

    words = [[VOCABULARY[number] for number in one.ids[1:-1]] for one in found]
    assert words == [["cat"], [], ["dog", "sat", "on"], ["sky"], ["port"]]


def test_reading_ends_when_nobody_waits_for_it_any_more(tokenizer: TextTokenizer) -> None:
    with pytest.raises(TooLate):
        tokenizer.tokenize(["cat"], deadline=0.0)


def test_the_vocabulary_is_in_the_order_of_the_ids(tokenizer: TextTokenizer) -> None:
    assert tokenizer.vocabulary == list(VOCABULARY)
