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
        self._events: SimpleQueue[PhaseEvent] = SimpleQueue()
        self._changed = threading.Event()

    def apply(self, specs: Iterable[Spec]) -> None:
        """Move one step towards exactly these hosts; never waits for a model to load."""
        wished = {spec.deployment_id: spec for spec in specs}
        self._stop([gone for gone in self._keepers if gone not in wished])
        for deployment_id, spec in wished.items():
            self._keeper(deployment_id).step(spec)

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

    def events(self) -> list[PhaseEvent]:
        """What the deployments went through since this was asked last, in order."""
        return [self._events.get() for _ in range(self._events.qsize())]

    def stop_all(self) -> None:
        self._stop(list(self._keepers))

    def _keeper(self, deployment_id: str) -> Keeper:
        if deployment_id not in self._keepers:
            on_phase = partial(self._note, deployment_id)
            self._keepers[deployment_id] = Keeper(self._ceiling, on_phase, self._changed.set)
        return self._keepers[deployment_id]

    def _note(self, deployment_id: str, phase: Phase, words: str) -> None:
        self._events.put(PhaseEvent(deployment_id, phase, words))

    def _stop(self, deployment_ids: Iterable[str]) -> None:
        """Stop these together, so that the slowest alone decides how long it takes."""
        keepers = [self._keepers.pop(deployment_id) for deployment_id in deployment_ids]
        for keeper in keepers:
            keeper.stop()
        until = time.monotonic() + STOP_TIMEOUT_S
        for keeper in keepers:
            keeper.join(until)
