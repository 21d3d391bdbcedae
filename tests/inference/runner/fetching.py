"""Small weights to fetch, and a clock that no test has to wait for."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from inference.runner.catalogue import Package, Weights, WeightsFile
from inference.runner.progress import Clock, Progress
from inference.runner.sources import FetchReport, SourceSettings, fetch

REPOSITORY, REVISION = "someone/tiny", "0123abc"
CONTENTS = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": np.random.default_rng(7).bytes(3_000_000),
}
TOTAL = sum(map(len, CONTENTS.values()))
WEIGHTS = Weights(
    repository=REPOSITORY,
    revision=REVISION,
    files=tuple(
        WeightsFile(name, len(content), hashlib.sha256(content).hexdigest())
        for name, content in CONTENTS.items()
    ),
    licence="Apache-2.0",
    architecture="bert",
    package=Package("tiny-weights==1.0", "tiny_weights/model"),
)


def address(name: str) -> str:
    return f"/{REPOSITORY}/resolve/{REVISION}/{name}"


PUBLISHED = {address(name): content for name, content in CONTENTS.items()}


@dataclass
class Watch:
    """A clock that goes on by `step_s` with every look at it, and records the pauses asked for."""

    step_s: float = 0.05
    time_s: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        return Clock(now=self._now, pause=self.pauses.append)

    def _now(self) -> float:
        self.time_s += self.step_s
        return self.time_s


@dataclass
class Fetching:
    """Calls of fetch into one folder, and what was seen of them."""

    folder: Path
    sources: SourceSettings
    watch: Watch = field(default_factory=Watch)
    seen: list[Progress] = field(default_factory=list)
    weights: Weights = WEIGHTS

    def run(self, is_cancelled: Callable[[], bool] = lambda: False) -> FetchReport:
        watch = self.watch.clock()
        return fetch(self.weights, self.folder, self.sources, self.seen.append, is_cancelled, watch)

    def cancelled_after(self, size_bytes: int) -> Callable[[], bool]:
        return lambda: bool(self.seen) and self.seen[-1].bytes_done >= size_bytes

    @property
    def names(self) -> list[str]:
        """What the folder holds, without the lock."""
        return sorted(path.name for path in self.folder.iterdir() if path.name != ".lock")

    @property
    def is_complete(self) -> bool:
        contents = {name: (self.folder / name).read_bytes() for name in self.names}
        return contents == CONTENTS
