"""Waiting for real host processes."""

import threading
import time
from collections.abc import Callable

from inference.runner.hosts import HostStatus, LocalRunner
from inference.runner.spec import Spec

PATIENCE_S = 30


def run_until(
    runner: LocalRunner, spec: Spec, is_right: Callable[[HostStatus], bool]
) -> HostStatus:
    """Take steps until the host says what the test waits for."""
    until = time.monotonic() + PATIENCE_S
    while True:
        runner.apply([spec])
        status = runner.status(spec.deployment_id)
        if is_right(status):
            return status
        assert time.monotonic() < until, status
        threading.Event().wait(0.01)


def start(runner: LocalRunner, spec: Spec) -> None:
    run_until(runner, spec, lambda status: status.state == "started")
