"""Signs of life, written to the database while a part runs."""

import logging
import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connection
from django.utils import timezone

from endpoints.models import Heartbeat
from endpoints.models.heartbeat import INTERVAL_S

logger = logging.getLogger(__name__)


@contextmanager
def beating(part: str) -> Iterator[None]:
    """Keep saying that this process lives, and take it back at a clean end."""
    instance = f"{part}@{platform.node()}:{os.getpid()}"
    is_over = threading.Event()

    def beat() -> None:
        while True:
            try:
                Heartbeat.objects.update_or_create(
                    instance=instance, defaults={"part": part, "seen_at": timezone.now()}
                )
                Heartbeat.objects.stale().delete()
            except DatabaseError as exc:
                logger.warning("no sign of life could be written: %s", exc)
                connection.close()
            if is_over.wait(INTERVAL_S):
                break
        with suppress(DatabaseError):
            Heartbeat.objects.filter(instance=instance).delete()
        connection.close()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
