"""Signs of life, written to the database while a part runs."""

import logging
import os
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, Error, connection
from django.utils import timezone

from endpoints.models import Heartbeat
from endpoints.models.heartbeat import INTERVAL_S
from inference.runner.memory import available_bytes

logger = logging.getLogger(__name__)


@contextmanager
def beating(part: str) -> Iterator[None]:
    """Keep saying that this process lives, and take it back at a clean end."""
    instance = f"{part}@{platform.node()}:{os.getpid()}"

    def beat() -> None:
        told = {"part": part, "seen_at": timezone.now(), "available_bytes": available_bytes()}
        Heartbeat.objects.update_or_create(instance=instance, defaults=told)
        Heartbeat.objects.stale().delete()

    _survive(beat)
    try:
        with repeating(INTERVAL_S, beat):
            yield
    finally:
        with suppress(DatabaseError):
            Heartbeat.objects.filter(instance=instance).delete()


@contextmanager
def repeating(interval_s: float, beat: Callable[[], None]) -> Iterator[None]:
    """Call `beat` every so often on a thread of its own; a database that fails ends nothing."""
    is_over = threading.Event()

    def run() -> None:
        while not is_over.wait(interval_s):
            _survive(beat)
        connection.close()

    thread = threading.Thread(target=run, name="repeating", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _survive(beat: Callable[[], None]) -> None:
    try:
        beat()
    except Error as exc:
        logger.warning("could not write to the database: %s", exc)
        connection.close()
