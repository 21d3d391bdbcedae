"""What the pages tell of a deployment: how it is, what it takes, and what it went through."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.text import capfirst

from console.pages.allocations import EachAllocation, each_allocation
from console.pages.precision import PrecisionNow, precision_now
from endpoints.access import may, sees
from endpoints.fitting import Expected, expected_of
from endpoints.models import (
    Deployment,
    DeploymentEvent,
    DeploymentState,
    Endpoint,
    Team,
    User,
)
from endpoints.models.deployment import DeploymentQuerySet
from endpoints.permissions import Action
from endpoints.precision import wished_by

SHOWN_EVENTS = 12
# More words than these are no name of a state.
LONGEST_WORDS = 24
MOST_EVENTS_READ = 500


@dataclass(frozen=True)
class ShownDeployment:
    """endpoint: the one that it was started for, and is changed as. others: that also use it, of
    which hidden_count may not be told. memory_bytes: with the allocations that it has now; None
    where nobody knows. events: what it went through, where that may be told.
    """

    deployment: Deployment
    team: Team | None
    endpoint: Endpoint | None
    others: list[Endpoint]
    hidden_count: int
    memory_bytes: int | None
    is_measured: bool
    events: list[DeploymentEvent]

    @property
    def look(self) -> str:
        """The state as the style sheets know it."""
        state = DeploymentState(self.deployment.state)
        if state != DeploymentState.STARTED:
            return state.value
        return "running" if self.deployment.num_allocations else "resting"

    @property
    def words(self) -> str:
        if self.look == "resting":
            return "Resting: a call wakes it"
        if self.look == "waiting" and self.deployment.reason:
            kind, explained, _ = self.deployment.reason.partition(": ")
            return capfirst(kind) if explained and len(kind) <= LONGEST_WORDS else "Waiting"
        return capfirst(self.deployment.words)

    @property
    def why(self) -> str:
        """Why it waits or failed, as far as its words do not say it."""
        if self.look not in ("waiting", "failed"):
            return ""
        reason = self.deployment.reason
        return capfirst(reason.removeprefix(f"{self.words.lower()}: "))

    @property
    def stats(self) -> dict[str, Any]:
        counted: dict[str, Any] = self.deployment.stats
        return counted

    @property
    def can_change(self) -> bool:
        """What runs can; what does not may run in another precision."""
        deployment = self.deployment
        return deployment.state == DeploymentState.STARTED or not deployment.model.is_uploaded

    @property
    def each(self) -> EachAllocation | None:
        return each_allocation(self.deployment)

    @property
    def precision(self) -> PrecisionNow:
        return precision_now(self.deployment)

    @property
    def last_access(self) -> datetime | None:
        told: int | None = self.stats.get("last_access")
        return datetime.fromtimestamp(told / 1000, UTC) if told else None

    @property
    def failures(self) -> int:
        return sum(self.stats.get(name, 0) for name in FAILURES)


FAILURES = ("error_count", "timeout_count", "rejected_execution_count")


def shown_deployments(user: User, deployments: DeploymentQuerySet) -> list[ShownDeployment]:
    """As many queries as for one, however many there are."""
    found = list(
        deployments.select_related("team")
        .prefetch_related("endpoints__team", "endpoints__shares")
        .order_by("deployment_id")
    )
    expected = expected_by_precision(found)
    events = events_of(user, found)
    return [shown(user, one, expected, events.get(one.pk, [])) for one in found]


def shown(
    user: User,
    deployment: Deployment,
    expected: dict[tuple[str, str], Expected],
    events: list[DeploymentEvent],
) -> ShownDeployment:
    users = list(deployment.endpoints.all())
    told = [one for one in users if sees(user, one)]
    own = next((one for one in told if one.inference_id == deployment.deployment_id), None)
    known = expected.get((deployment.model.model_id, wished_by(deployment)))
    return ShownDeployment(
        deployment=deployment,
        team=own.team if own else deployment.team,
        endpoint=own,
        others=[one for one in told if one != own],
        hidden_count=len(users) - len(told),
        memory_bytes=known.with_allocations(deployment.current_allocations) if known else None,
        is_measured=bool(known and known.is_measured),
        events=events[:SHOWN_EVENTS],
    )


def expected_by_precision(
    deployments: Iterable[Deployment],
) -> dict[tuple[str, str], Expected]:
    """What a warm model takes, by its id and the precision; of an upload nobody can tell."""
    facts: dict[str, dict[str, Any]] = {}
    for one in deployments:
        if not one.model.is_uploaded:
            facts.setdefault(wished_by(one), {})[one.model.model_id] = one.model.facts
    return {
        (model_id, precision): found
        for precision, models in facts.items()
        for model_id, found in expected_of(models.values(), precision).items()
    }


def events_of(user: User, deployments: list[Deployment]) -> dict[int, list[DeploymentEvent]]:
    """What each went through, the newest first."""
    if not may(user, Action.DEPLOYMENT_EVENTS):
        return {}
    found: dict[int, list[DeploymentEvent]] = {}
    events = DeploymentEvent.objects.filter(deployment__in=[one.pk for one in deployments])
    for event in events[:MOST_EVENTS_READ]:
        found.setdefault(event.deployment_id, []).append(event)
    return found
