"""The arithmetic of eight bits, on states with the outliers that real models have."""

import numpy as np
import pytest

from inference.arrays import FloatArray
from inference.runner.precision.quantization import (
    LEVELS,
    as_bytes,
    best_smoothing,
    outlying_channels,
    rounded_for,
    rounded_to_nearest,
    sample,
    smoothing,
)

TOKENS, CHANNELS, OUTPUTS = 256, 48, 32


@pytest.fixture
def kernel() -> FloatArray:
    return np.random.default_rng(1).normal(0, 0.3, (CHANNELS, OUTPUTS)).astype(np.float32)


@pytest.fixture
def states() -> FloatArray:
    return np.random.default_rng(2).normal(0, 1, (TOKENS, CHANNELS)).astype(np.float32)


def loss(states: FloatArray, passed: FloatArray) -> float:
    return float(np.square(states - passed).mean())


def test_smoothing_takes_from_the_states_what_it_gives_to_the_kernel(
    states: FloatArray, kernel: FloatArray
) -> None:
    factors = smoothing(np.abs(states).max(axis=0), kernel, 0.5)

    np.testing.assert_allclose(
        (states / factors) @ (kernel * factors[:, None]), states @ kernel, atol=1e-3
    )


def test_an_outlying_channel_is_smoothed(states: FloatArray, kernel: FloatArray) -> None:
    states[:, 7] *= 60

    factors = best_smoothing(states, kernel, by_token=False)

    assert factors is not None
    assert factors.argmax() == 7
    assert np.abs(states / factors).max() < np.abs(states).max() / 4


def test_a_few_outlying_channels_are_set_apart_and_no_others(
    states: FloatArray, kernel: FloatArray
) -> None:
    wide = np.tile(states, 2), np.tile(kernel, (2, 1))
    assert outlying_channels(*wide).tolist() == []

    wide[0][:, [9, 70]] *= 200

    assert outlying_channels(*wide).tolist() == [9, 70]


def test_a_choice_looks_at_few_rows_of_all_parts(states: FloatArray) -> None:
    many = np.tile(states, (32, 1))
    many[:, 0] = np.arange(len(many))

    some = sample(many)[:, 0]

    assert len(some) < len(many) / 4
    assert some.min() < len(many) / 8
    assert some.max() > len(many) * 3 / 4


def test_bytes_hold_states_without_outliers_to_half_a_percent(states: FloatArray) -> None:
    assert loss(states, as_bytes(states, by_token=False)) < 1e-4


def test_an_outlying_token_costs_the_others_nothing_where_tokens_are_scaled(
    states: FloatArray,
) -> None:
    usual = states[1:]
    states[0] *= 200

    together = as_bytes(states, by_token=False)[1:]
    by_token = as_bytes(states, by_token=True)[1:]

    assert loss(usual, by_token) < loss(usual, together) / 100


def test_tokens_of_another_row_cost_nothing(states: FloatArray) -> None:
    states[0] *= 200

    passed = as_bytes(states, by_token=False)

    assert loss(states[128:], passed[128:]) < 1e-4


def test_zeros_stay_zeros() -> None:
    zeros = np.zeros((3, CHANNELS), np.float32)

    assert not as_bytes(zeros, by_token=True).any()
    levels, scales = rounded_to_nearest(np.zeros((CHANNELS, 2), np.float32))
    assert not (levels * scales).any()


def test_rounding_for_states_that_go_together_beats_the_nearest_level(
    kernel: FloatArray,
) -> None:
    random = np.random.default_rng(3)
    shared = random.normal(0, 1, (TOKENS, 6)).astype(np.float32)
    states = shared @ random.normal(0, 1, (6, CHANNELS)).astype(np.float32)
    exact = states @ kernel

    def error(rounded: tuple[FloatArray, FloatArray]) -> float:
        levels, scales = rounded
        return loss(exact, states @ (levels * scales))

    assert error(rounded_for(kernel, states)) < error(rounded_to_nearest(kernel)) / 2


def test_levels_fit_a_signed_byte_and_are_the_same_each_time(
    states: FloatArray, kernel: FloatArray
) -> None:
    levels, scales = rounded_for(kernel, states)
    again, _ = rounded_for(kernel, states)

    assert np.abs(levels).max() <= LEVELS
    np.testing.assert_array_equal(levels, np.rint(levels))
    np.testing.assert_array_equal(levels, again)
    assert scales.shape == (OUTPUTS,)
