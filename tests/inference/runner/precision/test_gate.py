from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.arrays import FloatArray
from inference.runner.batching import FULL_ROW
from inference.runner.catalogue import BUILTIN_MODELS
from inference.runner.outputs import Output
from inference.runner.packing import PackedRow
from inference.runner.precision import gate
from inference.runner.precision.engines import open_encoder
from inference.runner.precision.gate import (
    MEASURES,
    PASSAGES_EACH,
    TEXTS,
    Answers,
    Probe,
    candidates,
    full_rows,
    nearness,
    overlap,
    same_order,
    score_difference,
    weight_difference,
)
from inference.runner.precision.probes import QUESTIONS, VARIED
from inference.runner.precision.report import ASKED_BOUNDS, Bounds, Measure
from inference.runner.precision.texts import TUNING
from inference.runner.tokenizer import TokenizedText
from inference.types import TaskType

WINDOW = 24


class Blurred:
    """An encoder whose states are a little off."""

    def __init__(self, folder: Path, by: float) -> None:
        self._sharp, self._by = open_encoder(folder, "fp32", threads=1), by

    def run(self, row: PackedRow) -> FloatArray:
        states = self._sharp.run(row)
        noise = np.random.default_rng(4).normal(0, self._by, states.shape)
        return (states + noise).astype(np.float32)


def every_measure() -> pytest.MarkDecorator:
    ids = [f"{task}-{output}" for task, output in MEASURES]
    return pytest.mark.parametrize(("task", "output"), list(MEASURES), ids=ids)


def test_no_text_is_both_for_tuning_and_for_judging() -> None:
    # Two texts that differ by nothing else are one to a model.
    assert not {text.strip().lower() for text in TUNING} & {text.strip().lower() for text in TEXTS}
    assert len(set(TUNING)) == len(TUNING)
    assert len(set(TEXTS)) == 2 * len(QUESTIONS) + len(VARIED)


def test_each_model_that_is_offered_can_be_judged() -> None:
    kinds = {(model.task_type, model.weights.output) for model in BUILTIN_MODELS.values()}

    assert kinds == set(MEASURES)


@every_measure()
def test_a_model_is_as_near_to_itself_as_can_be(
    make_model: Callable[[Output], Path], task: TaskType, output: Output
) -> None:
    folder = make_model(output)
    probe = Probe(folder, task, output, WINDOW)
    answers = probe.answers(open_encoder(folder, "fp32", threads=1))

    found = nearness(probe.measure, answers, answers)

    assert found.shortfalls(Bounds(0.999999, 0.999999, 1.0, 0.0)) == []
    has_vectors = output == Output.STATES
    assert (found.lowest_cosine is not None) == has_vectors
    assert (found.largest_difference is None) == has_vectors
    assert found.agreement == (None if task == TaskType.TEXT_EMBEDDING else 1.0)


@every_measure()
def test_the_further_off_the_states_the_worse_every_figure(
    make_model: Callable[[Output], Path],
    task: TaskType,
    output: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "TOP_TOKENS", 3)  # the tiny model has few words to choose from
    folder = make_model(output)
    probe = Probe(folder, task, output, WINDOW)
    full = probe.answers(open_encoder(folder, "fp32", threads=1))

    little, much = (
        nearness(probe.measure, full, probe.answers(Blurred(folder, by))) for by in (0.002, 10.0)
    )

    falling = ("lowest_cosine", "low_cosine", "mean_cosine", "agreement")
    for name in falling:
        one, other = getattr(little, name), getattr(much, name)
        assert one is other is None or 1.00001 > one > other, name
    if little.largest_difference is not None and much.largest_difference is not None:
        assert 0 < little.largest_difference < much.largest_difference
    assert little.shortfalls(ASKED_BOUNDS) == []
    assert much.shortfalls(ASKED_BOUNDS)


