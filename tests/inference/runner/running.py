"""Real hosts under a runner, and what a test waits for."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from inference.runner.client import HostClient
from inference.runner.hosts import LocalRunner
from inference.runner.process import HostStatus
from inference.runner.protocol import HostRequest
from inference.runner.spec import Spec

PATIENCE_S = 30
WINDOW = 16
HELLO = HostRequest(("the cat sat", "a dog"), None, budget_s=20)
MANY = HostRequest(("the cat sat on the port",) * 3000, None, budget_s=PATIENCE_S)


@dataclass
class Clock:
    """Stands until a test moves it; seconds."""

    now: float = 600.0

    def __call__(self) -> float:
        return self.now


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


def is_gone(pid: int) -> Callable[[HostStatus], bool]:
    return lambda _: not psutil.pid_exists(pid)


def pid_of(spec: Spec) -> int:
    """The child of this process that serves the deployment."""
    children = psutil.Process().children()
    return next(one.pid for one in children if spec.to_json().decode() in one.cmdline())


def counted(runner: LocalRunner) -> int:
    """The texts that were answered or wait."""
    statistics = runner.statistics("d1")
    return statistics.answered + statistics.pending if statistics else 0


@contextmanager
def callers(client: HostClient, count: int = 6) -> Iterator[list[object]]:
    """Callers that ask without a pause; gives what any of them got that was no vectors.

    Each other one connects anew for every call.
    """
    wrong: list[object] = []
    is_over = threading.Event()

    def ask(asked: HostClient) -> None:
        while not is_over.is_set():
            try:
                if asked.call("d1", HELLO).vectors is None:
                    wrong.append("no vectors")
            except Exception as exc:
                wrong.append(exc)
            if asked is not client:
                asked.close()

    clients = [client if number % 2 else HostClient(client.sockets) for number in range(count)]
    threads = [threading.Thread(target=ask, args=(one,)) for one in clients]
    for thread in threads:
        thread.start()
    try:
        yield wrong
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
