"""One model host: a child process, what it says of itself, and what it is told."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import orjson

from inference.runner.memory import oom_kills
from inference.runner.spec import Spec
from inference.runner.statistics import Statistics

logger = logging.getLogger(__name__)

PROJECT = Path(__file__).resolve().parents[2]
LAST_WORDS = 3
OUT_OF_MEMORY = (
    "the machine ran out of memory and the system ended the model host: "
    "give it more memory, or run fewer or smaller models"
)


class Phase(StrEnum):
    """What a deployment goes through, as far as its runner sees it."""

    LOADING = "loading"
    WARMING = "warming"
    SERVING = "serving"
    RECYCLING = "recycling"
    FAILED = "failed"


# How the reason of a host begins that answers on, as the one that was to follow it does not start.
SUCCESSOR_FAILED = "its successor failed: "


@dataclass(frozen=True)
class HostStatus:
    """state: starting, started or failed. reason: in words, where there is something to say."""

    state: str
    reason: str = ""


@dataclass(frozen=True)
class Measured:
    """Of a host that is warm: tokens of one allocation a second, and bytes where they are told."""

    tokens_per_s: float
    resident_bytes: int | None = None
    private_bytes: int | None = None


class HostProcess:
    """One running (or ended) process and what it last said of itself.

    on_told: called with each state that it tells, and words, from a thread of its own.
    """

    def __init__(
        self, spec: Spec, on_told: Callable[[str, str], None] = lambda state, words: None
    ) -> None:
        self.spec = spec
        self._started_at = time.monotonic()
        self._drained_at = 0.0
        self.status = HostStatus("starting")
        self.statistics = Statistics()
        self.was_started = False
        self.measured: Measured | None = None
        self._on_told = on_told
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._oom_kills = oom_kills()
        self._ended_by_us = ""
        self._process = subprocess.Popen(  # noqa: S603 - our own module with our own arguments
            [sys.executable, "-m", spec.host_module, spec.to_json().decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=PROJECT,
            env=os.environ | {"TOKENIZERS_PARALLELISM": "false"},
        )
        self._listeners = [
            threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._pass_on, args=(self._process.stderr,), daemon=True),
        ]
        for listener in self._listeners:
            listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def age_s(self) -> float:
        return time.monotonic() - self._started_at

    @property
    def drain_s(self) -> float:
        """How long ago it was told to drain."""
        return time.monotonic() - self._drained_at

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def is_started(self) -> bool:
        return self.status.state == "started" and not self.has_ended

    @property
    def end_reason(self) -> str:
        """Why the process ended, in words; what it said of itself comes first."""
        if self._ended_by_us:
            return self._ended_by_us
        if self.status.state == "failed":
            return self.status.reason
        code = self._process.returncode
        if code == -signal.SIGKILL and (oom_kills() or 0) > (self._oom_kills or 0):
            return OUT_OF_MEMORY
        if code is not None and code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        else:
            how = f"ended with status {code}"
        words = " / ".join(self._last_words)
        return f"the model host {how}" + (f"; its last words: {words}" if words else "")

    def follow(self, spec: Spec) -> bool:
        """Go on as this spec asks; False where it takes a process of its own."""
        if not spec.is_like(self.spec):
            return False
        if spec != self.spec:
            self.spec = spec
            self._tell({"allocations": spec.num_allocations})
        return True

    def drain(self) -> None:
        """Have it answer what it was asked, and then end by itself."""
        self._drained_at = time.monotonic()
        self._tell({"drain": True})

    def give_up(self, reason: str) -> None:
        """Kill it at once; `reason` says why it ended."""
        self._ended_by_us = reason
        self._process.kill()

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
        with suppress(OSError):  # an order that it took no more
            self._process.stdin.close()
        for listener in self._listeners:
            listener.join(timeout_s)

    def _tell(self, order: dict[str, Any]) -> None:
        assert self._process.stdin  # noqa: S101 - asked for above
        with suppress(OSError):  # it has ended; the next one is started as the spec asks
            self._process.stdin.write(orjson.dumps(order) + b"\n")
            self._process.stdin.flush()

    def _listen(self, lines: IO[bytes]) -> None:
        with lines:
            for line in lines:
                told = orjson.loads(line)
                if counted := told.get("statistics"):
                    self.statistics = Statistics.told(counted)
                else:
                    self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        """Take in a state that the process came to: loading, warming, started or failed."""
        state, reason = told["state"], told["reason"]
        if measured := told.get("measured"):
            self.measured = Measured(**measured)
        self.was_started = self.was_started or state == "started"
        is_on_the_way = state in (Phase.LOADING, Phase.WARMING)
        self.status = HostStatus("starting" if is_on_the_way else state, reason)
        logger.info("[%s] %s", self.spec.deployment_id, f"{state} {reason}".strip())
        self._on_told(state, reason)

    def _pass_on(self, lines: IO[bytes]) -> None:
        """Show what it writes beside, and keep the end of it."""
        with lines:
            for line in lines:
                words = line.decode(errors="replace").rstrip()
                print(words, file=sys.stderr, flush=True)  # noqa: T201 - the log of this process
                if words:
                    self._last_words.append(words)
