"""How far a download is, told to whoever watches it."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

REPORT_INTERVAL_S = 0.2
RATE_WINDOW_S = 5.0


@dataclass(frozen=True)
class Clock:
    """now: seconds that only ever grow. pause: wait that many seconds."""

    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Progress:
    """source: which one is being read; empty when nothing had to be fetched.

    bytes_per_s: over the last few seconds.
    """

    source: str
    bytes_done: int
    bytes_total: int
    bytes_per_s: float


class Cancelled(Exception):
    """The caller asked for the end. What came so far stays, and a later call goes on from it."""


class Meter:
    """Counts what arrives from one source, reports it, and notices a cancellation."""

    def __init__(
        self,
        source: str,
        bytes_in_place: int,
        bytes_total: int,
        on_progress: Callable[[Progress], None],
        is_cancelled: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._source = source
        self._in_place = bytes_in_place
        self._under_way = 0
        self._total = bytes_total
        self._on_progress = on_progress
        self._is_cancelled = is_cancelled
        self._clock = clock
        self._reported_at = float("-inf")
        self._samples: deque[tuple[float, int]] = deque()  # when, and bytes done by then

    def start(self, file_bytes: int) -> None:
        """Count the next file, of which that much is here from an earlier try.

        Raises Cancelled.
        """
        now = self._clock.now()
        self._samples.clear()
        self._samples.append((now, self._in_place + file_bytes))
        self._set(file_bytes, now)

    def at(self, file_bytes: int) -> None:
        """Set how much of the file is here; never past the total. Raises Cancelled."""
        self._set(file_bytes, self._clock.now())

    def file_in_place(self, size_bytes: int) -> None:
        self._in_place += size_bytes

    def finish(self) -> None:
        """Report the end, whatever was reported a moment ago."""
        self._under_way = self._total - self._in_place
        self._report(self._clock.now())

    def _set(self, file_bytes: int, now: float) -> None:
        self._under_way = min(file_bytes, self._total - self._in_place)
        if now - self._reported_at < REPORT_INTERVAL_S:
            return
        self._reported_at = now
        if self._is_cancelled():
            raise Cancelled
        self._report(now)

    def _report(self, now: float) -> None:
        done = self._in_place + self._under_way
        self._samples.append((now, done))
        while now - self._samples[0][0] > RATE_WINDOW_S and len(self._samples) > 2:
            self._samples.popleft()
        then, done_then = self._samples[0]
        rate = (done - done_then) / (now - then) if now > then else 0.0
        self._on_progress(Progress(self._source, done, self._total, rate))
