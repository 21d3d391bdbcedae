"""Gives deployments as many allocations as they need, where that follows the load."""

import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from endpoints.models import Deployment, DeploymentState
from inference.runner.adaptive import Bounds, Load, Scaler
from inference.runner.statistics import Statistics
from inference.services.elasticsearch import AdaptiveAllocations

INTERVAL_S = 10.0

logger = logging.getLogger(__name__)


@dataclass
class Followed:
    """One deployment that adapts: its scaler, and what was counted when it was last looked at."""

    scaler: Scaler
    adaptive: AdaptiveAllocations
    seen: Statistics
    seen_at: float


class Scaling:
    """Looked after by the one runner of a machine. clock: seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._followed: dict[str, Followed] = {}

    def step(
        self,
        deployments: Iterable[Deployment],
        statistics: Callable[[str], Statistics | None],
    ) -> None:
        """Look at those whose time has come, and write down what they shall have."""
        adapting = {
            deployment.deployment_id: deployment
            for deployment in deployments
            if (deployment.adaptive_allocations or {}).get("enabled")
            and deployment.state == DeploymentState.STARTED
            and deployment.num_allocations
        }
        for gone in self._followed.keys() - adapting:
            del self._followed[gone]
        now = self._clock()
        for deployment_id, deployment in adapting.items():
            counted = statistics(deployment_id)
            if counted is None:
                continue  # between two hosts
            followed = self._follow(deployment, counted, now)
            if now - followed.seen_at >= INTERVAL_S:
                load = load_between(followed.seen, counted, now - followed.seen_at)
                followed.seen, followed.seen_at = counted, now
                wanted = followed.scaler.wanted(load, deployment.num_allocations, now)
                if wanted != deployment.num_allocations:
                    scale(deployment, wanted)

    def _follow(self, deployment: Deployment, counted: Statistics, now: float) -> Followed:
        adaptive = AdaptiveAllocations.model_validate(deployment.adaptive_allocations)
        followed = self._followed.get(deployment.deployment_id)
        if followed is None:
            scaler = Scaler(
                bounds_of(adaptive, deployment), now, idle_after_s=settings.SCALE_TO_ZERO_S
            )
            followed = Followed(scaler, adaptive, counted, now)
            self._followed[deployment.deployment_id] = followed
        elif followed.adaptive != adaptive:
            followed.adaptive = adaptive
            followed.scaler.bounds = bounds_of(adaptive, deployment)
        return followed


def bounds_of(adaptive: AdaptiveAllocations, deployment: Deployment) -> Bounds:
    """More allocations than the machine can run at a time are of no use, unless asked for."""
    least, most = adaptive.min_number_of_allocations, adaptive.max_number_of_allocations
    useful = max(1, (os.cpu_count() or 1) // deployment.num_threads)
    return Bounds(least, max(least or 0, min(useful, most or useful)))


def load_between(before: Statistics, after: Statistics, span_s: float) -> Load:
    """What a deployment had to do meanwhile; the counts of a fresh runner begin at nothing."""

    answered = max(0, after.answered - before.answered)
    others = (
        after.pending - before.pending,
        after.failed - before.failed,
        after.timed_out - before.timed_out,
        after.rejected - before.rejected,
    )
    busy_s = max(0.0, after.busy_s - before.busy_s)
    return Load(
        requests=answered + sum(max(0, count) for count in others),
        time_s=busy_s / answered if answered else None,
        span_s=span_s,
    )


def scale(deployment: Deployment, allocations: int) -> None:
    """Change the number, unless somebody else changed it meanwhile."""
    before = deployment.num_allocations
    asked = Deployment.objects.filter(pk=deployment.pk, num_allocations=before)
    if asked.update(num_allocations=allocations, updated_at=timezone.now()):
        logger.info("[%s] from %d allocations to %d", deployment, before, allocations)
