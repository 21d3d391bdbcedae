"""What a delete would come to, found out before: who names the endpoint, and who calls it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Sum
from django.utils import timezone

from endpoints.models import ApiKey, CallerDay, Endpoint, LatestUsage, User
from endpoints.references import References, references_to_each

# Who was called within this time is in use.
LATELY = timedelta(days=7)
# So far back it is told who called.
LOOKED_BACK = timedelta(days=30)
MOST_CALLERS = 50


@dataclass(frozen=True)
class Caller:
    """Somebody who called. key_name: of the API key that they came with; empty for none."""

    username: str
    key_id: str
    key_name: str
    requests: int
    called_at: datetime


@dataclass(frozen=True)
class DryRun:
    """callers: how many, lately. called_at: the last call there was; None where nobody called."""

    endpoint: Endpoint
    references: References
    callers: int
    called_at: datetime | None

    @property
    def is_called_lately(self) -> bool:
        return self.called_at is not None and timezone.now() - self.called_at < LATELY

    @property
    def is_risky(self) -> bool:
        """Whether somebody may miss it. What is always there comes back at once."""
        if self.endpoint.is_preconfigured:
            return False
        return bool(self.references) or self.is_called_lately

    @property
    def quiet_days(self) -> int:
        """Since the last call, of an endpoint that was called."""
        return (timezone.now() - self.called_at).days if self.called_at else 0


def dry_run(reader: User, endpoint: Endpoint) -> DryRun:
    return dry_runs(reader, [endpoint])[0]


def dry_runs(reader: User, endpoints: Sequence[Endpoint]) -> list[DryRun]:
    """One for each of these endpoints, in as many queries as for one."""
    pks = [endpoint.pk for endpoint in endpoints]
    references = references_to_each(reader, [endpoint.inference_id for endpoint in endpoints])
    latest = dict(LatestUsage.objects.filter(endpoint__in=pks).values_list("endpoint", "called_at"))
    since = (timezone.now() - LATELY).date()
    counted = CallerDay.objects.filter(endpoint__in=pks, day__gte=since).order_by()
    callers = dict(counted.values_list("endpoint").annotate(callers=Count("user", distinct=True)))
    return [
        DryRun(
            endpoint,
            references[endpoint.inference_id],
            callers.get(endpoint.pk, 0),
            latest.get(endpoint.pk),
        )
        for endpoint in endpoints
    ]


def callers_of(endpoint: Endpoint) -> list[Caller]:
    """Who called lately and a while before that, the last one first."""
    since = (timezone.now() - LOOKED_BACK).date()
    days = CallerDay.objects.filter(endpoint=endpoint, day__gte=since).order_by()
    rows = list(
        days.values("user__username", "key_id")
        .annotate(total=Sum("requests"), last=Max("called_at"))
        .order_by("-last")[:MOST_CALLERS]
    )
    names = _key_names(row["key_id"] for row in rows)
    return [
        Caller(
            row["user__username"],
            row["key_id"],
            names.get(row["key_id"], ""),
            row["total"],
            row["last"],
        )
        for row in rows
    ]


def _key_names(key_ids: Iterable[str]) -> dict[str, str]:
    known = ApiKey.objects.filter(key_id__in={one for one in key_ids if one})
    return dict(known.values_list("key_id", "name"))
