"""Paths into JSON: `$.data[*].embedding`, the part of JSONPath that the custom service knows.

Unlike JSONPath, lists within lists stay so.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[\*\]")
MOST_STEPS = 100
UNKNOWN_FIELD = "unknown"
# A name in an object, or None for each item of a list.
Step: TypeAlias = str | None

TYPE_NAMES: dict[type, str] = {
    dict: "LinkedHashMap",
    list: "ArrayList",
    str: "String",
    bool: "Boolean",
    int: "Integer",
    float: "Double",
}


def type_name(value: Any) -> str:
    """The type of a JSON value as Elasticsearch's reasons name it."""
    return TYPE_NAMES.get(type(value), "null")


@dataclass(frozen=True)
class Path:
    """fields: the dotted names of the lists that it goes through, and of where it ends."""

    steps: tuple[Step, ...]
    fields: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Path":
        """Raises ValueError with what is wrong."""
        return _parse(text.strip())

    def field(self, depth: int) -> str:
        """The name of what is found, or of its items, for reasons."""
        return self.fields[depth] if depth < len(self.fields) else UNKNOWN_FIELD

    def find(self, body: Any) -> Any:
        """What is there in a body. Raises ValueError with what is not."""
        return _find(body, self.steps)


@lru_cache(1000)
def _parse(text: str) -> Path:
    if not text.startswith("$"):
        raise ValueError(f"Path [{text}] must start with a dollar sign ($)")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        found = STEP.match(text, at)
        if found is None:
            raise ValueError(
                f"Invalid path received [{text[at:]}], unable to extract a field name."
            )
        steps.append(found["name"])
        at = found.end()
    if len(steps) > MOST_STEPS:
        raise ValueError(f"Path has [{len(steps)}] fields, more than [{MOST_STEPS}]")
    return Path(tuple(steps), _fields(steps))


def _fields(steps: list[Step]) -> tuple[str, ...]:
    names: list[str] = []
    found: dict[str, None] = {}
    for step in steps:
        if step is None:
            found[".".join(names)] = None
        else:
            names.append(step)
    if steps and steps[-1] is not None:
        found[".".join(names)] = None
    return tuple(found)


def _find(value: Any, steps: tuple[Step, ...]) -> Any:
    if value is None:
        return None
    for number, step in enumerate(steps):
        if step is None:
            if not isinstance(value, list):
                raise ValueError(_mismatch(steps[number:], "array", "list", value))
            rest = steps[number + 1 :]
            items = [_find(item, rest) for item in value] if rest else value
            return [item for item in items if item is not None]
        if not isinstance(value, dict):
            raise ValueError(_mismatch(steps[number:], "dot", "map", value))
        value = value.get(step)
        if value is None:
            raise ValueError(f"Unable to find field [{step}] in map")
    return value


def _mismatch(rest: tuple[Step, ...], pattern: str, expected: str, value: Any) -> str:
    path = "".join("[*]" if step is None else f".{step}" for step in rest)
    return (
        f"Current path [{path}] matched the {pattern} field pattern but the current object is not "
        f"a {expected}, found invalid type [{type_name(value)}] instead."
    )
