"""`manage.py worker`: the Celery worker alone, with the clock of the scheduled tasks in it."""

import signal
import warnings
from typing import Any

from celery.beat import EmbeddedService
from celery.exceptions import WorkerShutdown
from celery.platforms import SecurityWarning
from celery.signals import worker_ready
from django.core.management.base import BaseCommand, CommandParser

from console import lifeline
from console.celery import app
from console.task_owners import SCHEDULE
from endpoints import jobs
from endpoints.audit import works_by_itself
from endpoints.heartbeats import beating


class Command(BaseCommand):
    help = "Run downloads, conversions and other background work."
    # They load every page and route, which nobody asks this process for.
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=4, help="tasks at a time")

    def handle(self, *args: Any, concurrency: int, **options: Any) -> None:
        lifeline.watch()
        works_by_itself(SCHEDULE)
        # It warns root because of messages that run code; only JSON is accepted here.
        warnings.filterwarnings("ignore", category=SecurityWarning)
        worker_ready.connect(on_ready)
        with beating("worker"):
            app.worker_main(
                [
                    "--quiet",
                    "--skip-checks",
                    "worker",
                    "--pool=threads",
                    f"--concurrency={concurrency}",
                    "--without-gossip",
                    "--without-mingle",
                    "--without-heartbeat",
                    "--loglevel=WARNING",
                ]
            )


def on_ready(**_: Any) -> None:
    signal.signal(signal.SIGTERM, stop)
    EmbeddedService(app, thread=True).start()


def stop(*_: Any) -> None:
    """End the running jobs where they are, and the worker with them.

    Celery's own handler waits for the next turn of its loop, which may be two seconds away.
    """
    jobs.stopping.set()
    raise WorkerShutdown(0)
