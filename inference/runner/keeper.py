"""Keeps one deployment running: the host that serves, and one that warms up to follow it.

Every host warms up on a socket of its own and is then given the one that callers know, by one
rename. A host that serves stays until then, answers what it was asked, and ends: nobody is refused.
A host that is wished no more has its socket taken away, and goes in the same way.
"""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inference.runner.memory import MB, Ceiling, available_bytes, memory_of
from inference.runner.process import (
    SUCCESSOR_FAILED,
    HostProcess,
    HostStatus,
    Measured,
    Phase,
)
from inference.runner.protocol import warming_path
from inference.runner.spec import Spec
from inference.runner.statistics import Statistics

logger = logging.getLogger(__name__)

STOP_TIMEOUT_S = 2.0
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
# A host that ran this long before it ended is started again at once.
STABLE_AFTER_S = 10.0
LOAD_TIMEOUT_S = 600.0
# Longer than nearly every caller waits; who waits longer asks the successor, if there is one.
DRAIN_TIMEOUT_S = 900.0
MEMORY_CHECK_S = 5.0
# However fast a host grows, its successor gets this long.
LEAST_LIFE_S = 30.0


@dataclass
class Attempts:
    """Failed starts of one spec in a row, and when the next may be made.

    are_behind: a host of before serves meanwhile.
    """

    spec: Spec
    count: int = 0
    next_at: float = 0.0
    reason: str = ""
    are_behind: bool = False

    def note(self, reason: str, *, worked: bool, was_stable: bool) -> None:
        """worked: it had been started, before it ended."""
        self.count = 1 if was_stable else self.count + 1
        self.reason = reason
        # A host that once worked is back at once; one that keeps failing does not spin.
        is_at_once = worked and self.count == 1
        delay_s = 0 if is_at_once else min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** (self.count - 1))
        self.next_at = time.monotonic() + delay_s


