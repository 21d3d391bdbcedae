"""Threads that work off one queue, as many at a time as there are allocations."""

import threading
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from inference.runner.allocations import Allocation, Allocations

Work: TypeAlias = Callable[[Allocation], None]


class Workers:
    """Runs what is submitted in the order in which it came.

    A thread belongs to no allocation: any of them takes the lowest that is free. One that is woken
    can therefore always work where another could, and no wake-up is lost on a thread that rests.
    """

    def __init__(self, allocations: Allocations, count: int) -> None:
        self._waiting: deque[Work] = deque()
        self._changed = threading.Condition()
        self._allocations = allocations
        self._threads = 0
        self.resize(count)

    def resize(self, count: int) -> None:
        """Go on with this many; what is at work is finished first."""
        with self._changed:
            self._allocations.resize(count)
            self._changed.notify_all()
        while self._threads < count:
            self._threads += 1
            name = f"allocation-{self._threads}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, work: Work) -> None:
        """Queue a piece of work, which must not raise and counts for the allocation it is given."""
        with self._changed:
            self._waiting.append(work)
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._waiting and self._allocations.idle > 0):
                    self._changed.wait()
                work = self._waiting.popleft()
                taken = self._allocations.take()
            try:
                work(taken[0])
            finally:
                with self._changed:
                    self._allocations.give_back(taken)
                    self._changed.notify()
