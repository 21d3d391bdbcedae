"""How an answer is to be written: the query parameters that every route takes."""

import traceback
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.http import QueryDict

from endpoints.api.media import write_json
from endpoints.api.params import flag
from endpoints.privileges import covers

Path: TypeAlias = tuple[str, ...]
ANY_DEPTH = "**"


@dataclass(frozen=True)
class Shape:
    """included, excluded: dotted paths of `filter_path`, split; empty means all.

    is_human: whether times are told as dates, too. That is up to the answers that hold some.
    """

    is_pretty: bool = False
    is_human: bool = False
    has_trace: bool = False
    included: tuple[Path, ...] = ()
    excluded: tuple[Path, ...] = ()

    @classmethod
    def of(cls, query: QueryDict) -> "Shape":
        """Raises InvalidArgument for a flag that is neither true nor false."""
        paths = [path for path in query.get("filter_path", "").split(",") if path.strip("- ")]
        return cls(
            is_pretty=flag(query, "pretty"),
            is_human=flag(query, "human"),
            has_trace=flag(query, "error_trace"),
            included=tuple(split(path) for path in paths if not path.startswith("-")),
            excluded=tuple(split(path[1:]) for path in paths if path.startswith("-")),
        )

    def write(self, data: Any) -> bytes:
        if self.excluded:
            data = without(data, self.excluded)
        if self.included:
            data = only(data, self.included)
        return write_json(data, is_pretty=self.is_pretty)

    def add_trace(self, error: dict[str, Any], exc: Exception) -> dict[str, Any]:
        """The body of an error, with where it came from if that was asked for."""
        if not self.has_trace:
            return error
        trace = "".join(traceback.format_exception(exc))
        return error | {"error": error["error"] | {"stack_trace": trace}}


def split(path: str) -> Path:
    return tuple(part for part in path.strip().split(".") if part)


def only(data: Any, paths: tuple[Path, ...]) -> Any:
    """What lies on one of the paths. Nothing at all is left as {}."""
    kept = _only(data, paths)
    return {} if kept is None else kept


def _only(data: Any, paths: tuple[Path, ...]) -> Any:
    """None where nothing is left. Lists are looked through: a path names only fields."""
    if any(path in ((), (ANY_DEPTH,)) for path in paths):
        return data
    if isinstance(data, list):
        items = [kept for item in data if (kept := _only(item, paths)) is not None]
        return items or None
    if not isinstance(data, dict):
        return None
    fields = {
        name: kept
        for name, value in data.items()
        if (rest := below(paths, name)) and (kept := _only(value, rest)) is not None
    }
    return fields or None


def without(data: Any, paths: tuple[Path, ...]) -> Any:
    """Everything but what a path ends at."""
    if isinstance(data, list):
        return [without(item, paths) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        name: without(value, rest)
        for name, value in data.items()
        if () not in (rest := below(paths, name)) and (ANY_DEPTH,) not in rest
    }


def below(paths: tuple[Path, ...], name: str) -> tuple[Path, ...]:
    """The rests of those paths that lead on through a field of this name."""
    rests: list[Path] = []
    for path in paths:
        if not path:
            continue
        first, rest = path[0], path[1:]
        if first == ANY_DEPTH:
            rests.append(path)
            rests += below((rest,), name)
        elif covers(first, name):
            rests.append(rest)
    return tuple(rests)
