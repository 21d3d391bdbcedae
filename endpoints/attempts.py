"""What people tried and did not get: what they were refused, and what failed.

Nobody waits for that to be written, and nobody fills a disk with it: it is gathered in memory, the
same again and again within a minute is one entry with a count, and of who tries ever something else
only so much is told apart. A thread of each process writes it down.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from inspect import signature
from time import time
from typing import Any, ParamSpec, TypeVar

from django.db import transaction
from django.utils import timezone

from endpoints import audit
from endpoints.access import Forbidden, Unauthenticated, Unseen
from endpoints.audit import Who
from endpoints.flushing import Flusher
from endpoints.models import AuditEntry, Outcome, Team, User
from inference.errors import InferenceError

INTERVAL_S = 5.0
GATHERED_FOR = timedelta(minutes=1)
# So many are told apart at a time, so many of one address, and so many of strangers in a day; what
# goes beyond is counted together.
MOST_WAITING, MOST_OF_ADDRESS, MOST_OF_STRANGERS = 100, 10, 10_000
VARIOUS = "*"
SIGN_IN, BASIC = "session.start", "Basic authentication, for the first time on this day"
MOST_VISITORS, DAY_S = 10_000, 86_400
# What of a route's path names no thing, or not the one that is changed.
NO_NAMES = ("task_type", "part", "service_name", "team")

Args = ParamSpec("Args")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Attempt:
    """What makes two of them the same."""

    outcome: Outcome
    verb: str
    subject: str
    actor_name: str
    key_id: str
    address: str
    actor_pk: int | None = None
    team_pk: int | None = None

    @property
    def is_of_a_stranger(self) -> bool:
        return self.actor_pk is None and self.actor_name != audit.SHELL


@dataclass
class Tally:
    at: datetime
    times: int
    reason: str


class Attempts:
    """Those that wait to be written. Any number of threads may note and write."""

    def __init__(self) -> None:
        self._waiting: dict[Attempt, Tally] = {}
        self._of_address: Counter[str] = Counter()
        self._day, self._of_strangers = timezone.now().date(), 0
        self._visitors: dict[tuple[int, str], int] = {}
        self._lock = threading.Lock()

    def note(self, attempt: Attempt, reason: str) -> None:
        now = timezone.now()
        with self._lock:
            found = self._waiting.get(attempt)
            if found is None:
                attempt = self._told_apart(attempt, now)
                found = self._waiting.setdefault(attempt, Tally(now, 0, reason))
                self._of_address[attempt.address] += found.times == 0
            found.times += 1
            found.reason = reason

    def is_new_today(self, user: User, address: str) -> bool:
        """Whether somebody comes from there for the first time on this day, as far as we know."""
        visitor, day = (user.pk, address), int(time()) // DAY_S
        if self._visitors.get(visitor) == day:
            return False
        with self._lock:
            if len(self._visitors) >= MOST_VISITORS:
                self._visitors.clear()
            self._visitors[visitor] = day
        return True

    def write(self, *, everything: bool = False) -> None:
        """Write what was gathered for long enough. What cannot be written goes on waiting."""
        until = timezone.now() - (timedelta() if everything else GATHERED_FOR)
        with self._lock:
            taken = {one: tally for one, tally in self._waiting.items() if tally.at <= until}
            for attempt in taken:
                del self._waiting[attempt]
                self._of_address[attempt.address] -= 1
            self._of_address += Counter()  # forgets those that have none left
        if not taken:
            return
        try:
            record_all(taken)
        except BaseException:
            with self._lock:
                for attempt, tally in taken.items():
                    if later := self._waiting.get(attempt):
                        tally.times, tally.reason = tally.times + later.times, later.reason
                    else:
                        self._of_address[attempt.address] += 1
                    self._waiting[attempt] = tally
            raise

    def _told_apart(self, attempt: Attempt, now: datetime) -> Attempt:
        """The attempt, or the one that it is counted with where there are too many."""
        if attempt.is_of_a_stranger:
            if self._day != now.date():
                self._day, self._of_strangers = now.date(), 0
            self._of_strangers += 1
        is_too_much = self._of_strangers > MOST_OF_STRANGERS and attempt.is_of_a_stranger
        if is_too_much or len(self._waiting) >= MOST_WAITING:
            attempt = Attempt(attempt.outcome, attempt.verb, VARIOUS, VARIOUS, "", VARIOUS)
        elif self._of_address[attempt.address] >= MOST_OF_ADDRESS:
            address = attempt.address
            attempt = Attempt(attempt.outcome, attempt.verb, VARIOUS, VARIOUS, "", address)
        return attempt


@transaction.atomic
def record_all(attempts: Mapping[Attempt, Tally]) -> None:
    teams = Team.objects.in_bulk({one.team_pk for one in attempts if one.team_pk})
    users = User.objects.in_bulk({one.actor_pk for one in attempts if one.actor_pk})
    for attempt, tally in attempts.items():
        if attempt.verb == SIGN_IN and is_recorded(attempt, tally.at):
            continue
        audit.record(
            attempt.verb,
            attempt.subject,
            team=teams.get(attempt.team_pk or 0),
            outcome=attempt.outcome,
            reason=tally.reason,
            who=Who(
                users.get(attempt.actor_pk or 0),
                attempt.actor_name,
                attempt.key_id,
                attempt.address,
            ),
            at=tally.at,
            times=1 if attempt.outcome == Outcome.DONE else tally.times,
        )


def is_recorded(sign_in: Attempt, at: datetime) -> bool:
    """Whether another process noted on the same day that somebody came."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return AuditEntry.objects.filter(
        actor=sign_in.actor_pk,
        address=sign_in.address,
        verb=SIGN_IN,
        reason=BASIC,
        at__gte=midnight,
    ).exists()


