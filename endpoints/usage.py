"""Counts what is asked of each endpoint, off the way of a call.

A call adds to figures in memory, which takes microseconds; a thread of each process brings them
to the database.
"""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from time import time
from typing import Any, TypeAlias

from django.db import transaction
from django.db.models import QuerySet

from endpoints.failure_kinds import kind_of
from endpoints.flushing import Flusher
from endpoints.latencies import bucket_of, from_json, merged, quantile_ms, to_json
from endpoints.models import TRIED, CallerDay, Endpoint, LatestUsage, UsageHour, User
from inference.chat import ChatRequest
from inference.types import InferenceRequest, InferenceResult

INTERVAL_S = 1.0
# Rows that wait while the database cannot be written; calls that would need more go uncounted.
MOST_WAITING = 10_000

# How long it is known who called an endpoint; and the rows that are removed at once, so that
# nobody who writes waits for long.
CALLER_DAYS = 90
FORGOTTEN_AT_ONCE = 5_000

HOUR_S = 3600
P95 = 0.95

# An endpoint's key, and an hour by its number from the beginning of 1970.
Row: TypeAlias = tuple[int, int]
# An endpoint's key, a user's, the key id they came with or TRIED, and the same hour.
Caller: TypeAlias = tuple[int, int, str, int]


