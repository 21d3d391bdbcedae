"""Weighted tokens of a text, as a model trained for it gives them."""

from collections.abc import Sequence

import numpy as np

from inference.runner.encoded import EncodedText

DECIMALS = 6  # as many as a weight has that mean something


class LearnedWeights:
    """Makes a text a bag of weighted tokens out of the logits of a masked-language head.

    A token of the vocabulary weighs by the place in the text where it would fit best.

    Source: Formal et al. 2021, arXiv:2109.10086, section 3.1 (SPLADE-max).
    """

    def __init__(self, vocabulary: Sequence[str], special_ids: Sequence[int]) -> None:
        """vocabulary: the tokens by id. special_ids: those that stand for no text."""
        self._vocabulary = vocabulary
        self._special_ids = special_ids

    def weights(self, text: EncodedText) -> dict[str, float]:
        """The tokens with weights above 0, the greatest first; none of them is a special one."""
        # Some models have more logits than tokens, for a size that is quick to compute.
        best = text.states.max(axis=0)[: len(self._vocabulary)]
        best[self._special_ids] = 0
        found = np.flatnonzero(best > 0)
        # The logarithm keeps the order, so the few that are left have it computed.
        weights = np.log1p(best[found].astype(np.float64)).round(DECIMALS)
        order = np.argsort(-weights, kind="stable")
        pairs = zip(found[order].tolist(), weights[order].tolist(), strict=True)
        return {self._vocabulary[token]: weight for token, weight in pairs if weight > 0}
