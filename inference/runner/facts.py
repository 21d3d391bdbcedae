"""What is known of a model that can run here, wherever it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from inference.types import InputType, TaskType


class Origin(StrEnum):
    BUILTIN = "builtin"
    ADDED = "added"
    UPLOADED = "uploaded"


@dataclass(frozen=True)
class ModelFacts:
    """task_type: of the endpoints that it serves; None where there is no such task.

    max_input_tokens: the window, special tokens included. size_bytes: of the files; 0 until
    anything of them is here. identity: everything that decides what the model makes of a text, as
    JSON; None where its files are not known well enough yet. repository: where the files came
    from, the hub's name or a folder; empty for an upload. licence: an SPDX id, as far as it is one.
    languages: ISO 639-1 codes. dimensions, similarity, pooling: of the vectors; None for a task
    that returns none, or where nobody knows. unrelated_cosine: of vectors of texts that have
    nothing in common, roughly. prefixes: what the model wants before a text, by what it is for.
    """

    model_id: str
    origin: Origin
    task_type: TaskType | None
    max_input_tokens: int
    size_bytes: int
    identity: Mapping[str, Any] | None = field(hash=False)
    repository: str = ""
    revision: str = ""
    licence: str = ""
    description: str = ""
    languages: tuple[str, ...] = ()
    dimensions: int | None = None
    similarity: str | None = None
    pooling: str | None = None
    unrelated_cosine: float = 0.0
    prefixes: Mapping[InputType, str] = field(default_factory=dict, hash=False)
