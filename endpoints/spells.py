"""How the calls of an endpoint went over the last days: since when they are answered, or fail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.utils import timezone

from endpoints.attention import PERCENT_WORTH_TELLING
from endpoints.latencies import merged
from endpoints.models import Endpoint

LOOKED_BACK = timedelta(days=30)
HOUR = timedelta(hours=1)
# Calls that come after so long without any begin a spell of their own.
LONGEST_GAP = timedelta(days=1)


class Mood(StrEnum):
    """How the calls of an hour went; a few that fail of very many are no change."""

    ANSWERED = "answered"
    SOME_FAILED = "some failed"
    ALL_FAILED = "all failed"


class Hour(NamedTuple):
    """failures: how many of the errors were of which kind, as endpoints/failure_kinds.py names
    them; fewer than the errors, as those of before the kinds were counted are of none.
    """

    start: datetime
    requests: int
    errors: int
    failures: Mapping[str, int]

    @property
    def mood(self) -> Mood:
        if self.errors == self.requests:
            return Mood.ALL_FAILED
        is_worth_telling = 100 * self.errors >= PERCENT_WORTH_TELLING * self.requests
        return Mood.SOME_FAILED if is_worth_telling else Mood.ANSWERED


@dataclass(frozen=True)
class Spell:
    """Hours in which calls went alike. end: of its last hour. failures: as those of an hour."""

    start: datetime
    end: datetime
    mood: Mood
    requests: int
    errors: int
    failures: Mapping[str, int]

    @classmethod
    def of(cls, hour: Hour) -> "Spell":
        end = hour.start + HOUR
        return cls(hour.start, end, hour.mood, hour.requests, hour.errors, hour.failures)

    def takes_in(self, hour: Hour) -> bool:
        return hour.mood == self.mood and hour.start - self.end < LONGEST_GAP

    def with_hour(self, hour: Hour) -> "Spell":
        return Spell(
            self.start,
            hour.start + HOUR,
            self.mood,
            self.requests + hour.requests,
            self.errors + hour.errors,
            merged(self.failures, hour.failures),
        )


def spells_of(endpoint: Endpoint) -> list[Spell]:
    """Those that began in the last 30 days, the newest first."""
    since = timezone.now() - LOOKED_BACK
    called = endpoint.usage.filter(hour__gte=since, requests__gt=0).order_by("hour")
    hours = called.values_list("hour", "requests", "errors", "failures")
    return put_together(map(Hour._make, hours))


def put_together(hours: Iterable[Hour]) -> list[Spell]:
    """The newest first. hours: the oldest first, each with a call."""
    spells: list[Spell] = []
    for hour in hours:
        if spells and spells[-1].takes_in(hour):
            spells[-1] = spells[-1].with_hour(hour)
        else:
            spells.append(Spell.of(hour))
    return spells[::-1]
