"""What a model host is told to run."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

import orjson

from inference.runner.protocol import HostRequest
from inference.types import InputType, TaskType

# What can change in a process, and what while callers are answered by the one of before: what goes
# in and out stays the same.
CHANGED_IN_PLACE = ("num_allocations", "memory_bytes")
CHANGED_BEHIND_CALLERS = (*CHANGED_IN_PLACE, "num_threads", "generation", "queue_capacity")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What every host is told. generation: a change of it alone asks for a fresh start.

    host_module: what the process runs. memory_bytes: what it is expected to take once warm; 0 where
    nobody knows.
    """

    host_module: ClassVar[str]
    changed_behind_callers: ClassVar[tuple[str, ...]] = CHANGED_BEHIND_CALLERS

    deployment_id: str
    model_folder: str
    socket: str
    num_allocations: int
    num_threads: int
    generation: int = 1
    queue_capacity: int = 10_000
    memory_bytes: int = 0
    prefixes: dict[InputType, str] = field(default_factory=dict, hash=False)

    def is_like(self, other: "Spec") -> bool:
        """Whether one process can go from one to the other: allocations come and go in it."""
        return self._but_for(CHANGED_IN_PLACE, other) == other

    def may_stand_in(self, other: "Spec") -> bool:
        """Whether a host of this spec may answer until one of the other spec is warm."""
        is_same_kind = type(self) is type(other)
        return is_same_kind and self._but_for(self.changed_behind_callers, other) == other

    def difference_from(self, before: "Spec") -> str:
        """Why a host of the spec of before has to give way to one of this, in words."""
        return "its settings have changed"

    def _but_for(self, names: Iterable[str], other: "Spec") -> "Spec":
        """This spec with these values of the other."""
        same: dict[str, Any] = {name: getattr(other, name) for name in names}
        return replace(self, **same)

    def prefixed(self, request: HostRequest) -> HostRequest:
        """The request with the texts as the model wants them."""
        prefix = self.prefixes.get(request.input_type)
        if not prefix:
            return request
        return replace(request, texts=tuple(prefix + text for text in request.texts))

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_NON_STR_KEYS)


def read(text: str) -> dict[str, Any]:
    """The fields of a spec that `to_json` wrote."""
    raw: dict[str, Any] = orjson.loads(text)
    prefixes = {InputType(name): prefix for name, prefix in raw["prefixes"].items()}
    return raw | {"prefixes": prefixes}


@dataclass(frozen=True, kw_only=True)
class HostSpec(Spec):
    """A published model. prefixes: what it wants before a text, by what the text is for.

    precision: of the graph that runs, so never `auto`.
    """

    host_module: ClassVar[str] = "inference.runner.host"
    # Whoever calls meanwhile gets the results of the one or of the other.
    changed_behind_callers: ClassVar[tuple[str, ...]] = (*CHANGED_BEHIND_CALLERS, "precision")

    task_type: TaskType
    max_input_tokens: int
    precision: str = "fp32"

    def difference_from(self, before: Spec) -> str:
        if isinstance(before, HostSpec) and before.precision != self.precision:
            return f"its precision changes from [{before.precision}] to [{self.precision}]"
        return super().difference_from(before)

    @classmethod
    def from_json(cls, text: str) -> "HostSpec":
        raw = read(text)
        return cls(**raw | {"task_type": TaskType(raw["task_type"])})


@dataclass(frozen=True, kw_only=True)
class UploadSpec(Spec):
    """A model that somebody uploaded. inference_config: as it is stored."""

    host_module: ClassVar[str] = "inference.runner.upload_host"

    inference_config: dict[str, Any] = field(hash=False)

    @classmethod
    def from_json(cls, text: str) -> "UploadSpec":
        return cls(**read(text))
