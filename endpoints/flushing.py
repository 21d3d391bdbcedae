"""Brings what waits in memory to the database, off the way of a request."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.util import Finalize

from django.db import Error, connection

from endpoints.heartbeats import repeating

logger = logging.getLogger(__name__)


class Flusher:
    """A thread that flushes every so often, started when there is something to write.

    flush: between two flushes. finish: the last one, when the process ends.
    """

    def __init__(
        self,
        what: str,
        interval_s: float,
        flush: Callable[[], None],
        finish: Callable[[], None] | None = None,
    ) -> None:
        self._what, self._interval_s = what, interval_s
        self._flush, self._finish = flush, finish or flush
        self._is_started = False
        self._lock = threading.Lock()

    def ensure_started(self) -> None:
        if self._is_started:
            return
        with self._lock:
            if self._is_started:
                return
            self._is_started = True
        running = ExitStack()
        running.callback(self.flush_at_exit)
        running.enter_context(repeating(self._interval_s, self._flush))
        # Web workers are children of multiprocessing, which end without a look at atexit.
        Finalize(None, running.close, exitpriority=0)

    def flush_at_exit(self) -> None:
        try:
            self._finish()
        except Error as exc:
            logger.warning("the last %s could not be written: %s", self._what, exc)
        connection.close()
