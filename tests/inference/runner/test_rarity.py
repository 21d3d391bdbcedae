import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.runner.rarity import SINGLE_CHARACTER_RARITY, token_rarity

VOCABULARY = ["[PAD]", "[unused0]", "[CLS]", "!", "[", "a", "b", "7", "the", "of", "##s", "cat"]
VOCABULARY += ["##!", "##metric", "zygote"]


def rarity_of(token: str) -> float:
    return float(token_rarity(VOCABULARY)[VOCABULARY.index(token)])


def test_a_later_word_or_piece_is_rarer() -> None:
    ranked = [rarity_of(token) for token in ("the", "of", "##s", "cat", "##metric", "zygote")]

    assert ranked == sorted(ranked)
    assert len(set(ranked)) == 6
    assert ranked[0] > 0
    assert ranked[-1] == 1


def test_rarity_grows_with_the_logarithm_of_the_rank() -> None:
    words = ["the", "of", "and", "cat", "dog", "elk", "zygote"]

    expected = np.log([2, 3, 4, 5, 6, 7, 8]) / np.log(8)

    np.testing.assert_allclose(token_rarity(words), expected, rtol=1e-6)


def test_special_tokens_and_punctuation_say_nothing() -> None:
    assert [rarity_of(t) for t in ("[PAD]", "[unused0]", "[CLS]", "!", "[", "##!")] == [0] * 6


def test_single_characters_have_no_rank_and_get_a_middle_value() -> None:
    assert rarity_of("b") == rarity_of("7") == np.float32(SINGLE_CHARACTER_RARITY)


def test_the_article_is_as_common_as_the_most_common_word() -> None:
    assert rarity_of("a") == rarity_of("the")


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.text(min_size=1)))
def test_rarity_lies_between_0_and_1_for_any_vocabulary(vocabulary: list[str]) -> None:
    rarity = token_rarity(vocabulary)

    assert rarity.shape == (len(vocabulary),)
    assert rarity.dtype == np.float32
    assert ((rarity >= 0) & (rarity <= 1)).all()
