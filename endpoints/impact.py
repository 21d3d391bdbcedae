"""What a change of an endpoint would touch, told before it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from endpoints import actions, providers
from endpoints.models import CallerDay, Endpoint, User
from endpoints.references import References, references_to
from inference.services import fingerprint_of

LATELY_DAYS = 30
MOST_CALLERS = 5


@dataclass(frozen=True)
class Caller:
    """requests: within the last days. called_at: the last of them."""

    name: str
    requests: int
    called_at: datetime


@dataclass(frozen=True)
class Scaled:
    """How many allocations a running deployment has, and would have."""

    before: int
    after: int


@dataclass(frozen=True)
class Impact:
    """callers: those that called most lately, of caller_count. scaled: None where nothing scales.

    changes_vectors: whether new vectors would not match those that were made before.
    """

    references: References
    callers: tuple[Caller, ...]
    caller_count: int
    scaled: Scaled | None
    changes_vectors: bool

    @property
    def spoils_indices(self) -> bool:
        """Whether something keeps vectors that would not match any more, as far as is known."""
        return self.changes_vectors and bool(self.references)


def impact_of(actor: User, endpoint: Endpoint, changes: Mapping[str, Any]) -> Impact:
    """changes: as an update would be asked. Raises what a refused update raises."""
    secrets = providers.secrets_to_change(endpoint, changes)
    checked = actions.check_update(endpoint, changes, secrets)
    fingerprint = fingerprint_of(actions.with_model(endpoint, checked))
    callers = callers_of(endpoint)
    return Impact(
        references_to(actor, endpoint.inference_id),
        tuple(callers[:MOST_CALLERS]),
        len(callers),
        scaled_by(endpoint, changes),
        bool(endpoint.fingerprint) and fingerprint != endpoint.fingerprint,
    )


def callers_of(endpoint: Endpoint) -> list[Caller]:
    """Who called it lately, most calls first."""
    since = timezone.now().date() - timedelta(days=LATELY_DAYS)
    found = (
        CallerDay.objects.calls()
        .filter(endpoint=endpoint, day__gte=since)
        .values("user__username")
        .annotate(total=models.Sum("requests"), last=models.Max("called_at"))
        .order_by("-total", "user__username")
    )
    return [Caller(row["user__username"], row["total"], row["last"]) for row in found]


def scaled_by(endpoint: Endpoint, changes: Mapping[str, Any]) -> Scaled | None:
    wished = (changes.get("service_settings") or {}).get("num_allocations")
    deployment = endpoint.deployment
    if not isinstance(wished, int) or deployment is None:
        return None
    before = deployment.num_allocations
    return Scaled(before, wished) if wished != before else None
