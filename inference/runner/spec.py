"""What a model host is told to run."""

from dataclasses import asdict, dataclass, replace

import orjson

from inference.types import TaskType


@dataclass(frozen=True)
class HostSpec:
    """generation: a change of it alone asks for a fresh start."""

    deployment_id: str
    task_type: TaskType
    model_folder: str
    socket: str
    max_input_tokens: int
    num_allocations: int
    num_threads: int
    generation: int = 1
    queue_capacity: int = 10_000

    def is_like(self, other: "HostSpec") -> bool:
        """Whether one process can go from one to the other: allocations come and go in it."""
        return replace(self, num_allocations=other.num_allocations) == other

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "HostSpec":
        raw = orjson.loads(text)
        return cls(**raw | {"task_type": TaskType(raw["task_type"])})
