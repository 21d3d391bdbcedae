"""What a delete would come to, found out before: who names the endpoint, and who calls it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from endpoints.models import ApiKey, CallerDay, Endpoint, LatestUsage, User
from endpoints.models.usage import CALLED, WAS_TRIED, Trials
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
    """callers: how many, lately. called_at: the last call there was; None where nobody called.

    trials: on the pages of the console, which nobody misses. They are no calls.
    """

    endpoint: Endpoint
    references: References
    callers: int
    called_at: datetime | None
    trials: Trials

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
    references = references_to_each(reader, [endpoint.inference_id for endpoint in endpoints])
    called = called_each(endpoints)
    return [
        DryRun(endpoint, references[endpoint.inference_id], *called[endpoint.pk])
        for endpoint in endpoints
    ]


def called_each(
    endpoints: Sequence[Endpoint],
) -> dict[int, tuple[int, datetime | None, Trials]]:
    """By the endpoint's key: how many called lately, the last call, and what was only tried."""
    pks = [endpoint.pk for endpoint in endpoints]
    latest = dict(LatestUsage.objects.filter(endpoint__in=pks).values_list("endpoint", "called_at"))
    now = timezone.now()
    is_late = Q(day__gte=(now - LATELY).date())
    is_told = Q(day__gte=(now - LOOKED_BACK).date())
    rows = CallerDay.objects.filter(endpoint__in=pks).order_by().values_list("endpoint")
    counted = rows.annotate(
        callers=Count("user", distinct=True, filter=CALLED & is_late),
        last_call=Max("called_at", filter=CALLED),
        trials=Sum("requests", filter=WAS_TRIED & is_told, default=0),
        last_trial=Max("called_at", filter=WAS_TRIED),
    )
    known = {pk: figures for pk, *figures in counted}
    told = {}
    for pk in pks:
        callers, called_at, trials, tried_at = known.get(pk, (0, None, 0, None))
        last = latest.get(pk)
        if called_at is None and last and (tried_at is None or tried_at < last):
            called_at = last  # by somebody who is gone, or so long ago that it is not known by whom
        told[pk] = callers, called_at, Trials(trials, tried_at)
    return told


def callers_of(endpoint: Endpoint, query: str = "") -> list[Caller]:
    """Who called lately and a while before that, the last one first.

    query: a part of a name, of a person or of a key.
    """
    since = (timezone.now() - LOOKED_BACK).date()
    days = CallerDay.objects.calls().filter(endpoint=endpoint, day__gte=since).order_by()
    if query:
        keys = ApiKey.objects.filter(name__icontains=query).values("key_id")
        is_key = Q(key_id__icontains=query) | Q(key_id__in=keys)
        days = days.filter(Q(user__username__icontains=query) | is_key)
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
