"""What somebody should look at now, of all they see: what it is, why, and what to do about it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from endpoints.access import allowed_teams, may, visible_clusters, visible_endpoints
from endpoints.keys import visible_keys
from endpoints.models import (
    ClusterReference,
    Endpoint,
    Heartbeat,
    NameInIndex,
    NameInPipeline,
    ScanState,
    User,
)
from endpoints.models.endpoint import EndpointQuerySet
from endpoints.named import missing_to
from endpoints.permissions import Action
from endpoints.status import BY_ATTENTION, State, in_states, ranked, status_of
from inference.references.cluster import Kind as Reference
from inference.services import SERVICES

# Of each kind: whoever has more of them is told how many.
MOST = 5
# So many calls of an endpoint must have failed today, and so many of a hundred.
WORTH_TELLING, PERCENT_WORTH_TELLING = 5, 5
NOT_THERE = "it, and it is not there."
REPLACE = "Create an endpoint of this name, or let what uses it name another."
KEY_ENDS_WITHIN = timedelta(days=7)
LOCAL = [name for name, service in SERVICES.items() if not service.is_remote]


class Kind(StrEnum):
    PART = "part"
    ENDPOINT = "endpoint"
    CALLS = "calls"
    CLUSTER = "cluster"
    LOST = "lost"
    LOST_INDEX = "lost_index"
    LOST_PIPELINE = "lost_pipeline"
    KEY = "key"


@dataclass(frozen=True)
class Concern:
    """name: of the thing. others: how many more of the kind there are than are told.

    ref: what leads to the thing where that is not its name.
    """

    kind: Kind
    name: str
    reason: str
    remedy: str = ""
    others: int = 0
    ref: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether something does not work, rather than that it soon may not."""
        return self.kind in (Kind.PART, Kind.ENDPOINT)


@dataclass(frozen=True)
class Totals:
    """How many endpoints are how, and what was asked of them today, in UTC."""

    ready: int
    idle: int
    moving: int
    failed: int
    requests: int
    errors: int

    @property
    def endpoints(self) -> int:
        return self.ready + self.idle + self.moving + self.failed


def concerns_of(user: User) -> list[Concern]:
    endpoints = visible_endpoints(user)
    return [
        *silent_parts(endpoints),
        *failed_endpoints(endpoints),
        *failing_calls(endpoints),
        *clusters_in_doubt(user),
        *lost_references(user),
        *ending_keys(user),
    ]


def silent_parts(endpoints: EndpointQuerySet) -> Iterator[Concern]:
    """Without models of its own here, nobody misses who runs them."""
    if not endpoints.own().filter(service__in=LOCAL).exists():
        return
    alive = set(Heartbeat.objects.fresh().values_list("part", flat=True))
    words = {
        "runner": "models cannot start or answer until it runs again.",
        "worker": "downloads, scans and the lab wait until it runs again.",
    }
    for part in sorted(words.keys() - alive):
        yield Concern(
            Kind.PART,
            part,
            f"The {part} gives no sign of life: {words[part]}",
            "Look at its log, then start it again.",
        )


def failed_endpoints(endpoints: EndpointQuerySet) -> Iterator[Concern]:
    failed = in_states(endpoints, State.FAILED)
    rows = list(failed.with_status().order_by("inference_id")[: MOST + 1])
    others = failed.count() - MOST if len(rows) > MOST else 0
    for place, endpoint in enumerate(rows[:MOST], start=1):
        status = status_of(endpoint)
        more = others if place == MOST else 0
        yield Concern(Kind.ENDPOINT, endpoint.inference_id, status.detail, status.advice, more)


def failing_calls(endpoints: EndpointQuerySet) -> Iterator[Concern]:
    """Endpoints that run, but of whose calls today many failed."""
    many = F("latest_usage__requests") * PERCENT_WORTH_TELLING / 100
    running = in_states(endpoints, *set(State) - {State.FAILED})
    failing = called_today(running).filter(
        Q(latest_usage__errors__gte=WORTH_TELLING) & Q(latest_usage__errors__gte=many)
    )
    for endpoint in failing.order_by("-latest_usage__errors")[:MOST]:
        today = endpoint.latest_usage
        yield Concern(
            Kind.CALLS,
            endpoint.inference_id,
            f"{today.errors:,} of {today.requests:,} calls failed today.",
            "Diagnose it: that makes one real call, and says what is wrong.",
        )


