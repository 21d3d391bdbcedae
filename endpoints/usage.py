"""Counts what is asked of each endpoint, off the way of a call.

A call adds to figures in memory, which takes microseconds; a thread of each process brings them
to the database.
"""

import os
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from time import time
from typing import TypeAlias

from django.db import transaction
from django.db.models import F

from endpoints.flushing import Flusher
from endpoints.models import Endpoint, UsageHour
from inference.chat import ChatRequest
from inference.types import InferenceRequest, InferenceResult

INTERVAL_S = 1.0
# Rows that wait while the database cannot be written; calls that would need more go uncounted.
MOST_WAITING = 10_000

HOUR_S = 3600

# An endpoint's key, and an hour by its number from the beginning of 1970.
Row: TypeAlias = tuple[int, int]


@dataclass(slots=True)
class Figures:
    """What to add to the columns of UsageHour."""

    requests: int = 1
    inputs: int = 0
    errors: int = 0
    truncated_inputs: int = 0
    truncated_tokens: int = 0
    looked_up_inputs: int = 0
    cached_inputs: int = 0

    def add(self, other: "Figures") -> None:
        self.requests += other.requests
        self.inputs += other.inputs
        self.errors += other.errors
        self.truncated_inputs += other.truncated_inputs
        self.truncated_tokens += other.truncated_tokens
        self.looked_up_inputs += other.looked_up_inputs
        self.cached_inputs += other.cached_inputs


class UsageCounter:
    """Figures on their way to the database. Any number of threads may record and flush."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._waiting: dict[Row, Figures] = {}
        self._most_waiting = most_waiting
        self._lock = threading.Lock()

    def record(self, endpoint_pk: int, figures: Figures) -> None:
        row = endpoint_pk, int(time()) // HOUR_S
        with self._lock:
            self._add(row, figures)

    def flush(self) -> None:
        """Write what waits. A failure of the database is raised, and all of it goes on waiting."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
        if not taken:
            return
        try:
            write(taken)
        except BaseException:
            with self._lock:
                for row, figures in taken.items():
                    self._add(row, figures)
            raise

    def _add(self, row: Row, figures: Figures) -> None:
        if found := self._waiting.get(row):
            found.add(figures)
        elif len(self._waiting) < self._most_waiting:
            self._waiting[row] = figures


@transaction.atomic
def write(rows: dict[Row, Figures]) -> None:
    """Add to the table; the rows of endpoints that are gone are dropped.

    The endpoints stay locked meanwhile: no other process adds to the same rows, and no endpoint
    is deleted between the look and the write.
    """
    named = Endpoint.objects.filter(pk__in={pk for pk, _ in rows}).order_by("pk")
    alive = set(named.select_for_update(no_key=True).values_list("pk", flat=True))
    for (pk, number), figures in rows.items():
        if pk not in alive:
            continue
        hour = datetime.fromtimestamp(number * HOUR_S, UTC)
        counts = asdict(figures)
        added = {name: F(name) + count for name, count in counts.items()}
        if not UsageHour.objects.filter(endpoint_id=pk, hour=hour).update(**added):
            UsageHour.objects.create(endpoint_id=pk, hour=hour, **counts)


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
) -> None:
    """result: None for one that was streamed.

    cached_inputs: the texts that needed no computing; None where nobody looked for them.
    """
    figures = Figures(inputs=request.size)
    if truncated := result and result.truncated:
        figures.truncated_inputs = len(truncated)
        figures.truncated_tokens = sum(cut.lost_tokens for cut in truncated.values())
    if cached_inputs is not None:
        figures.looked_up_inputs = request.size
        figures.cached_inputs = cached_inputs
    _record(endpoint, figures)


def record_error(endpoint: Endpoint) -> None:
    _record(endpoint, Figures(errors=1))


def _record(endpoint: Endpoint, figures: Figures) -> None:
    counter.record(endpoint.pk, figures)
    writer.ensure_started()
