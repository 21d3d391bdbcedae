"""Real hosts under a runner, and what a test waits for."""

import threading
import time
from collections.abc import Callable

import psutil

from inference.runner.hosts import LocalRunner
from inference.runner.process import HostStatus
from inference.runner.protocol import HostRequest
from inference.runner.spec import Spec

PATIENCE_S = 30
WINDOW = 16
HELLO = HostRequest(("the cat sat", "a dog"), None, budget_s=20)


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


def pid_of(spec: Spec) -> int:
    """The child of this process that serves the deployment."""
    children = psutil.Process().children()
    return next(one.pid for one in children if spec.to_json().decode() in one.cmdline())
