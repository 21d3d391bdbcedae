"""Embedding both sides of a run in the background, a few chunks at a time.

It goes on when nobody looks, can be stopped between two calls, and is taken up by another worker
where one died.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from endpoints import calls  # which reach this by the jobs; its names are there later
from endpoints.access import get_endpoint, require
from endpoints.heartbeats import repeating
from endpoints.jobs import stopping
from endpoints.lab.cuts import cut_of
from endpoints.models import Endpoint, LabBatch, LabRun, LabState, User
from endpoints.models.lab import SIDES
from endpoints.permissions import Action
from inference.chunking.cut import Cut
from inference.chunking.settings import parse_chunking
from inference.errors import InferenceError, InvalidRequest
from inference.retrieval import COSINE, pack
from inference.types import (
    InferenceRequest,
    InputType,
    SparseEmbeddings,
    TaskType,
    TextEmbeddings,
)

logger = logging.getLogger(__name__)

SEARCHED = (TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING, TaskType.EMBEDDING)
# Of each side; of a longer document only the start is embedded, the same part for both.
MOST_CHUNKS = 400
BATCH = 10
TIMEOUT_S = 60.0
SIGN_OF_LIFE_S = 1.0
ABANDONED_AFTER_S = 5.0


@dataclass(frozen=True)
class Plan:
    """wanted: how many chunks of each side. reach: how far into the text both go together."""

    wanted: Mapping[str, int]
    reach: int

    @property
    def chunks(self) -> int:
        return sum(self.wanted.values())


def plan_for(cuts: Mapping[str, Cut]) -> Plan:
    """What is embedded of the sides: all, or as much of the same start as is allowed."""
    too_long = [int(cut.ends[MOST_CHUNKS - 1]) for cut in cuts.values() if len(cut) > MOST_CHUNKS]
    if not too_long:
        reach = max(int(cut.ends[-1]) for cut in cuts.values())
        return Plan({side: len(cut) for side, cut in cuts.items()}, reach)
    reach = min(too_long)
    return Plan({side: min(cut.up_to(reach), MOST_CHUNKS) for side, cut in cuts.items()}, reach)


def searchable(user: User, inference_id: str) -> Endpoint:
    """The endpoint, for somebody who may call it. Raises NotFound, Forbidden or InvalidRequest."""
    require(user, Action.INFER)
    endpoint = get_endpoint(user, inference_id, to=Action.INFER)
    if endpoint.task not in SEARCHED:
        raise InvalidRequest(
            f"[{inference_id}] makes no vectors: choose one for text or sparse embeddings"
        )
    return endpoint


def abandoned_runs() -> list[int]:
    """Runs that are to be embedded while nobody works on them."""
    return list(unattended(LabRun.objects.under_way()).values_list("pk", flat=True))


def unattended(runs: models.QuerySet[LabRun]) -> models.QuerySet[LabRun]:
    long_ago = timezone.now() - timedelta(seconds=ABANDONED_AFTER_S)
    return runs.filter(models.Q(worked_on_at=None) | models.Q(worked_on_at__lt=long_ago))


def embed_run(run_pk: int) -> None:
    """Embed what is left of a run, unless somebody is at it or it is done."""
    wanted = unattended(LabRun.objects.under_way().filter(pk=run_pk))
    if not wanted.update(worked_on_at=timezone.now()):
        return
    run = LabRun.objects.filter(pk=run_pk).first()
    if run is None:
        return  # it was thrown away meanwhile
    mine = LabRun.objects.filter(pk=run_pk, attempt=run.attempt)

    def beat() -> None:
        mine.update(worked_on_at=timezone.now())

    try:
        with repeating(SIGN_OF_LIFE_S, beat):
            _embed(run)
    except InferenceError as exc:
        _fail(run, str(exc))
    except Exception as exc:
        _fail(run, f"{type(exc).__name__}: {exc}")
        raise
    finally:
        mine.update(worked_on_at=None)


def _fail(run: LabRun, reason: str) -> None:
    _note(run, state=LabState.FAILED, reason=reason)
    logger.warning("lab run [%s]: %s", run.key, reason)


def _embed(run: LabRun) -> None:
    for side in SIDES:
        cut = cut_of(run, parse_chunking(run.settings_of(side)))
        while (first := run.embedded[side]) < run.wanted[side]:
            if stopping.is_set():
                return  # the next worker goes on
            # Asked anew each time: who may no longer call it does not.
            owner = User.objects.get(pk=run.owner_id, is_active=True)
            endpoint = searchable(owner, run.inference_id)
            texts = cut.texts(run.text, first, min(first + BATCH, run.wanted[side]))
            started = perf_counter()
            request = InferenceRequest(tuple(texts), input_type=InputType.INGEST)
            result = calls.run_inference(endpoint, request, TIMEOUT_S, owner, is_trial=True)
            if not isinstance(result, TextEmbeddings | SparseEmbeddings):
                raise InvalidRequest(f"[{run.inference_id}] makes no vectors")
            run.took_ms[side] += calls.since_ms(started)
            run.embedded[side] = first + len(texts)
            run.vectors = told_of(endpoint, result)
            if not _keep(run, side, first, pack(result)):
                return  # stopped, or begun anew
    _note(run, state=LabState.DONE)


def _keep(run: LabRun, side: str, first: int, content: bytes) -> bool:
    """Write vectors down, and how far it is. Returns whether more of them are wanted."""
    with transaction.atomic():
        wanted = _note(run, embedded=run.embedded, took_ms=run.took_ms, vectors=run.vectors)
        if wanted:
            LabBatch.objects.create(run=run, side=side, first=first, content=content)
    return bool(wanted)


def _note(run: LabRun, **changes: Any) -> int:
    """Write this of a run whose vectors are still wanted. Returns how many those are, 0 or 1."""
    wanted = LabRun.objects.under_way().filter(pk=run.pk, attempt=run.attempt)
    return wanted.update(updated_at=timezone.now(), **changes)


def told_of(endpoint: Endpoint, result: TextEmbeddings | SparseEmbeddings) -> dict[str, Any]:
    """How vectors are stored and compared; nothing for sparse ones."""
    if isinstance(result, SparseEmbeddings):
        return {}
    return {
        "element_type": result.element_type.value,
        "width": result.vectors.shape[1],
        "similarity": endpoint.known_settings.get("similarity") or COSINE,
    }
