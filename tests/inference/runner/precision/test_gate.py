from pathlib import Path

import numpy as np
import pytest

from inference.arrays import FloatArray
from inference.runner.batching import FULL_ROW
from inference.runner.packing import PackedRow
from inference.runner.precision import gate
from inference.runner.precision.engines import open_encoder
from inference.runner.precision.gate import (
    ASKED,
    PASSAGES,
    Answers,
    Probe,
    full_rows,
    nearness,
    overlap,
    same_order,
)
from inference.runner.precision.texts import QUESTIONS, TUNING
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


def test_no_text_is_both_for_tuning_and_for_judging() -> None:
    assert not set(TUNING).intersection(ASKED + PASSAGES)
    assert len(set(TUNING)) == len(TUNING)
    assert len(set(ASKED + PASSAGES)) == 2 * len(QUESTIONS)


@pytest.mark.parametrize(
    "task", [TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING, TaskType.RERANK]
)
def test_a_model_is_as_near_to_itself_as_can_be(folder: Path, task: TaskType) -> None:
    probe = Probe(folder, task, WINDOW)
    answers = probe.answers(open_encoder(folder, "fp32", threads=1))

    found = nearness(answers, answers)

    assert found.lowest_cosine == pytest.approx(1, abs=1e-6)
    assert found.agreement == (None if task == TaskType.TEXT_EMBEDDING else 1.0)


@pytest.mark.parametrize(
    "task", [TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING, TaskType.RERANK]
)
def test_the_further_off_the_states_the_worse_every_figure(
    folder: Path, task: TaskType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "TOP_TOKENS", 3)  # the tiny model has few words to choose from
    probe = Probe(folder, task, WINDOW)
    full = probe.answers(open_encoder(folder, "fp32", threads=1))

    little, much = (nearness(full, probe.answers(Blurred(folder, by))) for by in (1.0, 10.0))

    assert 1 > little.lowest_cosine > much.lowest_cosine
    assert little.lowest_cosine < little.mean_cosine > much.mean_cosine
    if task != TaskType.TEXT_EMBEDDING:
        assert little.agreement is not None
        assert much.agreement is not None
        assert little.agreement >= much.agreement
        assert much.agreement < 1


def test_texts_are_judged_alone_and_together(folder: Path) -> None:
    probe = Probe(folder, TaskType.TEXT_EMBEDDING, WINDOW)

    alone, together = probe.answers(open_encoder(folder, "fp32", threads=1))

    assert len(alone.vectors) == len(ASKED + PASSAGES)
    np.testing.assert_allclose(alone.vectors, together.vectors, atol=1e-5)


def test_the_lowest_cosine_is_that_of_the_worst_text() -> None:
    full = Answers(np.eye(3, dtype=np.float32))
    turned = Answers(np.array([[1, 0, 0], [0, 1, 0], [0, 0.6, 0.8]], np.float32))

    found = nearness([full], [turned])

    assert found.lowest_cosine == pytest.approx(0.8)
    assert found.mean_cosine == pytest.approx(2.8 / 3)


def test_order_is_compared_pair_by_pair() -> None:
    assert same_order([3, 2, 1], [30, 20, 10]) == 1
    assert same_order([3, 2, 1], [10, 20, 30]) == 0
    assert same_order([3, 2, 1], [3, 1, 2]) == pytest.approx(2 / 3)
    assert same_order([3, 2], [1, 1]) == 1


def test_tokens_in_common_are_a_share_of_the_longer_list() -> None:
    assert overlap(frozenset("ab"), frozenset("ab")) == 1
    assert overlap(frozenset("ab"), frozenset("abcd")) == 0.5
    assert overlap(frozenset(), frozenset()) == 1


def test_rows_are_filled_as_under_load_and_lose_no_text() -> None:
    texts = [TokenizedText(np.zeros(length, np.int32)) for length in (100, 20, 30, 300, 5)]

    rows = full_rows(texts)

    assert [[len(text.ids) for text in row] for row in rows] == [[100, 20], [30], [300], [5]]
    assert 100 + 20 <= FULL_ROW < 100 + 20 + 30