def clusters_in_doubt(user: User) -> Iterator[Concern]:
    """Clusters of which nobody can say what they use; one that waits for its first scan is none."""
    if not may(user, Action.CLUSTER_GET):
        return
    doubted = [
        each for each in visible_clusters(user) if each.state in (ScanState.FAILED, ScanState.STALE)
    ]
    for cluster in doubted[:MOST]:
        yield Concern(
            Kind.CLUSTER,
            cluster.name,
            f"It cannot be said what it uses: {cluster.doubt}.",
            "Until it is scanned again, nothing that it may use should be deleted.",
        )


def lost_references(user: User) -> Iterator[Concern]:
    """What is used and is not there. Only who sees every endpoint can know that of one."""
    if allowed_teams(user, Action.GET) is not None:
        return
    yield from lost_here(user)
    if not may(user, Action.CLUSTER_GET):
        return
    lost = (
        ClusterReference.objects.filter(cluster__in=visible_clusters(user))
        .exclude(inference_id__in=Endpoint.objects.values("inference_id"))
        .values("inference_id", "cluster__name")
        .annotate(count=Count("pk"))
        .order_by("-count", "inference_id")
    )
    for row in lost[:MOST]:
        count, name = row["count"], row["cluster__name"]
        reason = f"{name} uses it in {count} place{'s' if count > 1 else ''}, and it is not there."
        yield Concern(Kind.LOST, row["inference_id"], reason, REPLACE, ref=name)


def lost_here(user: User) -> Iterator[Concern]:
    """The same of the indices and pipelines that are registered here."""
    if may(user, Action.INDEX_GET):
        for inference_id, count in most_of(missing_to(user, Reference.INDEX)):
            named = "An index names" if count == 1 else f"{count} indices name"
            yield Concern(Kind.LOST_INDEX, inference_id, f"{named} {NOT_THERE}", REPLACE)
    if may(user, Action.PIPELINE_GET):
        for inference_id, count in most_of(missing_to(user, Reference.PIPELINE)):
            named = "A pipeline names" if count == 1 else f"{count} pipelines name"
            yield Concern(Kind.LOST_PIPELINE, inference_id, f"{named} {NOT_THERE}", REPLACE)


def most_of(names: QuerySet[NameInIndex] | QuerySet[NameInPipeline]) -> list[tuple[str, int]]:
    """The ids that are named most, with how often."""
    counted = names.values_list("inference_id").annotate(count=Count("pk"))
    return list(counted.order_by("-count", "inference_id")[:MOST])


def ending_keys(user: User) -> Iterator[Concern]:
    """Keys that somebody could renew, and that stop to work soon."""
    if not may(user, Action.API_KEY_GET):
        return
    now = timezone.now()
    ending = visible_keys(user).valid().filter(expires_at__lt=now + KEY_ENDS_WITHIN)
    for key in ending.order_by("expires_at")[:MOST]:
        hours = int((key.expires_at - now).total_seconds() // 3600) if key.expires_at else 0
        left = f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
        yield Concern(
            Kind.KEY,
            key.name or key.key_id,
            f"The key ends in {left}; programs that use it are refused then.",
            "Rotate it: both keys work for a while, so that no program must wait.",
            ref=key.key_id,
        )


def totals_of(user: User) -> Totals:
    endpoints = visible_endpoints(user)
    ranks = ranked(endpoints).order_by().values("rank")  # type: ignore[misc]  # ranked
    counted = ranks.annotate(count=Count("pk"))
    count_of = Counter({BY_ATTENTION[row["rank"]]: row["count"] for row in counted})
    today = called_today(endpoints).aggregate(
        requests=Sum("latest_usage__requests", default=0),
        errors=Sum("latest_usage__errors", default=0),
    )
    settled = {name: count_of.pop(State(name), 0) for name in ("ready", "idle", "failed")}
    return Totals(**settled, moving=count_of.total(), **today)


def most_used(user: User) -> list[Endpoint]:
    """What was called most today, each with its latest usage."""
    called = called_today(visible_endpoints(user))
    return list(called.order_by("-latest_usage__requests", "inference_id")[:MOST])


def called_today(endpoints: EndpointQuerySet) -> EndpointQuerySet:
    """With the latest usage of each, which is that of today."""
    called = endpoints.filter(latest_usage__day=datetime.now(UTC).date())
    return called.select_related("latest_usage").defer("latest_usage__latencies")
