import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.runner.encoded import EncodedText
from inference.runner.rarity import token_rarity
from inference.runner.sparse import MAX_NEIGHBORS, MAX_TOKENS, NEIGHBOR_SHARE, SparseExpansion

# By cosine, the nearest to "cat" are "##cat" 1, "cats" 0.9, "kitten" 0.5, and "tail" 0.3.
EMBEDDINGS = {
    "[PAD]": (0.0, 0.0, 0.0, 0.0),
    "[CLS]": (1.0, 0.0, 0.0, 0.0),
    "!": (1.0, 0.0, 0.0, 0.0),
    "the": (0.0, 0.0, 1.0, 0.0),
    "cat": (2.0, 0.0, 0.0, 0.0),
    "cats": (0.9, 0.43589, 0.0, 0.0),
    "kitten": (0.5, 0.86603, 0.0, 0.0),
    "tail": (0.3, 0.0, 0.0, 0.95394),
    "##cat": (1.0, 0.0, 0.0, 0.0),
    "zygote": (0.0, -1.0, 0.0, 0.0),
}
VOCABULARY = list(EMBEDDINGS)
RARITY = token_rarity(VOCABULARY)


def expansion() -> SparseExpansion:
    embeddings = np.array(list(EMBEDDINGS.values()), np.float32)
    return SparseExpansion(VOCABULARY, embeddings, RARITY)


def text(*tokens: str, strength: float = 1.0) -> EncodedText:
    ids = [VOCABULARY.index(token) for token in tokens]
    return EncodedText(np.array(ids, np.int32), np.full((len(ids), 3), strength, np.float32))


def weights(*tokens: str, strength: float = 1.0) -> dict[str, float]:
    return expansion().weights(text(*tokens, strength=strength))


def test_the_tokens_of_the_text_come_with_the_rarest_first() -> None:
    assert list(weights("the", "zygote")) == ["zygote", "the"]


def test_special_tokens_and_punctuation_have_no_weight() -> None:
    assert list(weights("[CLS]", "the", "!", "zygote")) == ["zygote", "the"]


def test_a_text_without_words_has_no_weights() -> None:
    assert weights("[CLS]", "!", "!") == {}


def test_a_token_weighs_by_the_length_of_its_state() -> None:
    strong, weak = weights("zygote", strength=1.0), weights("zygote", strength=0.25)

    # The square root: the other text has one too.
    assert weak["zygote"] * 2 == pytest.approx(strong["zygote"], abs=1e-5)


def test_a_token_takes_its_strength_from_where_it_speaks_loudest() -> None:
    twice = text("zygote", "zygote", "the")
    twice.states[0] = 0.01

    weight = expansion().weights(twice)["zygote"]

    assert weight == weights("zygote", "zygote", "the")["zygote"]


def test_a_second_occurrence_adds_less_than_the_first() -> None:
    once = weights("zygote", "the")["zygote"]
    twice = weights("zygote", "zygote")["zygote"]

    assert once < twice < 2 * once


def test_a_token_weighs_less_in_a_longer_text() -> None:
    assert weights("zygote", *["the"] * 50)["zygote"] < weights("zygote", "the")["zygote"]


def test_near_words_join_with_a_share_by_their_similarity() -> None:
    result = weights("cat")

    assert list(result) == ["cat", "cats", "kitten"]
    np.testing.assert_allclose(result["cats"], NEIGHBOR_SHARE * 0.9 * result["cat"], rtol=1e-4)
    np.testing.assert_allclose(result["kitten"], NEIGHBOR_SHARE * 0.5 * result["cat"], rtol=1e-4)


def test_distant_words_pieces_and_special_tokens_do_not_join() -> None:
    assert not {"tail", "zygote", "##cat", "[CLS]", "!"} & set(weights("cat"))


def test_a_piece_of_a_word_brings_no_neighbors() -> None:
    assert list(weights("##cat")) == ["##cat"]


def test_a_word_of_the_text_keeps_its_own_weight_beside_a_neighbor() -> None:
    both, alone = weights("cat", "cats"), weights("the", "cats")

    assert both["cats"] == alone["cats"]


def test_of_several_claims_on_a_word_the_strongest_holds() -> None:
    faint_plural = text("cat", "kitten", "cats")
    faint_plural.states[2] = 1e-6

    result = expansion().weights(faint_plural)

    claims = (0.9 * result["cat"], 0.82749 * result["kitten"])  # their cosines to "cats"
    np.testing.assert_allclose(result["cats"], NEIGHBOR_SHARE * max(claims), rtol=1e-4)


def test_a_word_brings_a_bounded_number_of_neighbors_and_not_itself() -> None:
    vocabulary = [f"word{letter}" for letter in "abcdefghijklmnop"]
    alike = np.ones((len(vocabulary), 3), np.float32)
    some_word = EncodedText(np.array([5], np.int32), alike[:1])

    result = SparseExpansion(vocabulary, alike, token_rarity(vocabulary)).weights(some_word)

    assert len(result) == 1 + MAX_NEIGHBORS


def test_texts_that_share_only_near_words_still_meet() -> None:
    cat, cats, zygote = weights("cat"), weights("cats"), weights("zygote")

    assert sum(cat[token] * cats[token] for token in cat.keys() & cats.keys()) > 0
    assert not cat.keys() & zygote.keys()


def test_what_was_weighed_before_changes_nothing() -> None:
    used = expansion()
    first = used.weights(text("cat", "the"))
    used.weights(text("kitten", "zygote"))

    assert used.weights(text("cat", "the")) == first == weights("cat", "the")


def test_a_text_has_a_bounded_number_of_tokens() -> None:
    vocabulary = [f"word{'abcdefghij'[i % 10] * (i // 10 + 1)}" for i in range(MAX_TOKENS + 50)]
    rarity = token_rarity(vocabulary)
    random = np.random.default_rng(0).normal(size=(len(vocabulary), 8)).astype(np.float32)
    ids = np.arange(len(vocabulary), dtype=np.int32)

    result = SparseExpansion(vocabulary, random, rarity).weights(EncodedText(ids, random))

    assert len(result) == MAX_TOKENS


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=300), st.floats(1e-6, 1e3))
def test_weights_are_positive_and_descend(tokens: list[str], strength: float) -> None:
    result = list(weights(*tokens, strength=strength).values())

    assert all(0 < weight < np.inf for weight in result)
    assert result == sorted(result, reverse=True)
