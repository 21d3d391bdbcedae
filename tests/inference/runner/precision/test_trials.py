import subprocess
import sys
from pathlib import Path

import pytest

from inference.runner.precision import report as reports
from inference.runner.precision import trials
from inference.runner.precision.report import read_report
from inference.runner.precision.trials import try_precisions
from inference.types import TaskType

WINDOW = 24


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "ROUNDS", 1)
    monkeypatch.setattr(trials, "ROUND_S", 0.001)
    monkeypatch.setattr(reports, "find_spec", lambda name: None)


@pytest.mark.parametrize(
    "task", [TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING, TaskType.RERANK]
)
def test_each_precision_is_compared_with_full_precision(folder: Path, task: TaskType) -> None:
    report = try_precisions(folder, task, WINDOW)

    assert read_report(folder, task) == report
    assert [trial.precision for trial in report.trials] == ["fp32", "int8", "bf16"]
    full, int8, bf16 = report.trials
    assert full.lowest_cosine == pytest.approx(1, abs=1e-5)
    assert 0.9 < int8.lowest_cosine < 1
    assert "[openvino]" in bf16.missing
    for trial in (full, int8):
        assert trial.short_ms > 0
        assert trial.tokens_per_s > 0
        assert trial.size_bytes > 0


def test_a_process_of_its_own_always_leaves_a_report(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"no graph")

    arguments = [str(folder), "text_embedding", str(WINDOW)]
    command = [sys.executable, "-m", "inference.runner.precision", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own module

    report = read_report(folder, TaskType.TEXT_EMBEDDING)
    assert done.returncode == 0
    assert report is not None
    assert "InvalidProtobuf" in report.failure
