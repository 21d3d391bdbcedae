"""The timeline of each deployment: what it came to, when, and why."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import takewhile

from django.utils import timezone

from endpoints.models import ArtifactState, Deployment, DeploymentEvent, EventPhase
from inference.runner.hosts import PhaseEvent

MOST_KEPT = 100
TRYING = (EventPhase.LOADING, EventPhase.WARMING)
FILE_PHASES = {
    ArtifactState.ABSENT: EventPhase.WAITING,
    ArtifactState.QUEUED: EventPhase.WAITING,
    ArtifactState.DOWNLOADING: EventPhase.DOWNLOADING,
    ArtifactState.PAUSED: EventPhase.PAUSED,
    ArtifactState.CONVERTING: EventPhase.CONVERTING,
    ArtifactState.FAILED: EventPhase.FAILED,
}


class Timeline:
    """Writes down what the deployments of this machine go through, in steps of one thread."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[str, str]] = {}
        self._unwritten: list[PhaseEvent] = []

    def step(self, deployments: Iterable[Deployment], told: Iterable[PhaseEvent]) -> None:
        """told: by the hosts since the last step; kept until the database has taken it."""
        self._unwritten.extend(told)
        known = {deployment.deployment_id: deployment for deployment in deployments}
        while self._unwritten:
            event = self._unwritten[0]
            if deployment := known.get(event.deployment_id):
                at = datetime.fromtimestamp(event.at, UTC)
                self._note(deployment, event.phase.value, event.words, at)
            del self._unwritten[0]
        for deployment in known.values():
            if seen := without_host(deployment):
                self._note(deployment, *seen, timezone.now())
        living = {deployment.pk for deployment in known.values()}
        self._last = {pk: last for pk, last in self._last.items() if pk in living}

    def _note(self, deployment: Deployment, phase: str, reason: str, at: datetime) -> None:
        """Write an event down, unless it only says again what is so already."""
        if deployment.pk not in self._last and (newest := deployment.events.first()):
            self._last[deployment.pk] = (newest.phase, newest.reason)
        if self._last.get(deployment.pk) == (phase, reason):
            return
        # Read again: a deployment may be deleted between the look at the records and this.
        if not Deployment.objects.filter(pk=deployment.pk).exists():
            return
        if not (phase == EventPhase.FAILED and forget_try(deployment, reason)):
            DeploymentEvent.objects.create(deployment=deployment, phase=phase, reason=reason, at=at)
        self._last[deployment.pk] = (phase, reason)
        kept = deployment.events.values_list("pk", flat=True)[MOST_KEPT - 1 : MOST_KEPT]
        for oldest in kept:
            deployment.events.filter(pk__lt=oldest).delete()


def forget_try(deployment: Deployment, reason: str) -> bool:
    """Whether this failure repeats the one before it; the try between them is then forgotten.

    A model that fails all night would else push out of the timeline what happened before.
    """
    newest = list(deployment.events.all()[: len(TRYING) + 1])
    tries = list(takewhile(lambda event: event.phase in TRYING, newest))
    before = newest[len(tries)] if len(tries) < len(newest) else None
    if before is None or (before.phase, before.reason) != (EventPhase.FAILED, reason):
        return False
    deployment.events.filter(pk__gt=before.pk).delete()
    return True


def without_host(deployment: Deployment) -> tuple[str, str] | None:
    """What a deployment is at that no process can run for now, and why; None for any other."""
    artifact = deployment.model.artifact
    if artifact and not artifact.is_ready:
        phase = FILE_PHASES[ArtifactState(artifact.state)]
        return phase, artifact.reason if phase == EventPhase.FAILED else ""
    if not deployment.num_allocations:
        return EventPhase.RESTING, ""
    return None
