import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from inference.runner.outputs import Output
from inference.runner.precision import quantization, trials
from inference.runner.precision import report as reports
from inference.runner.precision.gate import MEASURES
from inference.runner.precision.report import Bounds, Precision, read_report
from inference.runner.precision.trials import try_precisions
from inference.types import TaskType
from tests.inference.runner.precision.test_gate import every_measure

WINDOW = 24


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "ROUNDS", 1)
    monkeypatch.setattr(trials, "ROUND_S", 0.001)
    monkeypatch.setattr(reports, "find_spec", lambda name: None)


@every_measure()
def test_each_precision_is_compared_with_full_precision(
    make_model: Callable[[Output], Path], task: TaskType, output: Output
) -> None:
    folder = make_model(output)

    report = try_precisions(folder, task, WINDOW)

    assert read_report(folder, task) == report
    assert report.measure == MEASURES[task, output]
    assert [trial.precision for trial in report.trials] == ["fp32", "int8", "mixed", "bf16"]
    full, int8, mixed, bf16 = report.trials
    assert full.shortfalls(Bounds(0.99999, 0.99999, 1.0, 0.0)) == []
    figures = [figure for figure in asdict(full) if getattr(full, figure) is None]
    for trial in (int8, mixed):
        assert [figure for figure in asdict(trial) if getattr(trial, figure) is None] == figures
        assert trial.shortfalls(Bounds(1.0, 1.0, 0.0, 0.0))  # something was done
    assert "[openvino]" in bf16.missing
    for trial in (full, int8, mixed):
        assert trial.short_ms > 0
        assert trial.tokens_per_s > 0
        assert trial.size_bytes > 0


@every_measure()
def test_a_broken_candidate_is_refused_and_not_chosen(
    make_model: Callable[[Output], Path],
    task: TaskType,
    output: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quantization, "LEVELS", 1)  # of a weight: two bits instead of eight
    report = try_precisions(make_model(output), task, WINDOW)

    for precision in (Precision.INT8, Precision.MIXED):
        assert f"[{precision}] loses too much" in report.refusal(precision)
    assert report.resolved(Precision.AUTO) == Precision.FP32


def test_a_process_of_its_own_always_leaves_a_report(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"no graph")

    arguments = [str(folder), "text_embedding", str(WINDOW)]
    command = [sys.executable, "-m", "inference.runner.precision", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own module

    report = read_report(folder, TaskType.TEXT_EMBEDDING)
    assert done.returncode == 0
    assert report is not None
    assert "InvalidProtobuf" in report.failure