@dataclass(slots=True)
class Figures:
    """What to add to the columns of UsageHour. called_at: when the last call ended."""

    requests: int = 1
    inputs: int = 0
    errors: int = 0
    truncated_inputs: int = 0
    truncated_tokens: int = 0
    looked_up_inputs: int = 0
    cached_inputs: int = 0
    latencies: dict[int, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    called_at: float = 0.0

    def add(self, other: "Figures") -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.latencies = merged(self.latencies, other.latencies)
        self.failures = merged(self.failures, other.failures)
        self.called_at = max(self.called_at, other.called_at)

    def add_to(self, row: UsageHour | LatestUsage) -> None:
        """Add what the row has a column for."""
        for name in COUNTS:
            if hasattr(row, name):
                setattr(row, name, getattr(row, name) + getattr(self, name))
        row.latencies = to_json(merged(from_json(row.latencies), self.latencies))
        if isinstance(row, UsageHour):
            row.failures = merged(row.failures, self.failures)


COUNTS = tuple(each.name for each in fields(Figures) if each.type is int)


class UsageCounter:
    """Figures on their way to the database. Any number of threads may record and flush."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._waiting: dict[Row, Figures] = {}
        self._callers: dict[Caller, Figures] = {}
        self._most_waiting = most_waiting
        self._lock = threading.Lock()

    def record(
        self,
        endpoint_pk: int,
        figures: Figures,
        user: User | None = None,
        *,
        is_trial: bool = False,
    ) -> None:
        """user: who called; None for the product itself. is_trial: on a page of the console."""
        figures.called_at = time()
        hour = int(figures.called_at) // HOUR_S
        with self._lock:
            self._add(self._waiting, (endpoint_pk, hour), figures)
            if user and user.pk:
                key = user.acting_key
                key_id = TRIED if is_trial else key.key_id if key else ""
                call = Figures(called_at=figures.called_at)
                self._add(self._callers, (endpoint_pk, user.pk, key_id, hour), call)

    def flush(self) -> None:
        """Write what waits. A failure of the database is raised, and all of it goes on waiting."""
        with self._lock:
            rows, self._waiting = self._waiting, {}
            callers, self._callers = self._callers, {}
        if not rows:
            return
        try:
            write(rows, callers)
        except BaseException:
            with self._lock:
                for row, figures in rows.items():
                    self._add(self._waiting, row, figures)
                for caller, figures in callers.items():
                    self._add(self._callers, caller, figures)
            raise

    def _add(self, waiting: dict[Any, Figures], row: Row | Caller, figures: Figures) -> None:
        if found := waiting.get(row):
            found.add(figures)
        elif len(waiting) < self._most_waiting:
            waiting[row] = figures


@transaction.atomic
def write(rows: Mapping[Row, Figures], callers: Mapping[Caller, Figures]) -> None:
    """Add to the tables; the rows of endpoints that are gone are dropped.

    The endpoints stay locked meanwhile: no other process adds to the same rows, and no endpoint
    is deleted between the look and the write.
    """
    named = Endpoint.objects.filter(pk__in={pk for pk, _ in rows}).order_by("pk")
    alive = set(named.select_for_update(no_key=True).values_list("pk", flat=True))
    rows = {row: figures for row, figures in sorted(rows.items()) if row[0] in alive}
    write_hours(rows)
    write_latest(rows)
    write_callers({caller: figures for caller, figures in callers.items() if caller[0] in alive})


def write_hours(rows: Mapping[Row, Figures]) -> None:
    known = UsageHour.objects.filter(
        endpoint__in={pk for pk, _ in rows}, hour__in={moment(number) for _, number in rows}
    )
    hours = {(row.endpoint_id, row.hour): row for row in known}
    new: list[UsageHour] = []
    for (pk, number), figures in rows.items():
        row = hours.get((pk, moment(number)))
        if row is None:
            new.append(row := UsageHour(endpoint_id=pk, hour=moment(number)))
        figures.add_to(row)
    UsageHour.objects.bulk_update(hours.values(), [*COUNTS, "latencies", "failures"])
    UsageHour.objects.bulk_create(new)


def write_latest(rows: Mapping[Row, Figures]) -> None:
    """The rows come in the order of their hours; what is of a day before the last is left out."""
    known = LatestUsage.objects.in_bulk({pk for pk, _ in rows})
    new: dict[int, LatestUsage] = {}
    for (pk, number), figures in rows.items():
        day, called_at = moment(number).date(), datetime.fromtimestamp(figures.called_at, UTC)
        row = known.get(pk) or new.setdefault(pk, LatestUsage(endpoint_id=pk, day=day))
        if row.day > day:
            continue
        if row.day < day:
            row.day, row.requests, row.errors, row.latencies = day, 0, 0, {}
        figures.add_to(row)
        row.called_at = called_at
        row.p95_ms = quantile_ms(from_json(row.latencies), P95)
    columns = ["day", "requests", "errors", "latencies", "p95_ms", "called_at"]
    LatestUsage.objects.bulk_update(known.values(), columns)
    LatestUsage.objects.bulk_create(new.values())


def write_callers(callers: Mapping[Caller, Figures]) -> None:
    people = {user for _, user, _, _ in callers}
    alive = set(User.objects.filter(pk__in=people).values_list("pk", flat=True))
    for (pk, user, key_id, number), figures in callers.items():
        if user not in alive:
            continue
        called_at = datetime.fromtimestamp(figures.called_at, UTC)
        row, is_new = CallerDay.objects.get_or_create(
            endpoint_id=pk,
            user_id=user,
            key_id=key_id,
            day=moment(number).date(),
            defaults={"requests": figures.requests, "called_at": called_at},
        )
        if not is_new:
            row.requests += figures.requests
            row.called_at = max(row.called_at, called_at)
            row.save(update_fields=["requests", "called_at"])


def forget_hours(before: datetime) -> int:
    """Remove the figures of older hours. Returns how many rows went."""
    return _forget(UsageHour.objects.filter(hour__lt=before))


def forget_callers(before: datetime) -> int:
    """Remove who called on older days. Returns how many rows went."""
    return _forget(CallerDay.objects.filter(day__lt=before.date()))


def _forget(old: QuerySet[Any]) -> int:
    forgotten = 0
    while keys := list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        forgotten += old.model.objects.filter(pk__in=keys).delete()[0]
    return forgotten


def moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * HOUR_S, UTC)


def new_writer() -> Flusher:
    return Flusher("figures of usage", INTERVAL_S, lambda: counter.flush())


counter, writer = UsageCounter(), new_writer()


def start_anew() -> None:
    """In a process that was forked: it has no thread, and its parent writes what waited."""
    global counter, writer
    counter, writer = UsageCounter(), new_writer()


os.register_at_fork(after_in_child=start_anew)


def record_answer(
    endpoint: Endpoint,
    request: InferenceRequest | ChatRequest,
    result: InferenceResult | None = None,
    cached_inputs: int | None = None,
    *,
    took_ms: float,
    user: User | None,
    is_trial: bool = False,
) -> None:
    """result: None for one that was streamed.

    cached_inputs: the texts that needed no computing; None where nobody looked for them.
    """
    figures = Figures(inputs=request.size, latencies={bucket_of(took_ms): 1})
    if truncated := result and result.truncated:
        figures.truncated_inputs = len(truncated)
        figures.truncated_tokens = sum(cut.lost_tokens for cut in truncated.values())
    if cached_inputs is not None:
        figures.looked_up_inputs = request.size
        figures.cached_inputs = cached_inputs
    _record(endpoint, figures, user, is_trial)


def record_error(
    endpoint: Endpoint, exc: Exception, *, user: User | None, is_trial: bool = False
) -> None:
    _record(endpoint, Figures(errors=1, failures={kind_of(exc): 1}), user, is_trial)


def _record(endpoint: Endpoint, figures: Figures, user: User | None, is_trial: bool) -> None:
    counter.record(endpoint.pk, figures, user, is_trial=is_trial)
    writer.ensure_started()
