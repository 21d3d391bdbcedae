"""Keeps the model hosts of this machine as they are wished."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue

from inference.runner.keeper import STOP_TIMEOUT_S, Keeper
from inference.runner.memory import Ceiling
from inference.runner.process import HostStatus, Measured, Phase
from inference.runner.spec import Spec
from inference.runner.statistics import Statistics


@dataclass(frozen=True)
class PhaseEvent:
    """at: seconds since 1970. words: why, or how long it took; often there is nothing to say."""

    deployment_id: str
    phase: Phase
    words: str
    at: float = field(default_factory=time.time)


class LocalRunner:
    """Runs deployments as child processes. Called from one thread."""

    def __init__(self, ceiling: Ceiling = Ceiling()) -> None:  # noqa: B008 - it is frozen
        self._ceiling = ceiling
        self._keepers: dict[str, Keeper] = {}
        self._leaving: list[Keeper] = []
        self._events: SimpleQueue[PhaseEvent] = SimpleQueue()
        self._changed = threading.Event()

    def apply(self, specs: Iterable[Spec]) -> None:
        """Move one step towards exactly these hosts; never waits for a model or for a caller.

        What is wished no more answers the callers that it has, beside what takes its place.
        """
        wished = {spec.deployment_id: spec for spec in specs}
        for deployment_id, keeper in list(self._keepers.items()):
            spec = wished.get(deployment_id)
            if spec is None or not keeper.may_go_on_as(spec):
                keeper.leave()
                self._leaving.append(self._keepers.pop(deployment_id))
        self._leaving = [keeper for keeper in self._leaving if not keeper.has_left()]
        for deployment_id, spec in wished.items():
            self._keeper(deployment_id).step(spec, is_room_coming=bool(self._leaving))

    def wait_for_change(self, timeout_s: float) -> None:
        """Return when a host has told something new, or after that time."""
        self._changed.wait(timeout_s)
        self._changed.clear()

    def status(self, deployment_id: str) -> HostStatus:
        keeper = self._keepers.get(deployment_id)
        return keeper.status if keeper else HostStatus("starting")

    def statistics(self, deployment_id: str) -> Statistics | None:
        """What the running host and those before it have counted; None where none runs."""
        keeper = self._keepers.get(deployment_id)
        return keeper.statistics if keeper else None

    def measured(self, deployment_id: str) -> Measured | None:
        """What the running host took and did when it was warm; None where none runs."""
        keeper = self._keepers.get(deployment_id)
        return keeper.measured if keeper else None

    def serving(self, deployment_id: str) -> Spec | None:
        """What the host runs that answers callers now; None where none does."""
        keeper = self._keepers.get(deployment_id)
        return keeper.serving if keeper else None

    def events(self) -> list[PhaseEvent]:
        """What the deployments went through since this was asked last, in order."""
        return [self._events.get() for _ in range(self._events.qsize())]

    def stop_all(self) -> None:
        """End all of them at once and together, so that the slowest alone decides how long."""
        keepers = [*self._keepers.values(), *self._leaving]
        self._keepers, self._leaving = {}, []
        for keeper in keepers:
            keeper.stop()
        until = time.monotonic() + STOP_TIMEOUT_S
        for keeper in keepers:
            keeper.join(until)

    def _keeper(self, deployment_id: str) -> Keeper:
        if deployment_id not in self._keepers:
            on_phase = partial(self._note, deployment_id)
            self._keepers[deployment_id] = Keeper(self._ceiling, on_phase, self._changed.set)
        return self._keepers[deployment_id]

    def _note(self, deployment_id: str, phase: Phase, words: str) -> None:
        self._events.put(PhaseEvent(deployment_id, phase, words))