def new_writer() -> Flusher:
    return Flusher(
        "refusals", INTERVAL_S, lambda: waiting.write(), lambda: waiting.write(everything=True)
    )


waiting, writer = Attempts(), new_writer()


def start_anew() -> None:
    """In a process that was forked: it has no thread, and its parent writes what waited."""
    global waiting, writer
    waiting, writer = Attempts(), new_writer()


os.register_at_fork(after_in_child=start_anew)


def note(
    outcome: Outcome,
    verb: str,
    subject: str,
    reason: str,
    *,
    who: Who | None = None,
    team_pk: int | None = None,
) -> None:
    who = who or audit.who_acts()
    attempt = Attempt(
        outcome,
        verb,
        subject,
        who.name,
        who.key_id,
        who.address,
        who.user.pk if who.user else None,
        team_pk,
    )
    waiting.note(attempt, reason)
    writer.ensure_started()


def note_refusal(refusal: BaseException | None, named: Mapping[str, Any], path: str) -> None:
    """Note what somebody was refused, or may not even see while they want to change it.

    named: what the route took from the path. Anything that is no refusal is left alone.
    """
    if not isinstance(refusal, Forbidden | Unseen):
        return
    action = refusal.action
    if isinstance(refusal, Unseen) and not (action and action.is_change):
        return
    note(
        Outcome.REFUSED,
        action.verb if action else "request.send",
        subject_of(named) or path,
        str(refusal),
        team_pk=refusal.team_pk,
    )


def subject_of(named: Mapping[str, Any]) -> str:
    """What a route is about, by what it took from the path; empty where nothing is named."""
    if {"team", "name"} <= named.keys():  # a service account is called by both
        return f"{named['team']}/{named['name']}"
    names = [value for name, value in named.items() if value and name not in NO_NAMES]
    return str(names[-1]) if names else ""


def note_stranger(refusal: Unauthenticated, address: str) -> None:
    """Note that somebody came without credentials, or with some that are no good."""
    told = refusal.metadata.get("additional_unsuccessful_credentials")
    note_sign_in_refused(refusal.name, told or str(refusal), address)


def note_sign_in_refused(name: str, reason: str, address: str) -> None:
    """name: what they called themselves."""
    who = Who(None, "", address=address)
    note(Outcome.REFUSED, "session.refuse", name, reason, who=who)


def note_caller(user: User, address: str) -> None:
    """Note once a day that somebody comes from there with their password; each call proves it."""
    if waiting.is_new_today(user, address):
        note(Outcome.DONE, SIGN_IN, user.username, BASIC, who=Who.of(user, address))


def attempt(verb: str, *, on: str) -> Callable[[Callable[Args, Result]], Callable[Args, Result]]:
    """Note where a change fails that somebody tried. What succeeds, the change itself records.

    on: the argument that is or names the thing. A refusal is noted where it is told.
    """

    def decorate(change: Callable[Args, Result]) -> Callable[Args, Result]:
        @wraps(change)
        def noted(*args: Args.args, **kwargs: Args.kwargs) -> Result:
            try:
                return change(*args, **kwargs)
            except (Forbidden, Unseen):
                raise
            except InferenceError as exc:
                given = signature(change).bind(*args, **kwargs).arguments
                thing = given.get(on, "")
                team_pk = team_of(thing, given.get("team"))
                note(Outcome.FAILED, verb, str(thing), str(exc), team_pk=team_pk)
                raise

        return noted

    return decorate


def team_of(thing: Any, given: Any) -> int | None:
    """Whose log a failure belongs into: that of whose the thing is, or of the team it is about."""
    if hasattr(thing, "team_id"):
        owner: int | None = thing.team_id
        return owner
    if isinstance(thing, User) and thing.is_service_account:
        return thing.service_team_id
    return given.pk if isinstance(given, Team) else None
