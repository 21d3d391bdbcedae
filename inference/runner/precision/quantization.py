"""Eight-bit weights and activations: the arithmetic, without any graph.

A dense layer computes `states @ kernel`. In eight bits the kernel has one scale a column, and the
states one scale and zero point for all of them, found while they pass. What goes wrong then are
outliers: one large number makes the steps coarse for all the others. Three things help, and all
are chosen from the states of a few texts.
"""

import numpy as np
import numpy.typing as npt

from inference.arrays import FloatArray

LEVELS = 127  # of a symmetric signed byte
STEPS = 255  # of an unsigned byte
ROW_TOKENS = 128  # states that share one scale when the model runs, at most
SAMPLED_ROWS = 8  # of so many tokens, where only a choice is made
EXPONENTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SMALLEST = 1e-5
DAMPING = 0.01
# Of so many channels one may be set apart, where that leaves less than this share of the loss.
CHANNELS_ONE_IN = 48
WORTH_APART = 0.6
BLOCK = 64  # columns of the error that are passed on at a time


def smoothing(largest: FloatArray, kernel: FloatArray, exponent: float) -> FloatArray:
    """What to divide each input channel by, and multiply its row of the kernel with.

    It moves outliers of single channels from the states, which share a scale, to the kernel.
    largest: (in,), the largest absolute value of each channel. kernel: (in, out). Returns (in,).
    Source: Xiao et al. 2022, arXiv:2211.10438, equation 4.
    """
    of_states = np.maximum(largest, SMALLEST) ** exponent
    of_kernel = np.maximum(np.abs(kernel).max(axis=1), SMALLEST) ** (1 - exponent)
    factors = of_states / of_kernel
    even: FloatArray = (factors / np.exp(np.log(factors).mean())).astype(np.float32)
    return even


def best_smoothing(states: FloatArray, kernel: FloatArray, *, by_token: bool) -> FloatArray | None:
    """The smoothing with which the layer's results stay nearest; None where none is best.

    states: (tokens, in). by_token: whether each token's states are scaled to a like size first.
    """
    return _smoothed(states, kernel, by_token)[1]


def outlying_channels(states: FloatArray, kernel: FloatArray) -> npt.NDArray[np.int64]:
    """The few channels without which the others lose far less; none where that is not so.

    states: (tokens, in), each token's scaled to a like size before they become bytes.
    """
    largest = np.argsort(-np.abs(states).max(axis=0), kind="stable")
    apart = np.sort(largest[: len(kernel) // CHANNELS_ONE_IN]).astype(np.int64)
    rest = states.copy()
    rest[:, apart] = 0
    of_rest, of_all = (_smoothed(some, kernel, by_token=True)[0] for some in (rest, states))
    return apart if of_rest < WORTH_APART * of_all else apart[:0]


def _smoothed(
    states: FloatArray, kernel: FloatArray, by_token: bool
) -> tuple[float, FloatArray | None]:
    """The best smoothing, and by how much the layer's results are still off: squares, summed."""
    largest = np.abs(states).max(axis=0)
    some = sample(states)
    exact = some @ kernel

    def loss(factors: FloatArray | None) -> float:
        scaled_states = some if factors is None else some / factors
        scaled_kernel = kernel if factors is None else kernel * factors[:, None]
        rounded, scales = rounded_to_nearest(scaled_kernel)
        passed = as_bytes(scaled_states, by_token=by_token)
        return float(np.square(exact - passed @ (rounded * scales)).sum())

    candidates = [None, *(smoothing(largest, kernel, exponent) for exponent in EXPONENTS)]
    losses = [loss(factors) for factors in candidates]
    best = int(np.argmin(losses))
    return losses[best], candidates[best]


def sample(states: FloatArray) -> FloatArray:
    """Evenly spread rows of states, of which a choice needs fewer than a fit."""
    rows = np.array_split(states, max(1, len(states) // ROW_TOKENS))
    kept: FloatArray = np.concatenate(rows[:: max(1, len(rows) // SAMPLED_ROWS)])
    return kept


def loss(
    states: FloatArray, kernel: FloatArray, factors: FloatArray | None, *, by_token: bool
) -> float:
    """The square of what the layer's results are off in bytes, summed."""
    scaled_states = states if factors is None else states / factors
    scaled_kernel = kernel if factors is None else kernel * factors[:, None]
    rounded, scales = rounded_to_nearest(scaled_kernel)
    passed = as_bytes(scaled_states, by_token=by_token)
    return float(np.square(states @ kernel - passed @ (rounded * scales)).sum())


def as_bytes(states: FloatArray, *, by_token: bool) -> FloatArray:
    """What is left of the states when they have passed through eight bits. states: (tokens, in)."""
    parts = []
    for start in range(0, len(states), ROW_TOKENS):
        row = states[start : start + ROW_TOKENS]
        sizes = np.abs(row).max(axis=1, keepdims=True) if by_token else np.ones((1, 1), np.float32)
        even = row / np.maximum(sizes, SMALLEST)
        low, high = min(float(even.min()), 0.0), max(float(even.max()), 0.0)
        step = max(high - low, SMALLEST) / STEPS
        zero = np.rint(-low / step)
        levels = np.clip(np.rint(even / step) + zero, 0, STEPS)
        parts.append((levels - zero) * step * sizes)
    passed: FloatArray = np.concatenate(parts).astype(np.float32)
    return passed


def column_scales(kernel: FloatArray) -> FloatArray:
    scales: FloatArray = (np.abs(kernel).max(axis=0) / LEVELS).astype(np.float32)
    scales[scales == 0] = 1
    return scales


def rounded_to_nearest(kernel: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The kernel in whole levels, (in, out), and the scale of each column, (out,)."""
    scales = column_scales(kernel)
    return np.clip(np.rint(kernel / scales), -LEVELS, LEVELS), scales


def rounded_for(kernel: FloatArray, states: FloatArray) -> tuple[FloatArray, FloatArray]:
    """As `rounded_to_nearest`, but so that the layer's results for such states stay nearest.

    The error of rounding one row of the kernel is made good by the rows that are still to come, as
    far as their channels go together with that row's. kernel: (in, out). states: (tokens, in).
    Source: Frantar et al. 2022, arXiv:2210.17323, algorithm 1.
    """
    scales = column_scales(kernel).astype(np.float64)
    left = kernel.astype(np.float64)
    channels = len(left)
    together = states.T.astype(np.float64) @ states
    together[np.diag_indices(channels)] += DAMPING * np.trace(together) / channels + SMALLEST
    passed_on = np.linalg.cholesky(np.linalg.inv(together)).T
    levels = np.zeros_like(left)
    for start in range(0, channels, BLOCK):
        end = min(start + BLOCK, channels)
        errors = np.zeros((end - start, left.shape[1]))
        for row in range(start, end):
            levels[row] = np.clip(np.rint(left[row] / scales), -LEVELS, LEVELS)
            error = (left[row] - levels[row] * scales) / passed_on[row, row]
            left[row + 1 : end] -= np.outer(passed_on[row, row + 1 : end], error)
            errors[row - start] = error
        left[end:] -= passed_on[start:end, end:].T @ errors
    return levels.astype(np.float32), scales.astype(np.float32)
