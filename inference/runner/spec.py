"""What a model host is told to run."""

from dataclasses import asdict, dataclass, field, replace

import orjson

from inference.runner.protocol import HostRequest
from inference.types import InputType, TaskType


@dataclass(frozen=True)
class HostSpec:
    """generation: a change of it alone asks for a fresh start.

    prefixes: what the model wants before a text, by what the text is for.
    """

    deployment_id: str
    task_type: TaskType
    model_folder: str
    socket: str
    max_input_tokens: int
    num_allocations: int
    num_threads: int
    generation: int = 1
    queue_capacity: int = 10_000
    prefixes: dict[InputType, str] = field(default_factory=dict, hash=False)

    def prefixed(self, request: HostRequest) -> HostRequest:
        """The request with the texts as the model wants them."""
        prefix = self.prefixes.get(request.input_type)
        if not prefix:
            return request
        return replace(request, texts=tuple(prefix + text for text in request.texts))

    def is_like(self, other: "HostSpec") -> bool:
        """Whether one process can go from one to the other: allocations come and go in it."""
        return replace(self, num_allocations=other.num_allocations) == other

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_NON_STR_KEYS)

    @classmethod
    def from_json(cls, text: str) -> "HostSpec":
        raw = orjson.loads(text)
        raw["prefixes"] = {InputType(name): prefix for name, prefix in raw["prefixes"].items()}
        return cls(**raw | {"task_type": TaskType(raw["task_type"])})
