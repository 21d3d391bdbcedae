"""Query parameters: known by name, typed, refused where they make no sense."""

import re
from typing import TypeVar

from django.http import QueryDict

from inference.errors import InvalidArgument

TextT = TypeVar("TextT", str, None)

COMMON = frozenset({"pretty", "human", "error_trace", "filter_path", "timeout", "master_timeout"})
UNITS_S = {
    "nanos": 1e-9,
    "micros": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
INTEGER = re.compile(r"-?[0-9]{1,18}")
DURATION = re.compile(r"([0-9]{1,18})(nanos|micros|ms|s|m|h|d)")


class Params:
    """The query parameters of one request. Raises InvalidArgument for one it does not know."""

    def __init__(self, query: QueryDict, path: str, allowed: frozenset[str] = frozenset()) -> None:
        self._query = query
        for name in query:
            if name not in COMMON | allowed:
                raise InvalidArgument(f"request [{path}] contains unrecognized parameter: [{name}]")

    def flag(self, name: str) -> bool:
        return flag(self._query, name)

    def text(self, name: str, default: TextT) -> str | TextT:
        return self._query.get(name, default)

    def integer(self, name: str) -> int | None:
        """A whole number, or None where it is not given."""
        text = self._query.get(name)
        if text is not None and not INTEGER.fullmatch(text):
            raise InvalidArgument(f"Failed to parse int parameter [{name}] with value [{text}]")
        return None if text is None else int(text)

    def duration_s(self, name: str, default_s: float) -> float:
        """A duration in seconds; -1 means no limit."""
        text = self._query.get(name)
        return default_s if text is None else parse_duration_s(text, name)


def flag(query: QueryDict, name: str) -> bool:
    """A boolean parameter; the name alone means true. Raises InvalidArgument."""
    text = query.get(name)
    if text not in (None, "", "true", "false"):
        raise InvalidArgument(
            f"Failed to parse value [{text}] as only [true] or [false] are allowed."
        )
    return text in ("", "true")


def parse_duration_s(text: str, name: str) -> float:
    """Read a duration such as `30s`. Raises InvalidArgument."""
    if text == "-1":
        return float("inf")
    if text == "0":
        return 0.0
    if match := DURATION.fullmatch(text.strip().lower()):
        return int(match[1]) * UNITS_S[match[2]]
    raise InvalidArgument(
        f"failed to parse setting [{name}] with value [{text}] as a time value: "
        "unit is missing or unrecognized"
    )
