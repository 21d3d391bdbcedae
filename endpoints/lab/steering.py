"""Starting, stopping and going on with the embedding of a run."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from endpoints import tasks
from endpoints.lab.cuts import cut_of
from endpoints.lab.embedding import plan_for, searchable
from endpoints.models import LabRun, LabState, User
from endpoints.models.lab import SIDES
from inference.chunking.settings import ChunkingSettings


def start(
    user: User, run: LabRun, inference_id: str, settings: Mapping[str, ChunkingSettings]
) -> None:
    """Have both sides embedded, in place of what was. Raises what `searchable` raises."""
    endpoint = searchable(user, inference_id)
    plan = plan_for({side: cut_of(run, settings[side]) for side in SIDES})
    with transaction.atomic():
        run.batches.all().delete()
        run.state, run.reason, run.worked_on_at = LabState.RUNNING, "", None
        run.attempt += 1
        run.inference_id = endpoint.inference_id
        run.chunking = {side: settings[side].to_response() for side in SIDES}
        run.wanted, run.reach, run.vectors = dict(plan.wanted), plan.reach, {}
        run.embedded, run.took_ms = dict.fromkeys(SIDES, 0), dict.fromkeys(SIDES, 0.0)
        run.save()
        tasks.embed_lab_run.delay_on_commit(run.pk)


def go_on(user: User, run: LabRun) -> None:
    """Embed the rest of what was stopped, or of what failed. Raises what `searchable` raises."""
    searchable(user, run.inference_id)
    with transaction.atomic():
        again = LabRun.objects.filter(pk=run.pk, state__in=(LabState.STOPPED, LabState.FAILED))
        if again.update(state=LabState.RUNNING, reason="", updated_at=timezone.now()):
            tasks.embed_lab_run.delay_on_commit(run.pk)


def stop(run: LabRun) -> None:
    """After the call that is under way; what is embedded stays."""
    mine = LabRun.objects.under_way().filter(pk=run.pk)
    mine.update(state=LabState.STOPPED, updated_at=timezone.now())
