"""What the page of an endpoint tells of its model's precisions."""

from dataclasses import dataclass

from endpoints.models import Endpoint
from endpoints.precision import report_of
from inference.runner.precision.report import ASKED_BOUNDS, CHOSEN_BOUNDS, Precision, Report, Trial

NAMES = {
    Precision.FP32: "Full (fp32)",
    Precision.INT8: "Bytes (int8)",
    Precision.BF16: "Half (bf16)",
}


@dataclass(frozen=True)
class TriedRow:
    """One precision in figures. short_gain, row_gain: times as fast as full precision.

    remark: why it does not run, where it cannot.
    """

    name: str
    trial: Trial
    short_gain: float
    row_gain: float
    is_running: bool
    remark: str


@dataclass(frozen=True)
class PrecisionCard:
    """agreement_label: empty where the task has nothing of the kind."""

    rows: tuple[TriedRow, ...]
    processor: str
    agreement_label: str


def precision_card(endpoint: Endpoint) -> PrecisionCard | None:
    """The trials behind an endpoint that asked for a precision; None where there are none yet."""
    deployment = endpoint.deployment
    if deployment is None or not deployment.precision:
        return None
    report = report_of(deployment.model)
    full = report.trial(Precision.FP32) if report else None
    if report is None or full is None:
        return None
    wished = Precision(deployment.precision)
    running = None if report.refusal(wished) else report.resolved(wished)
    rows = tuple(_row(trial, full, wished, running) for trial in report.trials)
    return PrecisionCard(rows, report.key["processor"], _agreement_label(report))


def _row(trial: Trial, full: Trial, wished: Precision, running: Precision | None) -> TriedRow:
    bounds = CHOSEN_BOUNDS if wished == Precision.AUTO else ASKED_BOUNDS
    short, row = (0.0, 0.0) if trial.missing else trial.speed_over(full)
    return TriedRow(
        name=NAMES[Precision(trial.precision)],
        trial=trial,
        short_gain=short,
        row_gain=row,
        is_running=trial.precision == running,
        remark=trial.missing or " and ".join(trial.shortfalls(bounds)),
    )


def _agreement_label(report: Report) -> str:
    if report.trials[0].agreement is None:
        return ""
    return "Same order" if report.task_type == "rerank" else "Same words"
