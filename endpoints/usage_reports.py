"""What was asked of an endpoint over a while, added up for whoever looks at it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from endpoints.latencies import from_json, merged, quantile_ms
from endpoints.models import ApiKey, CallerDay, Endpoint

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """The last hours or days, the one that is now among them. name: in the address."""

    name: str
    label: str
    step: timedelta
    steps: int

    @property
    def is_by_day(self) -> bool:
        return self.step == DAY

    def start(self, now: datetime) -> datetime:
        """In UTC, as the hours are counted."""
        current = now.replace(minute=0, second=0, microsecond=0)
        if self.is_by_day:
            current = current.replace(hour=0)
        return current - (self.steps - 1) * self.step


SPANS = (
    Span("24h", "24 hours", HOUR, 24),
    Span("7d", "7 days", HOUR, 7 * 24),
    Span("30d", "30 days", DAY, 30),
    Span("90d", "90 days", DAY, 90),
)


@dataclass(frozen=True)
class Asked:
    """Figures of a while. A share is None where there is nothing that it could be of.

    latencies: how many answers took how long, as endpoints/latencies.py counts them.
    failures: how many of the errors were of which kind; fewer than the errors, as those of before
    the kinds were counted are of none.
    """

    requests: int
    errors: int
    inputs: int
    truncated_inputs: int
    looked_up_inputs: int
    cached_inputs: int
    latencies: Mapping[int, int]
    failures: Mapping[str, int]

    @property
    def error_share(self) -> float | None:
        return share(self.errors, self.requests)

    @property
    def truncated_share(self) -> float | None:
        return share(self.truncated_inputs, self.inputs)

    @property
    def cached_share(self) -> float | None:
        return share(self.cached_inputs, self.looked_up_inputs)

    @cached_property
    def p50_ms(self) -> float | None:
        return quantile_ms(self.latencies, 0.5)

    @cached_property
    def p95_ms(self) -> float | None:
        return quantile_ms(self.latencies, 0.95)

    @cached_property
    def p99_ms(self) -> float | None:
        return quantile_ms(self.latencies, 0.99)


COUNTS = tuple(each.name for each in fields(Asked))[:-2]


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True)
class Step:
    """One hour or day. asked: None where nothing was recorded, which is not the same as none."""

    start: datetime
    asked: Asked | None


@dataclass(frozen=True)
class Report:
    """total: None where nothing was recorded in the whole while."""

    span: Span
    steps: Sequence[Step]
    total: Asked | None

    @property
    def start(self) -> datetime:
        return self.steps[0].start


def report_of(endpoint: Endpoint, span: Span) -> Report:
    """Adds up to two thousand hours, so that each is looked at once."""
    start = span.start(timezone.now())
    found: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    columns = ("hour", *COUNTS, "latencies", "failures")
    for hour, *row in endpoint.usage.filter(hour__gte=start).values_list(*columns):
        found[(hour - start) // span.step].append(tuple(row))
    asked = {
        place: added(
            rows,
            from_json(merged(*(row[-2] for row in rows))),
            merged(*(row[-1] for row in rows)),
        )
        for place, rows in found.items()
    }
    every = [row for rows in found.values() for row in rows]
    total = added(
        every,
        merged(*(one.latencies for one in asked.values())),
        merged(*(one.failures for one in asked.values())),
    )
    steps = [Step(start + place * span.step, asked.get(place)) for place in range(span.steps)]
    return Report(span, steps, total if every else None)


def added(
    rows: Sequence[tuple[Any, ...]], latencies: Mapping[int, int], failures: Mapping[str, int]
) -> Asked:
    """rows: each the COUNTS of an hour, and what it has of latencies and failures."""
    columns = list(zip(*rows, strict=True))[: len(COUNTS)]
    counts = dict(zip(COUNTS, map(sum, columns), strict=True)) if rows else dict.fromkeys(COUNTS, 0)
    return Asked(**counts, latencies=latencies, failures=failures)


@dataclass(frozen=True)
class Caller:
    """Who called with which key. key_name: empty for a key that is gone, or for none."""

    username: str
    key_id: str
    key_name: str
    calls: int
    last_at: datetime


def callers_of(endpoint: Endpoint, since: date, part: slice) -> tuple[list[Caller], int]:
    """A part of those who called since a day, in UTC, and how many they are, trials left out."""
    callers = CallerDay.objects.calls().filter(endpoint=endpoint, day__gte=since).by_caller()
    rows = list(callers[part])
    keys = ApiKey.objects.filter(key_id__in={key_id for _, key_id, *_ in rows} - {""})
    names = dict(keys.values_list("key_id", "name"))
    shown = [
        Caller(username, key_id, names.get(key_id, ""), calls, last_at)
        for username, key_id, calls, last_at in rows
    ]
    return shown, callers.count()
