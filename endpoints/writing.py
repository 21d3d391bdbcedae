"""Brings what gathers in memory to the database, off the way of the calls that it is about."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.util import Finalize

from django.db import Error, connection

from endpoints.heartbeats import repeating

logger = logging.getLogger(__name__)


class Writer:
    """A thread that flushes every so often and at the end of the process.

    It is started by the first call that has something to be written.
    """

    def __init__(self, interval_s: float, flush: Callable[[], None]) -> None:
        self._interval_s, self._flush = interval_s, flush
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
        running.callback(self._flush_at_exit)
        running.enter_context(repeating(self._interval_s, self._flush))
        # Web workers are children of multiprocessing, which end without a look at atexit.
        Finalize(None, running.close, exitpriority=0)

    def _flush_at_exit(self) -> None:
        try:
            self._flush()
        except Error as exc:
            logger.warning("the last figures could not be written: %s", exc)
        connection.close()
