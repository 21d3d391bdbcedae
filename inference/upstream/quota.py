"""What the headers of an answer tell about rate limits, in words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from time import time

import httpx

HEADER = re.compile(r"(?:x-|anthropic-)?ratelimit-([a-z-]+)")
KINDS = ("limit", "remaining", "reset")
NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
SPAN = re.compile(r"([0-9]{1,9}(\.[0-9]{1,6})?(ms|s|m|h|d))+")
# A larger number of seconds is a point in time.
LONGEST_SPAN_S = 1e9


@dataclass(frozen=True)
class Quota:
    """One limit. unit: what is counted. reset: when it is whole again, in words."""

    unit: str
    limit: str | None = None
    remaining: str | None = None
    reset: str | None = None

    @property
    def is_used_up(self) -> bool:
        return self.remaining is not None and float(self.remaining) <= 0

    def __str__(self) -> str:
        match self.limit, self.remaining:
            case None, remaining:
                told = f"{remaining} {self.unit} are left"
            case limit, None:
                told = f"{limit} {self.unit} are allowed"
            case limit, remaining:
                told = f"{remaining} of {limit} {self.unit} are left"
        return f"{told}, whole again {self.reset}" if self.reset else told


def quotas(headers: httpx.Headers) -> list[Quota]:
    """The limits that headers tell of, as OpenAI, Anthropic and those who follow them name them."""
    found: dict[str, dict[str, str]] = {}
    for kind, unit, value in _told(headers):
        found.setdefault(unit, {})[kind] = value
    return [
        Quota(unit, **values)
        for unit, values in found.items()
        if "limit" in values or "remaining" in values
    ]


def _told(headers: httpx.Headers) -> Iterator[tuple[str, str, str]]:
    """Kind, unit and value of each header that tells something."""
    for name, value in headers.items():
        if not (match := HEADER.fullmatch(name)):
            continue
        words = match[1].split("-")
        kind = next((word for word in words if word in KINDS), None)
        if kind is None:
            continue
        unit = " ".join(word for word in words if word != kind) or "requests"
        if kind == "reset":
            if words_for := _when(value):
                yield kind, unit, words_for
        elif NUMBER.fullmatch(value):
            yield kind, unit, value


def _when(text: str) -> str:
    """A time as providers tell it, seconds, a span or a date; empty for what is none."""
    if SPAN.fullmatch(text):
        return f"in {text}"
    try:
        seconds = (
            float(text) if NUMBER.fullmatch(text) else datetime.fromisoformat(text).timestamp()
        )
    except ValueError:
        return ""
    if seconds > LONGEST_SPAN_S * 1000:
        seconds /= 1000
    if seconds > LONGEST_SPAN_S:
        seconds = max(seconds - time(), 0)
    return f"in {seconds:.0f} s"
