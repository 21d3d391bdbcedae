from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from inference.runner.precision import report as reports
from inference.runner.precision.report import (
    ASKED_BOUNDS,
    CHOSEN_BOUNDS,
    Precision,
    Report,
    Trial,
    failed,
    forget_failure,
    missing_for,
    read_report,
    report_key,
    write_report,
)
from inference.types import TaskType
from tests.trials import FULL, INT8

TASK = TaskType.TEXT_EMBEDDING
BF16 = Trial(
    precision="bf16",
    lowest_cosine=0.99997,
    mean_cosine=0.99999,
    short_ms=2.4,
    tokens_per_s=8000.0,
    size_bytes=90,
)


def report(*trials: Trial) -> Report:
    return Report(TASK, {}, (FULL, *trials))


def test_auto_takes_the_fastest_that_shows_no_loss() -> None:
    assert report(INT8, BF16).choice == Precision.INT8
    assert report(replace(INT8, lowest_cosine=0.9989), BF16).choice == Precision.BF16


def test_of_those_that_are_about_as_fast_auto_takes_the_nearest() -> None:
    hardly_faster = replace(INT8, short_ms=2.3, tokens_per_s=8600.0)

    assert report(hardly_faster, BF16).choice == Precision.BF16
    assert report(replace(hardly_faster, short_ms=1.8), BF16).choice == Precision.INT8


def test_auto_stays_with_full_precision_where_nothing_else_pays() -> None:
    slow = replace(INT8, short_ms=4.0, tokens_per_s=4100.0)

    assert report(slow).choice == Precision.FP32
    assert report(Trial(precision="bf16", missing="no such processor")).choice == Precision.FP32
    assert report().choice == Precision.FP32


def test_a_change_of_order_counts_as_much_as_a_cosine() -> None:
    shuffled = replace(INT8, agreement=CHOSEN_BOUNDS.agreement - 0.01)

    assert report(shuffled).choice == Precision.FP32
    assert report(replace(INT8, agreement=0.999)).choice == Precision.INT8


def test_what_is_asked_for_may_lose_more_but_not_everything() -> None:
    visible = replace(INT8, lowest_cosine=0.9912, mean_cosine=0.995)
    assert report(visible).choice == Precision.FP32
    assert report(visible).refusal(Precision.INT8) == ""

    bad = replace(INT8, lowest_cosine=0.8731, mean_cosine=0.95)
    refusal = report(bad).refusal(Precision.INT8)
    for words in ("[int8] loses too much", "0.8731", str(ASKED_BOUNDS.cosine)):
        assert words in refusal
    assert report(bad).refusal(Precision.AUTO) == ""


def test_what_cannot_run_says_what_is_missing() -> None:
    none = report(Trial(precision="bf16", missing="the optional extra [openvino] is not installed"))

    assert none.refusal(Precision.BF16) == (
        "[bf16] cannot run here: the optional extra [openvino] is not installed"
    )


def test_auto_resolves_to_the_choice_and_all_else_to_itself() -> None:
    assert report(INT8).resolved(Precision.AUTO) == Precision.INT8
    assert report(INT8, BF16).resolved(Precision.BF16) == Precision.BF16


def test_a_report_comes_back_as_it_was_written(folder: Path) -> None:
    written = Report(TASK, report_key(folder), (FULL, INT8))
    assert read_report(folder, TASK) is None

    write_report(folder, written)

    assert read_report(folder, TASK) == written
    assert read_report(folder, TaskType.RERANK) is None


@pytest.mark.parametrize("changed", ["processor", "onnxruntime", "openvino", "trial_version"])
def test_a_report_from_another_machine_or_version_does_not_count(
    folder: Path, changed: str
) -> None:
    key = report_key(folder) | {changed: "another"}

    write_report(folder, Report(TASK, key, (FULL,)))

    assert read_report(folder, TASK) is None


def test_a_report_of_another_graph_does_not_count(folder: Path) -> None:
    write_report(folder, Report(TASK, report_key(folder), (FULL,)))

    (folder / "model.onnx").write_bytes(b"another")

    assert read_report(folder, TASK) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 1}'])
def test_a_spoilt_report_is_none(folder: Path, content: bytes) -> None:
    (folder / f"precision.{TASK}.json").write_bytes(content)

    assert read_report(folder, TASK) is None


def test_a_report_is_read_again_only_when_it_has_changed(folder: Path) -> None:
    first = Report(TASK, report_key(folder), (FULL,))
    write_report(folder, first)
    assert read_report(folder, TASK) is read_report(folder, TASK)

    second = replace(first, trials=(FULL, INT8))
    write_report(folder, second)
    assert read_report(folder, TASK) == second


def test_a_failure_refuses_until_it_is_forgotten(folder: Path) -> None:
    write_report(folder, failed(folder, TASK, "MemoryError: no room"))
    found = read_report(folder, TASK)
    assert found is not None
    assert "no room" in found.refusal(Precision.AUTO)

    forget_failure(folder, TASK)

    assert read_report(folder, TASK) is None


def test_a_report_that_is_no_failure_is_not_forgotten(folder: Path) -> None:
    write_report(folder, Report(TASK, report_key(folder), (FULL,)))

    forget_failure(folder, TASK)

    assert read_report(folder, TASK) is not None


@pytest.mark.parametrize(
    ("flags", "has_extra", "words"),
    [
        ({"avx512_bf16"}, True, []),
        ({"avx2"}, True, ["avx512_bf16"]),
        ({"avx512_bf16"}, False, ["[openvino] is not installed"]),
        ({"avx2"}, False, ["avx512_bf16", "[openvino] is not installed"]),
    ],
)
def test_bf16_needs_a_processor_and_an_engine(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], has_extra: bool, words: list[str]
) -> None:
    monkeypatch.setattr(reports, "cpu_flags", lambda: frozenset(flags))
    monkeypatch.setattr(reports, "find_spec", lambda name: object() if has_extra else None)

    missing = missing_for("bf16")

    assert bool(missing) == bool(words)
    assert all(word in missing for word in words)
    assert missing_for("int8") == missing_for("auto") == ""


def test_a_report_is_plain_json(folder: Path) -> None:
    write_report(folder, Report(TASK, report_key(folder), (FULL, INT8)))

    raw = orjson.loads((folder / f"precision.{TASK}.json").read_bytes())

    assert raw["trials"][1]["lowest_cosine"] == 0.9992
