"""What the pages of endpoints and models tell of a model's precisions."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from endpoints.models import Deployment, DeploymentState, Endpoint, TrainedModel
from endpoints.precision import refusal, report_if_here, report_of, verdict
from inference.runner.precision.report import (
    ASKED_BOUNDS,
    CHOSEN_BOUNDS,
    Measure,
    Precision,
    Report,
    Trial,
)
from inference.runner.process import SUCCESSOR_FAILED

NAMES = {
    Precision.FP32: "Full (fp32)",
    Precision.INT8: "Bytes (int8)",
    Precision.MIXED: "Bytes but for the attention (mixed)",
    Precision.BF16: "Half (bf16)",
    Precision.AUTO: "The fastest without a visible loss",
}


# What each of them means, for who has to choose.
MEANINGS = {
    Precision.FP32: "As the model was made: nothing is lost.",
    Precision.AUTO: "The fastest whose results cannot be told from those of full precision; full "
    "precision where none is.",
    Precision.INT8: "The fastest as a rule. The results are near those of full precision, and not "
    "the same.",
    Precision.MIXED: "As bytes, but what is most easily lost stays in full precision.",
    Precision.BF16: "Nearly as exact as full precision, on processors that are made for it.",
}


MEASURES = {
    Measure.VECTORS: "the vectors of probe texts, by their cosines",
    Measure.STATES: (
        "the mean token states of probe texts, by their cosines, and what is made of them"
    ),
    Measure.WEIGHTS: (
        "the weighted tokens of probe texts: how many of the strongest are the same, and how much "
        "of a text's weight is another"
    ),
    Measure.SCORES: (
        "the scores of passages for probe questions: their order, and the largest change as a "
        "share of how far apart all scores are"
    ),
}


@dataclass(frozen=True)
class Figure:
    """decimals: as many as mean something."""

    label: str
    value: float
    decimals: int


@dataclass(frozen=True)
class TriedRow:
    """One precision in figures. short_gain, row_gain: times as fast as full precision.

    nearness: to full precision, by the report's measure. remark: why it does not run, where it
    cannot.
    """

    name: str
    trial: Trial
    nearness: tuple[Figure, ...]
    short_gain: float
    row_gain: float
    is_running: bool
    remark: str


@dataclass(frozen=True)
class PrecisionCard:
    """measure: what was compared, in words."""

    rows: tuple[TriedRow, ...]
    processor: str
    measure: str


@dataclass(frozen=True)
class Option:
    """One precision that can be chosen. measured: in words; empty where nothing was.

    why_not: why it cannot be, in words.
    """

    value: Precision
    name: str
    meaning: str
    measured: str
    why_not: str
    is_running: bool


@dataclass(frozen=True)
class PrecisionNow:
    """name: of what runs. words: what is on its way instead. problem: why it does not get there."""

    name: str
    words: str = ""
    problem: str = ""


def precision_now(deployment: Deployment) -> PrecisionNow:
    """What a deployment computes in, and what becomes of the wish for another."""
    running = deployment.running_precision
    if deployment.state != DeploymentState.STARTED or not running or deployment.model.is_uploaded:
        return PrecisionNow(precision_name(deployment.precision))
    name, found = NAMES[Precision(running)], verdict(deployment)
    wished = precision_name(deployment.precision)
    if found.is_refused:
        return PrecisionNow(name, problem=f"It stays like this. {found.reason}.")
    if found.reason:
        return PrecisionNow(name, f"{wished} is wished, and compared with full precision first.")
    if found.precision == running:
        return PrecisionNow(name)
    if SUCCESSOR_FAILED in deployment.reason:
        return PrecisionNow(name, problem=f"It cannot be changed yet: {deployment.reason}.")
    return PrecisionNow(name, f"{wished} is being loaded.")


def precision_options(deployment: Deployment) -> list[Option]:
    """All there are, with what the trials found of each on this machine."""
    report = report_if_here(deployment.model)
    return [
        Option(
            value=one,
            name=precision_name(one),
            meaning=meaning,
            measured=_measured(report, one),
            why_not=refusal(report, one),
            is_running=deployment.running_precision == one,
        )
        for one, meaning in MEANINGS.items()
    ]


def _measured(report: Report | None, precision: Precision) -> str:
    if precision == Precision.FP32:
        return ""
    if report is None or report.failure:
        return "Not compared on this machine yet: that comes first."
    if precision == Precision.AUTO:
        return f"Here that is {NAMES[report.choice]}."
    full, trial = report.trial(Precision.FP32), report.trial(precision)
    if full is None or trial is None or trial.missing:
        return ""
    short, row = trial.speed_over(full)
    words = [f"{short:.1f} times as fast for a short text, {row:.1f} times for many"]
    if trial.lowest_cosine is not None:
        words.append(f"cosine to full precision {trial.lowest_cosine:.4f} or more")
    if trial.agreement is not None:
        words.append(f"{100 * trial.agreement:.1f} % in agreement with it")
    return "Measured here: " + "; ".join(words) + "."


def precision_name(precision: str) -> str:
    """What a deployment was asked to compute in, in words."""
    return NAMES[Precision(precision or Precision.FP32)]


def precision_card(endpoint: Endpoint) -> PrecisionCard | None:
    """The trials behind an endpoint that asked for a precision; None where there are none yet."""
    deployment = endpoint.deployment
    if deployment is None or not deployment.precision:
        return None
    return _card(deployment.model, Precision(deployment.precision), [deployment])


def model_precision(model: TrainedModel) -> PrecisionCard | None:
    """The trials of a model, whoever asked for them; None where there are none."""
    if model.is_uploaded or not model.has_files:
        return None
    running = model.deployments.filter(state=DeploymentState.STARTED)
    return _card(model, Precision.FP32, running)


def _card(
    model: TrainedModel, wished: Precision, deployments: Iterable[Deployment]
) -> PrecisionCard | None:
    report = report_of(model)
    full = report.trial(Precision.FP32) if report else None
    if report is None or full is None:
        return None
    asked = {Precision(one.precision or Precision.FP32) for one in deployments}
    running = {report.resolved(one) for one in asked if not report.refusal(one)}
    rows = tuple(_row(report, trial, full, wished, running) for trial in report.trials)
    return PrecisionCard(rows, report.key["processor"], MEASURES[Measure(report.measure)])


def _row(
    report: Report,
    trial: Trial,
    full: Trial,
    wished: Precision,
    running: Collection[Precision],
) -> TriedRow:
    bounds = CHOSEN_BOUNDS if wished == Precision.AUTO else ASKED_BOUNDS
    short, row = (0.0, 0.0) if trial.missing else trial.speed_over(full)
    return TriedRow(
        name=NAMES[Precision(trial.precision)],
        trial=trial,
        nearness=_nearness(report, trial),
        short_gain=short,
        row_gain=row,
        is_running=trial.precision in running,
        remark=trial.missing or " and ".join(trial.shortfalls(bounds)),
    )


def _nearness(report: Report, trial: Trial) -> tuple[Figure, ...]:
    """Those that the measure has."""
    figures = (
        ("Cosine, lowest", trial.lowest_cosine, 5),
        ("Cosine of 95 in 100", trial.low_cosine, 5),
        ("Cosine, mean", trial.mean_cosine, 5),
        ("Same order" if report.task_type == "rerank" else "Same words", trial.agreement, 3),
        ("Largest difference", trial.largest_difference, 3),
    )
    return tuple(
        Figure(label, value, decimals) for label, value, decimals in figures if value is not None
    )
