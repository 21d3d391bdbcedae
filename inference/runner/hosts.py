"""Keeps the model hosts of this machine as they are wished: one process a deployment."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from inference.runner.spec import Spec
from inference.runner.statistics import Statistics

logger = logging.getLogger(__name__)

STOP_TIMEOUT_S = 2.0
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
# A host that ran this long before it ended is started again at once.
STABLE_AFTER_S = 10.0
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class HostStatus:
    """state: starting, started or failed. reason: in words, where there is something to say."""

    state: str
    reason: str = ""


class HostProcess:
    """One running (or ended) process and what it last said of itself."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.started_at = time.monotonic()
        self.status = HostStatus("starting")
        self.statistics = Statistics()
        self.was_started = False
        self._process = subprocess.Popen(  # noqa: S603 - our own module with our own arguments
            [sys.executable, "-m", spec.host_module, spec.to_json().decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT,
            env=os.environ | {"TOKENIZERS_PARALLELISM": "false"},
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def end_reason(self) -> str:
        """Why the process ended, in words; its own last words come first."""
        if self.status.state == "failed":
            return self.status.reason
        code = self._process.returncode
        if code is not None and code < 0:
            return f"the model host was ended by {signal.Signals(-code).name}"
        return f"the model host ended with status {code}"

    def follow(self, spec: Spec) -> bool:
        """Go on as this spec asks; False where it takes a process of its own."""
        if not spec.is_like(self.spec):
            return False
        if spec != self.spec:
            self.spec = spec
            assert self._process.stdin  # noqa: S101 - asked for above
            with suppress(OSError):  # it has ended; the next one is started as the spec asks
                self._process.stdin.write(orjson.dumps({"allocations": spec.num_allocations}))
                self._process.stdin.write(b"\n")
                self._process.stdin.flush()
        return True

    def stop(self) -> None:
        self._process.terminate()

    def join(self, timeout_s: float) -> None:
        """Wait for the end; kill what does not end by itself."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin  # noqa: S101 - asked for above
        self._process.stdin.close()
        self._listener.join(timeout_s)
        Path(self.spec.socket).unlink(missing_ok=True)

    def _listen(self) -> None:
        assert self._process.stdout  # noqa: S101 - asked for above
        with self._process.stdout as lines:
            for line in lines:
                told = orjson.loads(line)
                if counted := told.get("statistics"):
                    self.statistics = Statistics(**counted)
                    continue
                state = "starting" if told["state"] == "loading" else told["state"]
                self.was_started = self.was_started or state == "started"
                self.status = HostStatus(state, told["reason"])
                logger.info("[%s] %s", self.spec.deployment_id, " ".join(told.values()).strip())


@dataclass
class Attempts:
    """Failed starts of one spec in a row, and when the next may be made."""

    spec: Spec
    count: int = 0
    next_at: float = 0.0
    reason: str = ""


class LocalRunner:
    """Runs deployments as child processes. Called from one thread."""

    def __init__(self) -> None:
        self._hosts: dict[str, HostProcess] = {}
        self._attempts: dict[str, Attempts] = {}

    def apply(self, specs: Iterable[Spec]) -> None:
        """Move one step towards exactly these hosts; never waits for a model to load."""
        wished = {spec.deployment_id: spec for spec in specs}
        outdated = [
            deployment_id
            for deployment_id, host in self._hosts.items()
            if not (deployment_id in wished and host.follow(wished[deployment_id]))
        ]
        self._stop(outdated)
        self._attempts = {
            deployment_id: attempts
            for deployment_id, attempts in self._attempts.items()
            if deployment_id in wished and wished[deployment_id].is_like(attempts.spec)
        }
        for spec in wished.values():
            self._keep_running(spec)

    def status(self, deployment_id: str) -> HostStatus:
        attempts = self._attempts.get(deployment_id)
        host = self._hosts.get(deployment_id)
        if host and not host.has_ended:
            if host.status.state == "starting" and attempts:
                return HostStatus("starting", f"starting again: {attempts.reason}")
            return host.status
        if attempts and attempts.count > 1:
            wait_s = max(0.0, attempts.next_at - time.monotonic())
            return HostStatus("failed", f"{attempts.reason}; next try in {wait_s:.0f} s")
        return HostStatus("starting", attempts.reason if attempts else "")

    def statistics(self, deployment_id: str) -> Statistics | None:
        """What the running host has counted; None where none runs."""
        host = self._hosts.get(deployment_id)
        return host.statistics if host and not host.has_ended else None

    def stop_all(self) -> None:
        self._stop(list(self._hosts))

    def _keep_running(self, spec: Spec) -> None:
        host = self._hosts.get(spec.deployment_id)
        if host and not host.has_ended:
            return
        if host:
            host.join(STOP_TIMEOUT_S)  # it has ended; this reads its last words
            self._note_end(host)
            del self._hosts[spec.deployment_id]
        attempts = self._attempts.get(spec.deployment_id)
        if not attempts or time.monotonic() >= attempts.next_at:
            self._hosts[spec.deployment_id] = HostProcess(spec)

    def _note_end(self, host: HostProcess) -> None:
        attempts = self._attempts.setdefault(host.spec.deployment_id, Attempts(host.spec))
        now = time.monotonic()
        if host.was_started and now - host.started_at > STABLE_AFTER_S:
            attempts.count = 0
        attempts.count += 1
        attempts.reason = host.end_reason
        # A host that once worked is back at once; one that keeps failing does not spin.
        if not host.was_started or attempts.count > 1:
            delay_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** (attempts.count - 1))
            attempts.next_at = now + delay_s
        logger.warning("[%s] %s", host.spec.deployment_id, attempts.reason)

    def _stop(self, deployment_ids: Iterable[str]) -> None:
        """Stop these together, so that the slowest alone decides how long it takes."""
        hosts = [self._hosts.pop(deployment_id) for deployment_id in deployment_ids]
        for host in hosts:
            host.stop()
        until = time.monotonic() + STOP_TIMEOUT_S
        for host in hosts:
            host.join(max(0.0, until - time.monotonic()))
