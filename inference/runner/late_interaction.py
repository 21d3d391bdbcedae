"""Relevance of documents to a query out of one encoder's token states, without training."""

from collections.abc import Sequence

import numpy as np

from inference.arrays import FloatArray, IntArray
from inference.runner.encoded import EncodedText
from inference.runner.pooling import mean_pool, normalize

SHARPNESS = 20.0  # how far a token's best match outweighs its middling ones
SENTENCE_SHARE = 0.25  # the part of the whole texts' cosine in the relevance
EVEN_RELEVANCE = 0.4  # where the score is one half; most unrelated texts stay far below
STEEPNESS = 12.0
SMALLEST_NORM = 1e-12


class LateInteraction:
    """Scores documents by how well each token of the query is met somewhere in them.

    For a query token, the cosines of its state to the states of a document are taken together by a
    soft maximum, which counts the best match most and does not grow with the document's length. The
    query's tokens then weigh by rarity, and the cosine of the two mean states has a share. A
    logistic curve spreads the sum: unrelated text scores near 0 and the query itself near 1.

    A score depends on its query and document alone, never on the other documents. A document cut
    into windows is worth what its best window is worth.

    Source: Khattab & Zaharia 2020, arXiv:2004.12832, section 3.2; the weights, the soft maximum and
    the sentence's share are ours and measured by `python -m bench.quality`.
    """

    def __init__(self, rarity: FloatArray) -> None:
        """rarity: (vocab,), a token of rarity 0 is not compared."""
        self._rarity = rarity

    def score(self, query: EncodedText, documents: Sequence[EncodedText]) -> FloatArray:
        """Returns (documents,), each 0 to 1. A text without words scores 0, whatever the other."""
        scores = np.zeros(len(documents), np.float32)
        query_weights = self._rarity[query.ids]
        is_compared = [self._rarity[document.ids] > 0 for document in documents]
        kept = [i for i, compared in enumerate(is_compared) if compared.any()]
        if not kept or not query_weights.any():
            return scores
        cosines = _cosines(query.states, np.concatenate([documents[i].states for i in kept]))
        compared = np.concatenate([is_compared[i] for i in kept])
        lengths = np.array([is_compared[i].sum() for i in kept], np.int32)
        matches = soft_maximum(cosines[:, compared], lengths)
        sentences = np.stack([normalize(mean_pool(documents[i].states)) for i in kept])
        by_token = (query_weights / query_weights.sum()) @ matches
        by_sentence = sentences @ normalize(mean_pool(query.states))
        relevance = (1 - SENTENCE_SHARE) * by_token + SENTENCE_SHARE * by_sentence
        scores[kept] = 1 / (1 + np.exp(STEEPNESS * (EVEN_RELEVANCE - relevance)))
        return scores


def soft_maximum(cosines: FloatArray, lengths: IntArray) -> FloatArray:
    """log(mean(exp(SHARPNESS * cosine))) / SHARPNESS over the tokens of each document.

    cosines: (query tokens, tokens of all documents, one document after the other). lengths:
    (documents,), each at least 1. Returns (query tokens, documents), each between the mean and the
    largest of the document's cosines.
    """
    starts = np.cumsum(lengths) - lengths
    exponentials = np.exp(SHARPNESS * (cosines - 1))  # a cosine is at most 1: no overflow
    means = np.add.reduceat(exponentials, starts, axis=1) / lengths.astype(np.float32)
    soft: FloatArray = (1 + np.log(means) / SHARPNESS).astype(np.float32)
    return soft


def _cosines(a: FloatArray, b: FloatArray) -> FloatArray:
    """a: (m, dim). b: (n, dim). Returns (m, n); a vector of zeros has cosine 0 to any other."""
    # Dividing the products costs less than a scaled copy of every document's states.
    products = (a / _lengths(a)[:, None]) @ b.T
    return (products / _lengths(b)).astype(np.float32, copy=False)


def _lengths(vectors: FloatArray) -> FloatArray:
    lengths: FloatArray = np.sqrt(np.vecdot(vectors, vectors))
    return np.maximum(lengths, SMALLEST_NORM)
