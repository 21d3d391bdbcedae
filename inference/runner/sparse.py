"""Weighted tokens of a text and of their neighbors in the vocabulary, without training."""

from collections.abc import Sequence

import numpy as np

from inference.arrays import FloatArray, IntArray
from inference.runner.encoded import EncodedText

SATURATION = 1.2  # BM25's k1
LENGTH_SHARE = 0.9  # BM25's b
USUAL_LENGTH = 100  # tokens; BM25's average length, which a single text cannot know
MAX_NEIGHBORS = 8
MIN_SIMILARITY = 0.4
NEIGHBOR_SHARE = 0.4
MAX_TOKENS = 256
NEIGHBORS_AT_ONCE = 64  # tokens to look up in one product, which bounds its memory
SMALLEST_NORM = 1e-12
DECIMALS = 6  # as many as a weight has that mean something


class SparseExpansion:
    """Makes a text a bag of weighted tokens; two texts compare by the product of their bags.

    A token that stands in the text weighs by how rare it is, by how strongly the encoder speaks of
    it there (the length of its state), and by how often it occurs, as in BM25: with saturation, and
    less in a longer text. Rarity and strength enter by their square roots, because query and
    document are weighed alike and the product has them twice. The nearest words of the vocabulary
    join with a share of the weight that grows with their similarity.

    Source: Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond",
    section 3.5; the form of the result is that of SPLADE (arXiv:2107.05720), its training is not.
    """

    def __init__(
        self, vocabulary: Sequence[str], word_embeddings: FloatArray, rarity: FloatArray
    ) -> None:
        """vocabulary: the tokens by id. word_embeddings: (vocab, dim). rarity: (vocab,)."""
        self._vocabulary = vocabulary
        self._embeddings = np.asarray(word_embeddings)[: len(vocabulary)]
        self._rarity = rarity
        self._norms = np.maximum(np.linalg.norm(self._embeddings, axis=1), SMALLEST_NORM)
        is_word = [len(token) > 1 and token.isalpha() for token in vocabulary]
        self._is_word = np.array(is_word) & (rarity > 0)
        # All neighbors would take seconds to find. They are found as texts bring their tokens, and
        # kept: two threads that find the same write the same.
        self._has_neighbors = np.zeros(len(vocabulary), np.bool_)
        self._neighbors = np.zeros((len(vocabulary), MAX_NEIGHBORS), np.int32)
        self._similarities = np.zeros((len(vocabulary), MAX_NEIGHBORS), np.float32)

    def weights(self, text: EncodedText) -> dict[str, float]:
        """At most MAX_TOKENS tokens with weights above 0, the greatest first.

        A text of special tokens and punctuation gives none.
        """
        tokens, weights = self._own_weights(text)
        self._find_neighbors(tokens[self._is_word[tokens] & ~self._has_neighbors[tokens]])
        # A token with several claims keeps the strongest.
        bag = np.zeros(len(self._vocabulary), np.float32)
        shares = NEIGHBOR_SHARE * weights[:, None] * self._similarities[tokens]
        np.maximum.at(bag, self._neighbors[tokens], shares)
        bag[tokens] = np.maximum(bag[tokens], weights)

        weighted = np.flatnonzero(bag)
        order = weighted[np.argsort(-bag[weighted], kind="stable")][:MAX_TOKENS]
        shown = bag[order].astype(np.float64).round(DECIMALS).tolist()
        return {
            self._vocabulary[token]: weight
            for token, weight in zip(order.tolist(), shown, strict=True)
            if weight > 0
        }

    def _own_weights(self, text: EncodedText) -> tuple[IntArray, FloatArray]:
        """The distinct tokens of a text and their weights, both (distinct tokens,)."""
        is_weighed = self._rarity[text.ids] > 0
        ids, states = text.ids[is_weighed], text.states[is_weighed]
        tokens, place, counts = np.unique(ids, return_inverse=True, return_counts=True)
        # The states of models of any width compare as root mean squares.
        strength = np.zeros(len(tokens), np.float32)
        np.maximum.at(strength, place, np.sqrt(np.square(states).mean(axis=1)))
        length = 1 - LENGTH_SHARE + LENGTH_SHARE * len(ids) / USUAL_LENGTH
        frequency = counts * (SATURATION + 1) / (counts + SATURATION * length)
        weights = np.sqrt(self._rarity[tokens] * strength) * frequency
        return tokens, weights.astype(np.float32)

    def _find_neighbors(self, tokens: IntArray) -> None:
        """Note the nearest words of some tokens that have none noted yet."""
        for start in range(0, len(tokens), NEIGHBORS_AT_ONCE):
            few = tokens[start : start + NEIGHBORS_AT_ONCE]
            directions = self._embeddings[few] / self._norms[few, None]
            similarities = directions @ self._embeddings.T / self._norms
            similarities[:, ~self._is_word] = 0
            similarities[np.arange(len(few)), few] = 0
            for token, row in zip(few, similarities, strict=True):
                near = np.flatnonzero(row >= MIN_SIMILARITY)
                near = near[np.argsort(-row[near], kind="stable")][:MAX_NEIGHBORS]
                self._neighbors[token, : len(near)] = near
                self._similarities[token, : len(near)] = row[near]
                self._has_neighbors[token] = True
