"""Threads that work off one queue, as many at a time as there are allocations."""

import threading
from collections import deque
from collections.abc import Callable


class Workers:
    """Runs what is submitted in the order in which it came."""

    def __init__(self, allocations: int) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._allocations = self._busy = self._threads = 0
        self.resize(allocations)

    def resize(self, allocations: int) -> None:
        """Go on with this many; what is at work is finished first."""
        with self._changed:
            self._allocations = allocations
            self._changed.notify_all()
        while self._threads < allocations:
            self._threads += 1
            name = f"allocation-{self._threads}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, work: Callable[[], None]) -> None:
        """Queue a piece of work, which must not raise."""
        with self._changed:
            self._waiting.append(work)
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._waiting and self._busy < self._allocations):
                    self._changed.wait()
                work = self._waiting.popleft()
                self._busy += 1
            try:
                work()
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify()
