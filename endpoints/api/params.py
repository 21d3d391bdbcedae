"""Query parameters: known by name, typed, refused where they make no sense."""

import re
from difflib import get_close_matches
from typing import TypeVar

from django.http import QueryDict

from inference.errors import LONGEST_SHOWN, InvalidArgument, shown

TextT = TypeVar("TextT", str, None)

DURATIONS = ("timeout", "master_timeout")
COMMON = frozenset({"pretty", "human", "error_trace", "filter_path", *DURATIONS})
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
    """The query parameters of one request.

    Raises InvalidArgument for those it does not know, and for a time without a unit.
    """

    def __init__(self, query: QueryDict, path: str, allowed: frozenset[str] = frozenset()) -> None:
        self._query = query
        if not query:
            return
        known = COMMON | allowed
        if unknown := sorted(set(query) - known):
            s = "s" if len(unknown) > 1 else ""
            listed = ", ".join(with_advice(name, known) for name in unknown)
            raise InvalidArgument(f"request [{path}] contains unrecognized parameter{s}: {listed}")
        for name in DURATIONS:
            if (text := query.get(name)) is not None:
                parse_duration_s(text, name)

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


def with_advice(name: str, known: frozenset[str]) -> str:
    """An unknown name with those that it may have been meant to be."""
    close = [f"[{one}]" for one in get_close_matches(name[:LONGEST_SHOWN], sorted(known))]
    meant = f"any of [{', '.join(close)}]" if len(close) > 1 else "".join(close)
    return f"[{shown(name)}]" + (f" -> did you mean {meant}?" if close else "")


def flag(query: QueryDict, name: str) -> bool:
    """A boolean parameter; the name alone means true. Raises InvalidArgument."""
    text = query.get(name)
    if text not in (None, "", "true", "false"):
        raise InvalidArgument(
            f"Failed to parse value [{shown(text)}] as only [true] or [false] are allowed."
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
        f"failed to parse setting [{name}] with value [{shown(text)}] as a time value: "
        "unit is missing or unrecognized"
    )
