from collections.abc import Sequence
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.arrays import FloatArray
from inference.runner.encoded import EncodedText
from inference.runner.late_interaction import LateInteraction, soft_maximum

CLS, COMMA, THE, CAT, ZYGOTE = range(5)
RARITY = np.array([0, 0, 0.1, 0.5, 1], np.float32)
EAST, NORTH, UP, WEST = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0]], np.float32)


def text(*tokens: tuple[int, FloatArray]) -> EncodedText:
    ids, states = zip(*tokens, strict=True)
    return EncodedText(np.array(ids, np.int32), np.stack(states))


def scores(query: EncodedText, *documents: EncodedText) -> list[float]:
    result: list[float] = LateInteraction(RARITY).score(query, documents).tolist()
    return result


def random_text(seed: int) -> EncodedText:
    random = np.random.default_rng(seed)
    size = int(random.integers(1, 12))
    ids = random.integers(0, len(RARITY), size).astype(np.int32)
    return EncodedText(ids, random.normal(0, 3, (size, 3)).astype(np.float32))


texts = st.integers(0, 10_000).map(random_text)


def test_the_query_itself_scores_near_1_and_unrelated_text_near_0() -> None:
    query = text((CAT, EAST), (ZYGOTE, NORTH))

    same, unrelated = scores(query, query, text((CAT, UP), (ZYGOTE, UP)))

    assert same > 0.95
    assert unrelated < 0.05


def test_a_document_that_meets_one_of_two_tokens_lies_between() -> None:
    query = text((CAT, EAST), (ZYGOTE, NORTH))

    same, half, unrelated = scores(query, query, text((CAT, EAST)), text((CAT, UP)))

    assert unrelated < half < same


def test_meeting_a_rare_token_counts_more_than_meeting_a_common_one() -> None:
    query = text((THE, EAST), (ZYGOTE, NORTH))

    common, rare = scores(query, text((THE, EAST)), text((ZYGOTE, NORTH)))

    assert rare > common + 0.3


def test_the_best_match_of_a_document_outweighs_its_other_tokens() -> None:
    query = text((CAT, EAST))

    once, never = scores(query, text((CAT, EAST), *[(THE, UP)] * 9), text(*[(THE, UP)] * 10))

    assert once > 0.8 > 0.2 > never


def test_tokens_meet_by_direction_whatever_the_length_of_their_states() -> None:
    query, document = text((CAT, EAST), (THE, NORTH)), text((CAT, EAST), (THE, UP))
    longer = EncodedText(document.ids, 7 * document.states)

    assert scores(query, document) == scores(query, longer)


def test_special_tokens_and_punctuation_meet_nothing() -> None:
    query = text((CAT, EAST))

    in_a_comma, in_a_word = scores(
        query, text((COMMA, EAST), (CAT, UP)), text((COMMA, UP), (CAT, EAST))
    )

    assert in_a_comma < 0.1 < in_a_word


def test_saying_it_all_twice_changes_nothing() -> None:
    once = [(CAT, EAST), (THE, NORTH), (ZYGOTE, UP)]

    np.testing.assert_allclose(
        scores(text((CAT, EAST), (THE, UP)), text(*once)),
        scores(text((CAT, EAST), (THE, UP)), text(*once, *once)),
        rtol=1e-5,
    )


def test_text_without_words_scores_0() -> None:
    words, no_words = text((CAT, EAST)), text((CLS, EAST), (COMMA, EAST))

    assert scores(words, words, no_words)[1] == 0
    assert scores(no_words, words, no_words) == [0, 0]


def test_no_documents_have_no_scores() -> None:
    assert scores(text((CAT, EAST))) == []


@settings(deadline=None)  # the machine may be busy
@given(texts, st.lists(texts, max_size=5))
def test_scores_lie_between_0_and_1(query: EncodedText, documents: Sequence[EncodedText]) -> None:
    result = LateInteraction(RARITY).score(query, documents)

    assert result.dtype == np.float32
    assert ((result >= 0) & (result <= 1)).all()


@settings(deadline=None)  # the machine may be busy
@given(texts, st.lists(texts, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_score_depends_neither_on_the_other_documents_nor_on_their_order(
    query: EncodedText, documents: list[EncodedText], random: Random
) -> None:
    order = list(range(len(documents)))
    random.shuffle(order)

    together = scores(query, *documents)
    shuffled = scores(query, *[documents[i] for i in order])
    alone = [scores(query, document)[0] for document in documents]

    np.testing.assert_allclose(shuffled, [together[i] for i in order], rtol=1e-4)
    np.testing.assert_allclose(alone, together, rtol=1e-4)


@settings(deadline=None)  # the machine may be busy
@given(arrays(np.float32, (2, 7), elements=st.floats(-1, 1, width=32)))
def test_the_soft_maximum_lies_between_the_mean_and_the_maximum(cosines: FloatArray) -> None:
    soft = soft_maximum(cosines, np.array([3, 4], np.int32))

    for column, part in enumerate((cosines[:, :3], cosines[:, 3:])):
        assert (soft[:, column] >= part.mean(axis=1) - 1e-4).all()
        assert (soft[:, column] <= part.max(axis=1) + 1e-4).all()
