"""The allocations of one deployment by their numbers, and what each of them did."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

MINUTE_S = 60.0


@dataclass(frozen=True)
class AllocationFigures:
    """Of one allocation, by its number from 1.

    runs: pieces of work, of one text or several, also those that failed. busy_s: the time that
    they took. texts: answered; failed: not. A run that several allocations share counts for each of
    them, its texts for the first alone. is_at_work: now. last_at: when a run last ended, seconds
    since 1970. load: the share of the last minute in which it was at work, 0 to 1.
    """

    number: int
    runs: int = 0
    texts: int = 0
    failed: int = 0
    busy_s: float = 0.0
    is_at_work: bool = False
    last_at: float | None = None
    load: float = 0.0

    def plus(self, other: "AllocationFigures") -> "AllocationFigures":
        """The figures of the same number in two hosts of one deployment together."""
        moments = [at for at in (self.last_at, other.last_at) if at is not None]
        return AllocationFigures(
            number=self.number,
            runs=self.runs + other.runs,
            texts=self.texts + other.texts,
            failed=self.failed + other.failed,
            busy_s=self.busy_s + other.busy_s,
            is_at_work=self.is_at_work or other.is_at_work,
            last_at=max(moments, default=None),
            load=min(1.0, self.load + other.load),
        )

    def of_the_past(self) -> "AllocationFigures":
        """What is left to tell once its host has ended."""
        return replace(self, is_at_work=False, load=0.0)


class Allocation:
    """What one allocation did. Only who has taken it writes here, so that it takes no lock.

    clock: seconds that only go forward.
    """

    def __init__(self, number: int, clock: Callable[[], float]) -> None:
        self.number = number
        self.is_taken = False
        self._clock = clock
        self._runs = self._texts = self._failed = 0
        self._busy_s = 0.0
        self._since: float | None = None
        self._last_at: float | None = None
        # When it was read, and how long it had been at work until then; a minute long.
        self._read: deque[tuple[float, float]] = deque([(clock(), 0.0)])

    def begin(self) -> None:
        self._since = self._clock()

    def end(self, texts: int = 0, failed: int = 0) -> None:
        since, self._since = self._since, None
        if since is not None:
            self._busy_s += self._clock() - since
        self._runs += 1
        self._texts += texts
        self._failed += failed
        self._last_at = time.time()

    def read(self) -> AllocationFigures:
        """What it did until now. Called by one thread only, who remembers what it read."""
        now, since = self._clock(), self._since
        busy_s = self._busy_s + (now - since if since is not None else 0.0)
        while len(self._read) > 1 and self._read[1][0] <= now - MINUTE_S:
            self._read.popleft()
        seen_at, seen_s = self._read[0]
        self._read.append((now, busy_s))
        span_s = now - seen_at
        return AllocationFigures(
            number=self.number,
            runs=self._runs,
            texts=self._texts,
            failed=self._failed,
            busy_s=self._busy_s,
            is_at_work=since is not None,
            last_at=self._last_at,
            load=share(busy_s - seen_s, span_s),
        )


def share(part_s: float, whole_s: float) -> float:
    """In hundredths; more would be another figure with every look."""
    return round(min(1.0, max(0.0, part_s / whole_s)), 2) if whole_s > 0 else 0.0


class Allocations:
    """Those that there shall be, and which of them are free.

    The lowest free number is taken first, so that the figures show how many are needed. A number
    above the count rests: it finishes what it is at, and is not taken again. Whoever shares them
    out holds a lock of its own around every call but `read`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._clock = clock
        self._at_work = 0
        self._free: list[int] = []
        self._all: list[Allocation] = []

    @property
    def idle(self) -> int:
        """How many may be taken; below zero while some that are too many are still at work."""
        return self.count - self._at_work

    def resize(self, count: int) -> None:
        while len(self._all) < count:
            self._all.append(Allocation(len(self._all) + 1, self._clock))
        self.count = count
        self._free = [one.number for one in self._all[:count] if not one.is_taken]
        heapify(self._free)

    def take(self, count: int = 1) -> list[Allocation]:
        """The lowest that are free; there must be so many."""
        taken = [self._all[heappop(self._free) - 1] for _ in range(count)]
        for one in taken:
            one.is_taken = True
        self._at_work += count
        return taken

    def give_back(self, taken: list[Allocation]) -> None:
        for one in taken:
            one.is_taken = False
            if one.number <= self.count:
                heappush(self._free, one.number)
        self._at_work -= len(taken)

    def read(self) -> tuple[AllocationFigures, ...]:
        """What those did that ever had anything to do."""
        figures = [one.read() for one in list(self._all)]
        return tuple(one for one in figures if one.last_at is not None or one.is_at_work)