class Keeper:
    """One deployment of this machine. Called from one thread.

    on_phase: told of what the deployment goes through, with words. wake: called when there may be
    something to do. Both are called from any thread.
    """

    def __init__(
        self,
        ceiling: Ceiling,
        on_phase: Callable[[Phase, str], None],
        wake: Callable[[], None],
    ) -> None:
        self._ceiling, self._on_phase, self._wake = ceiling, on_phase, wake
        self._serving: HostProcess | None = None
        self._next: HostProcess | None = None
        self._draining: list[HostProcess] = []
        self._attempts: Attempts | None = None
        self._past = Statistics()
        self._memory_checked_at = 0.0

    def step(self, spec: Spec, *, is_room_coming: bool = False) -> None:
        """Move one step towards a host like this; never waits for a model to load.

        is_room_coming: other hosts are about to end, so that a lack of memory is no failure yet.
        """
        if self._attempts and not spec.is_like(self._attempts.spec):
            self._attempts = None
        self._note_ends()
        if self._next and not self._next.follow(spec):
            _end(self._next)
            self._next = None
        self._switch()
        if self._next is None and self._may_try() and (why := self._why_next(spec)) is not None:
            self._start_next(spec, why, is_room_coming)

    @property
    def status(self) -> HostStatus:
        attempts = self._attempts
        if self._serving:
            if attempts and attempts.are_behind:
                return HostStatus("started", f"{SUCCESSOR_FAILED}{attempts.reason}")
            return self._serving.status
        if self._next:
            reason = f"starting again: {attempts.reason}" if attempts else self._next.status.reason
            return HostStatus("starting", reason)
        if attempts and attempts.count > 1:
            wait_s = max(0.0, attempts.next_at - time.monotonic())
            return HostStatus("failed", f"{attempts.reason}; next try in {wait_s:.0f} s")
        return HostStatus("starting", attempts.reason if attempts else "")

    @property
    def statistics(self) -> Statistics | None:
        """What this host and those before it have counted; None where none runs."""
        if self._serving is None:
            return None
        counted = self._past
        for host in (self._serving, *self._draining):
            counted = counted.plus(host.statistics)
        return counted

    @property
    def serving(self) -> Spec | None:
        """What the running host runs; None where none does."""
        return self._serving.spec if self._serving else None

    @property
    def measured(self) -> Measured | None:
        """What the running host took and did when it was warm; None where none runs."""
        return self._serving.measured if self._serving else None

    def may_go_on_as(self, spec: Spec) -> bool:
        """Whether the host that serves may answer until one of this spec is warm."""
        return self._serving is None or self._serving.spec.may_stand_in(spec)

    def leave(self) -> None:
        """Take in no more callers, and end once those who are here have their answers.

        Does not wait for that: `has_left` tells.
        """
        if self._next:
            _end(self._next)
        if self._serving:
            Path(self._serving.spec.socket).unlink(missing_ok=True)
            self._drain(self._serving)
        self._serving = self._next = None

    def has_left(self) -> bool:
        """Whether all of it has ended. Ends what drained for too long."""
        self._note_ends()
        return not self._hosts

    def stop(self) -> None:
        """Have all of it end at once, without waiting for that."""
        for host in self._hosts:
            host.stop()

    def join(self, until: float) -> None:
        """Wait for the end of what was stopped, on the monotonic clock; then kill it."""
        for host in self._hosts:
            host.join(max(0.0, until - time.monotonic()))
            Path(host.spec.socket).unlink(missing_ok=True)
            warming_path(host.spec.socket).unlink(missing_ok=True)
        self._serving, self._next, self._draining = None, None, []

    @property
    def _hosts(self) -> list[HostProcess]:
        return [host for host in (self._serving, self._next, *self._draining) if host]

    def _note_ends(self) -> None:
        for host in list(self._draining):
            if host.has_ended:
                self._draining.remove(host)
                self._take_leave(host)
            elif host.drain_s > DRAIN_TIMEOUT_S:
                host.give_up("callers stayed too long")
        if self._next and not self._next.is_started and self._next.age_s > LOAD_TIMEOUT_S:
            self._next.give_up(f"given up: the model was not loaded after {LOAD_TIMEOUT_S:.0f} s")
            self._next.join(STOP_TIMEOUT_S)
        if self._next and self._next.has_ended:
            ended, self._next = self._next, None
            self._note_end(ended)
        if self._serving and self._serving.has_ended:
            ended, self._serving = self._serving, None
            self._note_end(ended)

    def _note_end(self, host: HostProcess) -> None:
        self._take_leave(host)
        was_stable = host.was_started and host.age_s > STABLE_AFTER_S
        self._note_failure(
            host.spec, host.end_reason, worked=host.was_started, was_stable=was_stable
        )

    def _take_leave(self, host: HostProcess) -> None:
        host.join(STOP_TIMEOUT_S)  # it has ended; this reads its last words
        self._past = self._past.plus(host.statistics.of_the_past())

    def _note_failure(
        self, spec: Spec, reason: str, *, worked: bool = False, was_stable: bool = False
    ) -> None:
        self._attempts = self._attempts or Attempts(spec)
        self._attempts.are_behind = self._serving is not None
        self._attempts.note(reason, worked=worked, was_stable=was_stable)
        if self._serving:
            self._on_phase(Phase.SERVING, f"goes on, because {SUCCESSOR_FAILED}{reason}")
        else:
            self._on_phase(Phase.FAILED, reason)
        logger.warning("[%s] %s", spec.deployment_id, reason)

    def _drain(self, host: HostProcess) -> None:
        host.drain()
        self._draining.append(host)

    def _switch(self) -> None:
        """Let callers go to the next host, where it is warm."""
        if not (self._next and self._next.is_started):
            return
        before, self._serving, self._next = self._serving, self._next, None
        socket = self._serving.spec.socket
        os.replace(warming_path(socket), socket)
        if before:
            self._drain(before)
        if self._attempts:
            self._attempts.are_behind = False
        self._on_phase(Phase.SERVING, f"loaded {self._serving.status.reason}")

    def _why_next(self, spec: Spec) -> str | None:
        """Why a host has to be started, in words; None where the one that serves is right."""
        if self._serving is None:
            return ""
        if not self._serving.follow(spec):
            return spec.difference_from(self._serving.spec)
        return self._outgrown(self._serving)

    def _outgrown(self, host: HostProcess) -> str | None:
        now = time.monotonic()
        if host.age_s < LEAST_LIFE_S or now - self._memory_checked_at < MEMORY_CHECK_S:
            return None
        self._memory_checked_at = now
        warm = host.measured.private_bytes if host.measured else None
        used = memory_of(host.pid)
        if warm is None or used is None or used.private <= (most := self._ceiling.above(warm)):
            return None
        return (
            f"its memory grew from {warm // MB} to {used.private // MB} MB, "
            f"above the ceiling of {most // MB} MB"
        )

    def _may_try(self) -> bool:
        return self._attempts is None or time.monotonic() >= self._attempts.next_at

    def _start_next(self, spec: Spec, why: str, is_room_coming: bool) -> None:
        available = available_bytes()
        if available is not None and spec.memory_bytes > available:
            if is_room_coming:
                return
            self._note_failure(
                spec,
                f"its model needs about {spec.memory_bytes // MB} MB of memory, "
                f"but {available // MB} MB are available",
            )
            return
        if self._serving:
            self._on_phase(Phase.RECYCLING, why)
            logger.info("[%s] is replaced: %s", spec.deployment_id, why)
        try:
            self._next = HostProcess(spec, self._told)
        except OSError as exc:
            self._note_failure(spec, f"no process could be started: {exc.strerror}")

    def _told(self, state: str, words: str) -> None:
        """Callers see nothing of how a successor comes up behind a host that serves."""
        if self._serving is None and state in (Phase.LOADING, Phase.WARMING):
            self._on_phase(Phase(state), words)
        self._wake()


def _end(host: HostProcess) -> None:
    """End a start that is outdated: nobody waits for it, and so it need not be asked."""
    host.give_up("it is not wished any more")
    host.join(STOP_TIMEOUT_S)
    warming_path(host.spec.socket).unlink(missing_ok=True)
