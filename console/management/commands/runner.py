"""`manage.py runner`: the process that keeps the hosted models running."""

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from console import lifeline
from endpoints.audit import works_by_itself
from endpoints.heartbeats import beating
from endpoints.reconcile import Reconciler
from inference.runner.hosts import LocalRunner

STEP_S = 0.2

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run the deployments of this machine."
    # They load every page and route, which nobody asks this process for.
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def handle(self, *args: Any, **options: Any) -> None:
        lifeline.watch()
        works_by_itself("runner")
        is_stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: is_stopping.set())
        runner = LocalRunner(settings.MODEL_MEMORY)
        reconciler = Reconciler(runner)
        with beating("runner"):
            try:
                while not is_stopping.is_set():
                    self._step(reconciler)
                    runner.wait_for_change(STEP_S)
            finally:
                runner.stop_all()

    @staticmethod
    def _step(reconciler: Reconciler) -> None:
        try:
            reconciler.step()
        except DatabaseError as exc:
            # The models go on serving with what was last wished.
            logger.warning("the database does not answer: %s", exc)
            connection.close()
