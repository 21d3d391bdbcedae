"""From token states to one vector a text."""

import numpy as np

from inference.arrays import FloatArray

SMALLEST_NORM = 1e-12


def mean_pool(states: FloatArray) -> FloatArray:
    """Average the states of one text, special tokens included.

    states: (tokens, dim). Returns (dim,), not normalized.
    Source: Reimers & Gurevych 2019, arXiv:1908.10084, section 3.
    """
    pooled: FloatArray = states.mean(axis=0)
    return pooled


def normalize(vector: FloatArray) -> FloatArray:
    """Scale to length one; a vector of zeros stays as it is. vector: (dim,)."""
    scaled: FloatArray = vector / max(float(np.linalg.norm(vector)), SMALLEST_NORM)
    return scaled
