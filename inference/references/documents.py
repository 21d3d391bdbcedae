"""A document on its way through a pipeline: fields are found by dotted paths."""

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import orjson

from inference.errors import InvalidArgument

TEMPLATE = re.compile(r"\{\{\{?([^{}]*)\}?\}\}")
METADATA = ("_index", "_id", "_version", "_routing")
SECTIONS = ("#", "^", "/", ">", "!", "&")
# What a pipeline may make of a document, so that one that doubles it over and over comes to an end.
MAX_DEPTH = 100
MAX_WRITTEN = 2_000_000
DEFAULTS = {"_index": "_index", "_id": "_id", "_version": "-3"}


@dataclass
class Document:
    """metadata: `_index`, `_id` and their like. ingest: what `_ingest` holds for the processors.

    written: how much was copied from field to field so far, in characters and values.
    """

    source: dict[str, Any]
    metadata: dict[str, str] = field(default_factory=lambda: dict(DEFAULTS))
    ingest: dict[str, Any] = field(default_factory=dict)
    written: int = 0

    def get(self, path: str) -> Any:
        """Raises InvalidArgument where the path does not lead to a field."""
        node, parts = self._start(path)
        for part in parts:
            node = _step(node, part, path)
        return node

    def has(self, path: str) -> bool:
        try:
            self.get(path)
        except InvalidArgument:
            return False
        return True

    def set(self, path: str, value: Any) -> None:
        """Missing objects on the way are made.

        Raises InvalidArgument for something else on the way, and for a document that gets too deep.
        """
        node, (*parts, last) = self._start(path)
        if len(parts) + depth(value) > MAX_DEPTH:
            raise InvalidArgument(f"path [{path[:MAX_DEPTH]}] is too deep")
        for part in parts:
            if isinstance(node, dict) and node.get(part) is None:
                node[part] = {}
            node = _step(node, part, path)
        if isinstance(node, dict):
            node[last] = value
        else:
            _step(node, last, path)
            node[int(last)] = value

    def copy(self, path: str) -> Any:
        """A copy of a field with all that is in it. Raises InvalidArgument."""
        written = orjson.dumps(self.get(path))
        self._write(len(written))
        return orjson.loads(written)

    def remove(self, path: str) -> None:
        """Raises InvalidArgument where there is nothing to remove."""
        node, (*parts, last) = self._start(path)
        for part in parts:
            node = _step(node, part, path)
        _step(node, last, path)
        del node[last if isinstance(node, dict) else int(last)]

    def render(self, value: Any) -> Any:
        """Fill in every `{{field}}`, in all strings of a value; a missing field is empty."""
        if isinstance(value, str):
            return TEMPLATE.sub(self._filled, value)
        if isinstance(value, dict):
            return {self.render(name): self.render(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.render(inner) for inner in value]
        return value

    def to_response(self, ingest: tuple[str, ...] | None = None) -> dict[str, Any]:
        """A snapshot; ingest: the only names of `_ingest` to show."""
        shown = {k: v for k, v in self.ingest.items() if ingest is None or k in ingest}
        return deepcopy({**self.metadata, "_source": self.source, "_ingest": shown})

    def _start(self, path: str) -> tuple[Any, list[str]]:
        """Where a path begins and its parts from there."""
        parts = path.split(".")
        if not all(parts):
            raise InvalidArgument(f"path [{path}] is not valid")
        if len(parts) == 1 and path in METADATA:
            return self.metadata, parts
        if len(parts) > 1 and parts[0] == "_ingest":
            return self.ingest, parts[1:]
        if len(parts) > 1 and parts[0] in ("_source", "ctx"):
            return self.source, parts[1:]
        return self.source, parts

    def _filled(self, match: re.Match[str]) -> str:
        name = match[1].strip()
        if name.startswith(SECTIONS):
            raise InvalidArgument(f"template [{match[0]}] is not supported here")
        try:
            value = self.get(name)
        except InvalidArgument:
            return ""
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        self._write(len(text))
        return "" if value is None else text

    def _write(self, size: int) -> None:
        self.written += size
        if self.written > MAX_WRITTEN:
            raise InvalidArgument("the pipeline makes too much of this document")


def depth(value: Any) -> int:
    """How many objects and lists lie around the innermost value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    is_plain = not isinstance(value, dict | list)
    return 0 if is_plain else 1 + max((depth(one) for one in inner), default=0)


def _step(node: Any, part: str, path: str) -> Any:
    in_path = f"as part of path [{path}]"
    if isinstance(node, dict):
        if part not in node:
            raise InvalidArgument(f"field [{part}] not present {in_path}")
        return node[part]
    if isinstance(node, list):
        if not (part.isascii() and part.isdigit()) or len(part) > 9:
            raise InvalidArgument(
                f"[{part}] is not an integer, cannot be used as an index {in_path}"
            )
        if int(part) >= len(node):
            raise InvalidArgument(
                f"[{part}] is out of bounds for array with length [{len(node)}] {in_path}"
            )
        return node[int(part)]
    kind = "null" if node is None else f"object of type [{type(node).__name__}]"
    raise InvalidArgument(f"cannot resolve [{part}] from {kind} {in_path}")
