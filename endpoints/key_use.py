"""Notes when each API key was last used and from where, off the way of a call.

A call writes into memory, which takes a microsecond; a thread of each process brings what gathered
there to the database, one row for each key however often it called.
"""

import os
import threading
from datetime import UTC, datetime
from time import time

from django.db import models, transaction

from endpoints.flushing import Flusher
from endpoints.models import ApiKey

INTERVAL_S = 10.0
# Keys that wait while the database cannot be written; more than these go unnoted.
MOST_WAITING = 100_000


class LastUses:
    """The last use of each key, on its way to the database. Any number of threads may add."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._waiting: dict[int, tuple[float, str]] = {}
        self._most_waiting = most_waiting
        self._lock = threading.Lock()

    def add(self, key_pk: int, address: str) -> None:
        with self._lock:
            if key_pk in self._waiting or len(self._waiting) < self._most_waiting:
                self._waiting[key_pk] = time(), address

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
                self._waiting = taken | self._waiting
            raise


@transaction.atomic
def write(uses: dict[int, tuple[float, str]]) -> None:
    """Note uses, but for keys that were used later elsewhere. Keys that are gone are passed over.

    By primary key, so that two processes that write at once wait for each other and no more.
    """
    for pk, (seconds, address) in sorted(uses.items()):
        at = datetime.fromtimestamp(seconds, UTC)
        is_older = models.Q(last_used_at=None) | models.Q(last_used_at__lt=at)
        key = ApiKey.objects.filter(is_older, pk=pk)
        key.update(last_used_at=at, last_used_from=address)


def new_writer() -> Flusher:
    return Flusher("uses of keys", INTERVAL_S, lambda: last_uses.flush())


last_uses, writer = LastUses(), new_writer()


def start_anew() -> None:
    """In a process that was forked: it has no thread, and its parent writes what waited."""
    global last_uses, writer
    last_uses, writer = LastUses(), new_writer()


os.register_at_fork(after_in_child=start_anew)


def record(key: ApiKey, address: str) -> None:
    last_uses.add(key.pk, address[:64])
    writer.ensure_started()
