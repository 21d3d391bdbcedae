"""The background work: fetching a model's files and making them ready to run."""

import logging
import multiprocessing
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from endpoints import audit
from endpoints.heartbeats import repeating
from endpoints.models import Artifact, ArtifactState, Outcome, TrainedModel
from endpoints.models.model import stored
from inference.errors import InferenceError
from inference.runner.catalogue import BUILTIN_MODELS, Weights
from inference.runner.convert import ensure_graph
from inference.runner.files import discard_parts, held_to_first_seen
from inference.runner.outputs import Output
from inference.runner.pooling import choose_pooling
from inference.runner.sources import Cancelled, Progress, SourceSettings, fetch

logger = logging.getLogger(__name__)

SIGN_OF_LIFE_S = 1.0
ABANDONED_AFTER_S = 5.0

# Set when the worker is told to stop; a download then ends where it is and goes on later.
stopping = threading.Event()


def artifact_folder(artifact: Artifact) -> Path:
    folder: Path = settings.MODEL_DIR / artifact.repository.replace("/", "--")
    return folder


def model_sources() -> SourceSettings:
    """Where the files of models are looked for."""
    return SourceSettings(order=settings.MODEL_SOURCES, mirror=settings.MODEL_MIRROR or None)


def abandoned_artifacts() -> list[int]:
    """Artifacts that are wanted while nobody works on them: their message or worker was lost."""
    return list(unattended(Artifact.objects.under_way()).values_list("pk", flat=True))


def give_up(artifact: Artifact) -> int:
    """Want these files no more; what came of them by halves goes. Returns how many were wanted."""
    begun = Artifact.objects.begun().filter(pk=artifact.pk)
    is_unattended = unattended(begun).exists()
    wanted = begun.update(state=ArtifactState.ABSENT, bytes_done=0, updated_at=timezone.now())
    if wanted and is_unattended:  # else the worker does it when it ends
        discard_parts(artifact_folder(artifact))
    return wanted


def fetch_artifact(artifact_pk: int) -> None:
    """Fetch and convert the files of an artifact, unless somebody is at it or it is done."""
    wanted = unattended(Artifact.objects.under_way().filter(pk=artifact_pk))
    if not wanted.update(worked_on_at=timezone.now(), state=ArtifactState.DOWNLOADING):
        return
    artifact = Artifact.objects.get(pk=artifact_pk)
    try:
        with _signs_of_life(artifact_pk):
            _fetch_and_convert(artifact)
    except Cancelled:
        logger.info("[%s] stopped; it goes on with the next worker", artifact.repository)
    except InferenceError as exc:
        _end(artifact, ArtifactState.FAILED, str(exc))
        logger.warning("[%s] %s", artifact.repository, exc)
    except Exception as exc:
        _end(artifact, ArtifactState.FAILED, f"{type(exc).__name__}: {exc}")
        raise
    finally:
        _tidy(artifact)


def added_model(artifact: Artifact) -> TrainedModel | None:
    """The model that was added with these files; None for files of the catalogue."""
    return artifact.models.filter(published__isnull=False).first()


def weights_of(artifact: Artifact) -> Weights:
    if (added := added_model(artifact)) and (published := added.published_model):
        return published.weights
    return next(
        model.weights
        for model in BUILTIN_MODELS.values()
        if model.weights.repository == artifact.repository
    )


def removal_of(artifact: Artifact) -> Callable[[], None]:
    """What takes the files of an artifact away, to be called once its record is gone.

    A worker that is still at it takes away what it writes meanwhile.
    """
    folder = artifact_folder(artifact)
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def _tidy(artifact: Artifact) -> None:
    """Leave no half of a file where nobody wants the whole, and nothing where all is deleted."""
    state = Artifact.objects.filter(pk=artifact.pk).values_list("state", flat=True).first()
    if state is None:
        removal_of(artifact)()
    elif state == ArtifactState.ABSENT:
        discard_parts(artifact_folder(artifact))


def _fetch_and_convert(artifact: Artifact) -> None:
    folder, weights = artifact_folder(artifact), weights_of(artifact)

    def show(progress: Progress) -> None:
        artifact.has_restarted |= progress.bytes_done < artifact.bytes_done
        artifact.bytes_done = progress.bytes_done
        _go_on(
            artifact,
            has_restarted=artifact.has_restarted,
            source=progress.source,
            bytes_done=progress.bytes_done,
            bytes_total=progress.bytes_total,
            bytes_per_s=progress.bytes_per_s,
        )

    report = fetch(weights, folder, model_sources().of(weights), show, stopping.is_set)
    _go_on(
        artifact,
        state=ArtifactState.CONVERTING,
        source=report.source or artifact.source,
        bytes_per_s=0,
    )
    if added := added_model(artifact):
        _prepare(added, folder)
    convert(folder, weights.output)
    if not _end(artifact, ArtifactState.READY):
        raise Cancelled
    logger.info("[%s] is ready", artifact.repository)


def _prepare(model: TrainedModel, folder: Path) -> None:
    """Write down what the files of an added model are, and what its folder must say of it."""
    published = model.published_model
    if published is None:
        return
    if published.is_repooled and published.pooling:
        choose_pooling(folder, published.pooling)
    files = tuple(held_to_first_seen(folder, file) for file in published.weights.files)
    weights = replace(published.weights, files=files)
    TrainedModel.objects.filter(pk=model.pk).update(
        published=stored(replace(published, weights=weights))
    )


def convert(folder: Path, output: Output) -> None:
    """Build the graph in a process of its own: it takes up to twice the model's size of memory,
    and hands it back when it ends.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        process.submit(ensure_graph, folder, output).result()


@transaction.atomic
def _end(artifact: Artifact, state: ArtifactState, reason: str = "") -> int:
    """Note how it ended, also in the audit log, as done by who asked for it."""
    wanted = _note(artifact, state=state, reason=reason)
    if wanted:
        outcome = Outcome.FAILED if reason else Outcome.DONE
        for model in artifact.models.select_related("team").order_by("model_id"):
            audit.record(
                "model.fetch", model.model_id, team=model.team, outcome=outcome, reason=reason
            )
    return wanted


def _go_on(artifact: Artifact, **changes: object) -> None:
    """Write down how far it is. Raises Cancelled where nobody wants these files any more."""
    if not _note(artifact, **changes):
        raise Cancelled


def _note(artifact: Artifact, **changes: object) -> int:
    """Write this of files that are wanted. Returns how many those are, one or none."""
    wanted = Artifact.objects.under_way().filter(pk=artifact.pk)
    return wanted.update(updated_at=timezone.now(), **changes)


def unattended(artifacts: models.QuerySet[Artifact]) -> models.QuerySet[Artifact]:
    """Those that nobody is at, or whose worker gave no sign for long."""
    long_ago = timezone.now() - timedelta(seconds=ABANDONED_AFTER_S)
    return artifacts.filter(models.Q(worked_on_at=None) | models.Q(worked_on_at__lt=long_ago))


@contextmanager
def _signs_of_life(artifact_pk: int) -> Iterator[None]:
    """Show that somebody is at work, whatever the work itself is busy with."""
    artifact = Artifact.objects.filter(pk=artifact_pk)

    def beat() -> None:
        artifact.update(worked_on_at=timezone.now())

    try:
        with repeating(SIGN_OF_LIFE_S, beat):
            yield
    finally:
        artifact.update(worked_on_at=None)
