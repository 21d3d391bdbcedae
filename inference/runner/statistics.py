"""What a model host counts: texts, failures and time at work, in all and by the minute."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from inference.runner.allocations import AllocationFigures, Allocations

MINUTE_S = 60


@dataclass(frozen=True)
class Statistics:
    """Counts since the start of a host, or of all hosts that a deployment had.

    Each text counts, as each input does in Elasticsearch.

    pending: texts that wait or are at work. busy_s: the time that allocations spent on what was
    answered. answered_at: when that last happened, seconds since 1970. Of the minutes of the
    clock: the last whole one, and the one with most answers. allocations: those that ever did
    anything, by their numbers.
    """

    answered: int = 0
    failed: int = 0
    timed_out: int = 0
    rejected: int = 0
    pending: int = 0
    busy_s: float = 0.0
    answered_at: float | None = None
    answered_last_minute: int = 0
    busy_last_minute_s: float = 0.0
    most_per_minute: int = 0
    allocations: tuple[AllocationFigures, ...] = ()

    @classmethod
    def told(cls, raw: dict[str, Any]) -> "Statistics":
        """What a host wrote as JSON."""
        allocations = tuple(AllocationFigures(**one) for one in raw["allocations"])
        return cls(**raw | {"allocations": allocations})

    def plus(self, other: "Statistics") -> "Statistics":
        """The counts of two hosts of one deployment together."""
        moments = [at for at in (self.answered_at, other.answered_at) if at is not None]
        return Statistics(
            answered=self.answered + other.answered,
            failed=self.failed + other.failed,
            timed_out=self.timed_out + other.timed_out,
            rejected=self.rejected + other.rejected,
            pending=self.pending + other.pending,
            busy_s=self.busy_s + other.busy_s,
            answered_at=max(moments, default=None),
            answered_last_minute=self.answered_last_minute + other.answered_last_minute,
            busy_last_minute_s=self.busy_last_minute_s + other.busy_last_minute_s,
            most_per_minute=max(self.most_per_minute, other.most_per_minute),
            allocations=together(self.allocations, other.allocations),
        )

    def of_the_past(self) -> "Statistics":
        """What is left to tell of a host that has ended."""
        return replace(
            self,
            pending=0,
            answered_last_minute=0,
            busy_last_minute_s=0.0,
            allocations=tuple(one.of_the_past() for one in self.allocations),
        )


def together(
    some: Iterable[AllocationFigures], others: Iterable[AllocationFigures]
) -> tuple[AllocationFigures, ...]:
    """By their numbers; those of one number are told as one."""
    found: dict[int, AllocationFigures] = {}
    for one in (*some, *others):
        found[one.number] = found[one.number].plus(one) if one.number in found else one
    return tuple(found[number] for number in sorted(found))


class Counter:
    """Counts for one host; told from any thread. clock: seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.allocations = Allocations()
        self._clock = clock
        self._lock = threading.Lock()
        self._answered = self._failed = self._timed_out = self._rejected = self._pending = 0
        self._busy_s = 0.0
        self._answered_at: float | None = None
        self._minute = int(clock()) // MINUTE_S
        self._this_minute, self._last_minute = (0, 0.0), (0, 0.0)
        self._most = 0

    def queue(self, texts: int) -> None:
        with self._lock:
            self._pending += texts

    def reject(self, texts: int) -> None:
        with self._lock:
            self._rejected += texts

    def answer(self, texts: int, busy_s: float) -> None:
        with self._lock:
            self._turn_minute()
            self._pending -= texts
            self._answered += texts
            self._busy_s += busy_s
            self._answered_at = self._clock()
            count, busy = self._this_minute
            self._this_minute = (count + texts, busy + busy_s)
            self._most = max(self._most, count + texts)

    def drop(self, texts: int, *, failed: int = 0, timed_out: int = 0) -> None:
        """These texts wait no longer and were not answered."""
        with self._lock:
            self._pending -= texts
            self._failed += failed
            self._timed_out += timed_out

    def read(self) -> Statistics:
        with self._lock:
            self._turn_minute()
            count, busy_s = self._last_minute
            return Statistics(
                answered=self._answered,
                failed=self._failed,
                timed_out=self._timed_out,
                rejected=self._rejected,
                pending=self._pending,
                busy_s=self._busy_s,
                answered_at=self._answered_at,
                answered_last_minute=count,
                busy_last_minute_s=busy_s,
                most_per_minute=self._most,
                allocations=self.allocations.read(),
            )

    def _turn_minute(self) -> None:
        minute = int(self._clock()) // MINUTE_S
        if minute != self._minute:
            is_next = minute == self._minute + 1
            self._last_minute = self._this_minute if is_next else (0, 0.0)
            self._this_minute = (0, 0.0)
            self._minute = minute