def test_texts_are_judged_alone_and_together(folder: Path) -> None:
    probe = Probe(folder, TaskType.TEXT_EMBEDDING, Output.STATES, WINDOW)

    alone, together = probe.answers(open_encoder(folder, "fp32", threads=1))

    assert alone.vectors is not None
    assert together.vectors is not None
    assert len(alone.vectors) == len(TEXTS)
    np.testing.assert_allclose(alone.vectors, together.vectors, atol=1e-5)


def test_cosines_are_those_of_the_worst_text_of_nearly_all_and_of_all() -> None:
    straight = np.tile(np.array([1, 0], np.float32), (100, 1))
    turned = straight.copy()
    turned[0], turned[1:20] = (0.6, 0.8), (0.8, 0.6)

    found = nearness(Measure.VECTORS, [Answers(straight)], [Answers(turned)])

    assert found.lowest_cosine == pytest.approx(0.6)
    assert found.low_cosine == pytest.approx(0.8)
    assert found.mean_cosine == pytest.approx((0.6 + 19 * 0.8 + 80) / 100)


def test_order_is_compared_pair_by_pair() -> None:
    assert same_order([3, 2, 1], [30, 20, 10]) == 1
    assert same_order([3, 2, 1], [10, 20, 30]) == 0
    assert same_order([3, 2, 1], [3, 1, 2]) == pytest.approx(2 / 3)
    assert same_order([3, 2], [1, 1]) == 1


def test_passages_that_are_as_good_as_each_other_may_change_places() -> None:
    assert same_order([9, 0.1, 0], [9, 0, 0.1], margin=0.05) == 1
    assert same_order([9, 1, 0], [9, 0, 1], margin=0.05) == pytest.approx(2 / 3)


def test_tokens_in_common_are_a_share_of_the_longer_list() -> None:
    two, four = dict.fromkeys("ab", 1.0), dict.fromkeys("abcd", 1.0)

    assert overlap(two, two) == 1
    assert overlap(two, four) == 0.5
    assert overlap({}, {}) == 1


def test_only_the_strongest_tokens_have_to_be_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "TOP_TOKENS", 2)

    assert overlap({"a": 3, "b": 2, "c": 0.1}, {"a": 3, "b": 2, "d": 0.1}) == 1
    assert overlap({"a": 3, "b": 2, "c": 0.1}, {"a": 3, "b": 0.1, "c": 2}) == 0.5


def test_a_change_of_weight_is_a_share_of_all_the_weight() -> None:
    assert weight_difference({"a": 3, "b": 1}, {"a": 3, "b": 1}) == 0
    assert weight_difference({"a": 3, "b": 1}, {"a": 2, "c": 1}) == pytest.approx(3 / 4)
    assert weight_difference({}, {}) == 0
    assert weight_difference({}, {"a": 0.1}) == 1


def test_a_change_of_score_is_a_share_of_how_far_apart_all_scores_are() -> None:
    assert score_difference(((10, 0), (-10, 0)), ((10, 0), (-10, 0))) == 0
    assert score_difference(((10, 0), (-10, 0)), ((10, 1), (-8, 0))) == pytest.approx(2 / 20)
    assert score_difference(((4, 4),), ((4, 4),)) == 0
    assert score_difference(((4, 4),), ((4, 5),)) == 1


def test_each_question_is_read_with_its_own_passage_and_others() -> None:
    for (question, passages), (asked, answer) in zip(candidates(), QUESTIONS, strict=True):
        assert question == asked
        assert passages[0] == answer
        assert len(set(passages)) == PASSAGES_EACH


def test_rows_are_filled_as_under_load_and_lose_no_text() -> None:
    texts = [TokenizedText(np.zeros(length, np.int32)) for length in (100, 20, 30, 300, 5)]

    rows = full_rows(texts)

    assert [[len(text.ids) for text in row] for row in rows] == [[100, 20], [30], [300], [5]]
    assert 100 + 20 <= FULL_ROW < 100 + 20 + 30
