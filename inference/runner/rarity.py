"""How much a token says, judged by the vocabulary alone."""

from collections.abc import Sequence

import numpy as np

from inference.arrays import FloatArray

PIECE_PREFIX = "##"

# A vocabulary lists single characters by code point, so theirs is no rank. As letters and digits
# they are common, as the names in a formula ("x", "vitamin c") they are not: a middle value.
SINGLE_CHARACTER_RARITY = 0.3
# The article, the pronoun, and what "it's" leaves behind are as common as the first word.
COMMON_LETTERS = frozenset("ais")


def token_rarity(vocabulary: Sequence[str]) -> FloatArray:
    """How rare each token is in English, from 0 (says nothing) to 1 (the rarest).

    vocabulary: the tokens of a WordPiece vocabulary in the order of their ids. Returns (vocab,).

    The words and pieces stand in the order of their frequency, and frequency falls as one over the
    rank (Zipf), so the logarithm of the rank stands in for the inverse document frequency of Sparck
    Jones 1972, "A statistical interpretation of term specificity", with no collection to count in.
    Special tokens and punctuation get 0.
    """
    first = next((i for i, token in enumerate(vocabulary) if _is_ranked(token)), 0)
    ranks = np.maximum(np.arange(len(vocabulary)) - first + 1, 1)
    rarity: FloatArray = np.log1p(ranks).astype(np.float32)
    rarity /= rarity.max(initial=np.log(2))
    for i, token in enumerate(vocabulary):
        if not _says_something(token):
            rarity[i] = 0.0
        elif len(token) == 1 and token not in COMMON_LETTERS:
            rarity[i] = SINGLE_CHARACTER_RARITY
    return rarity


def _is_ranked(token: str) -> bool:
    # The first word of two letters or more opens the ranked part. Specials have brackets.
    return len(token) > 1 and token.isalpha()


def _says_something(token: str) -> bool:
    is_special = len(token) > 2 and token.startswith("[") and token.endswith("]")
    return not is_special and any(c.isalnum() for c in token.removeprefix(PIECE_PREFIX))
