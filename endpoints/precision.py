"""In which precision a deployment runs: asked for in its record, judged by its model's report."""

import fcntl
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from endpoints import caching
from endpoints.jobs import artifact_folder, stopping
from endpoints.models import ArtifactState, Deployment, TrainedModel
from inference.runner.layout import graph_in
from inference.runner.precision.report import (
    Precision,
    Report,
    failed,
    forget_failure,
    missing_for,
    read_report,
    write_report,
)
from inference.types import TaskType

logger = logging.getLogger(__name__)

MEASURING = (
    "measuring: the model's lower precisions are compared with full precision on this machine, "
    "which is needed only once"
)
LOCK_FILE = ".precision.lock"
POLL_S = 0.2
UNTRIED = ("", Precision.FP32)


@dataclass(frozen=True)
class Verdict:
    """precision: what to run in; None where it is not known yet, or not allowed. reason: why.

    With both it is the precision of before, which stays until the wish is known to be good enough,
    or for ever where it is refused.
    """

    precision: Precision | None
    reason: str = ""
    is_refused: bool = False


def verdict(deployment: Deployment) -> Verdict:
    """What a deployment whose files are ready may run in. Asks the database nothing."""
    asked = judged(deployment.model, wished_by(deployment))
    before = deployment.running_precision
    if asked.precision is not None or not before:
        return asked
    return replace(asked, precision=judged(deployment.model, Precision(before)).precision)


def wished_by(deployment: Deployment) -> Precision:
    return Precision(deployment.precision or Precision.FP32)


def judged(model: TrainedModel, wished: Precision) -> Verdict:
    """What a model whose files are ready may run in where this is wished."""
    if not wished.is_tried:
        return Verdict(wished)
    report = report_of(model)
    if report is None:
        return Verdict(None, MEASURING)
    if refusal := report.refusal(wished):
        return Verdict(None, refusal, is_refused=True)
    return Verdict(report.resolved(wished))


def folder_of(model: TrainedModel) -> Path:
    """Of a published model; only those are tried."""
    assert model.artifact  # noqa: S101 - an upload is asked for in no precision
    return artifact_folder(model.artifact)


def report_of(model: TrainedModel) -> Report | None:
    """What the trials of a model found on this machine; None where none were made."""
    return read_report(folder_of(model), TaskType(model.task_type))


def try_again(model: TrainedModel) -> None:
    """Have trials that failed made anew."""
    with suppress(FileNotFoundError):
        forget_failure(folder_of(model), TaskType(model.task_type))


def report_if_here(model: TrainedModel) -> Report | None:
    """None as well where its files are not here."""
    return report_of(model) if model.has_files else None


def refusal(report: Report | None, wished: Precision) -> str:
    """Why a model with this report cannot run in this, in words.

    Empty where it can, or where nobody knows yet.
    """
    if missing := missing_for(wished):
        return f"[{wished}] cannot be used here: {missing}"
    return report.refusal(wished) if report and not report.failure else ""


def note_running(deployment: Deployment, precision: str) -> None:
    """Write down what a deployment runs in now.

    What is kept of its answers was computed in another, and is not given again.
    """
    before = deployment.running_precision
    if precision == before:
        return
    deployment.stats = deployment.stats | {"precision": precision}
    Deployment.objects.filter(pk=deployment.pk).update(stats=deployment.stats)
    if before:
        for endpoint in deployment.endpoints.all():
            caching.begin_anew(endpoint)


def untried_models() -> list[int]:
    """Models whose deployments wait for trials that nobody is making."""
    wanted = (
        TrainedModel.objects.filter(artifact__state=ArtifactState.READY)
        .filter(pk__in=Deployment.objects.exclude(precision__in=UNTRIED).values("model"))
        .select_related("artifact")
    )
    return [
        model.pk
        for model in wanted
        if _has_graph(model) and report_of(model) is None and not _is_under_way(model)
    ]


def try_model(model_pk: int) -> None:
    """Make the trials of a model, unless they are made, under way, or its files are missing."""
    model = (
        TrainedModel.objects.filter(pk=model_pk, artifact__state=ArtifactState.READY)
        .select_related("artifact")
        .first()
    )
    if model is None or not _has_graph(model):
        return
    folder = folder_of(model)
    with _hold(folder) as is_ours:
        if is_ours and report_of(model) is None:
            _run_trials(model, folder)


def _run_trials(model: TrainedModel, folder: Path) -> None:
    """Wait for the process that makes them; it ends with the worker."""
    arguments = [str(folder), model.task_type, str(model.facts.max_input_tokens)]
    process = subprocess.Popen(  # noqa: S603 - our own module with our own arguments
        [sys.executable, "-m", "inference.runner.precision", *arguments],
        cwd=settings.BASE_DIR,
        # The other cores are for those who are served meanwhile.
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
    )
    while process.poll() is None:
        if stopping.wait(POLL_S):
            process.kill()
            process.wait()
            return
    if report_of(model) is None:
        reason = f"the process that compared them ended with status {process.returncode}"
        logger.warning("[%s] %s", model.model_id, reason)
        write_report(folder, failed(folder, TaskType(model.task_type), reason))


@contextmanager
def _hold(folder: Path) -> Iterator[bool]:
    """Whether nobody else makes trials in this folder, and from now on nobody can."""
    # The file stays: deleting a lock file lets two holders have "the" lock at once.
    with (folder / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _is_under_way(model: TrainedModel) -> bool:
    with _hold(folder_of(model)) as is_free:
        return not is_free


def _has_graph(model: TrainedModel) -> bool:
    """Whether there is anything to try; somebody may have cleared the folder."""
    return graph_in(folder_of(model)).exists()
