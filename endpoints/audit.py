"""Writes down who changed what, in the same transaction as the change."""

import getpass
import hashlib
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Subquery
from django.utils import timezone

from endpoints.masking import kept, short
from endpoints.models import AuditEntry, AuditHead, Outcome, Team, User
from endpoints.models.base import iso

SHELL = "shell"
BATCH = 1000
LONGEST_NAME, LONGEST_ID = 256, 64
# So many entries are forgotten at a time, while nobody else can write one.
FORGOTTEN_AT_ONCE = 10_000


@dataclass(frozen=True)
class Who:
    """On whose behalf something happens. address: where the request came from."""

    user: User | None = None
    name: str = SHELL
    key_id: str = ""
    address: str = ""

    @classmethod
    def of(cls, user: User, address: str) -> "Who":
        key = user.acting_key
        return cls(user, user.username, key.key_id if key else "", address)


def shell() -> Who:
    """Whoever runs a command of ours, by the account that they have on the machine."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number that has no name
        account = "somebody"
    return Who(address=f"{account}@{platform.node()}"[:LONGEST_ID])


# Not worked out before something is recorded, which most requests do not.
_who: ContextVar[Callable[[], Who]] = ContextVar("who")
_otherwise: Callable[[], Who] = shell


@contextmanager
def acting(who: Who | Callable[[], Who]) -> Iterator[None]:
    """What is recorded within this is recorded as theirs."""
    token = _who.set(who if callable(who) else lambda: who)
    try:
        yield
    finally:
        _who.reset(token)


def act_as(who: Callable[[], Who]) -> None:
    """The same for the rest of a request, whose thread begins the next one with another."""
    _who.set(who)


def of_this(user: User) -> Who:
    """Somebody who was nobody when this request came: who signed in or joined with it."""
    return replace(who_acts(), user=user, name=user.username)


def works_by_itself(name: str) -> None:
    """In a process that nobody sits before: this acts where nothing says who does."""
    global _otherwise
    _otherwise = partial(Who, name=name)


def who_acts() -> Who:
    return _who.get(_otherwise)()


@transaction.atomic(savepoint=False)
def record(
    verb: str,
    subject: str,
    *,
    team: Team | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    outcome: Outcome = Outcome.DONE,
    reason: str = "",
    who: Who | None = None,
    at: datetime | None = None,
    times: int = 1,
) -> AuditEntry:
    """Add an entry. before, after: without secrets; of both only what differs is kept.

    To be called last in a transaction: until that ends, nobody else can add one.
    """
    who = who or who_acts()
    if before is not None and after is not None:
        before, after = differing(before, after)
    head = AuditHead.objects.select_for_update().get_or_create(pk=1)[0]
    entry = AuditEntry(
        number=head.last_number + 1,
        at=at or timezone.now(),
        actor=who.user if who.user and who.user.pk else None,
        actor_name=short(who.name, LONGEST_NAME),
        key_id=short(who.key_id, LONGEST_ID),
        address=short(who.address, LONGEST_ID),
        verb=verb,
        subject=short(subject, LONGEST_NAME),
        team=team,
        team_name=team.name if team else "",
        outcome=outcome,
        reason=short(reason),
        times=times,
        before=kept(before),
        after=kept(after),
    )
    entry.sha256 = chained(head.last_sha256, entry)
    entry.save(force_insert=True)
    head.last_number, head.last_sha256 = entry.number, entry.sha256
    head.save(update_fields=["last_number", "last_sha256"])
    return entry


def record_secrets(kind: str, subject: str, names: Sequence[str], team: Team | None) -> None:
    """Tell that secrets of a thing were changed, by their names, never what they are."""
    record("secret.change", subject, team=team, after={"of": kind, "secrets": list(names)})


def differing(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is different, down to the settings within settings."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name in (*before, *(name for name in after if name not in before)):
        was, is_now = before.get(name), after.get(name)
        if was == is_now:
            continue
        if isinstance(was, Mapping) and isinstance(is_now, Mapping):
            old[name], new[name] = differing(was, is_now)
            continue
        if name in before:
            old[name] = was
        if name in after:
            new[name] = is_now
    return old, new


def chained(previous: str, entry: AuditEntry) -> str:
    """The sha256 of an entry behind another."""
    told = orjson.dumps(entry.to_response(), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(previous.encode() + b"\n" + told).hexdigest()


@dataclass(frozen=True)
class Break:
    """Where the chain does not hold, in words."""

    number: int
    what: str


def verify() -> Iterator[int | Break]:
    """Follow the chain: the number of each entry that holds, or where it breaks.

    What others add meanwhile is not looked at.
    """
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    expected, previous = head.first_number + 1, head.first_sha256
    known = AuditEntry.objects.filter(number__lte=head.last_number)
    for entry in known.order_by("number").iterator(chunk_size=BATCH):
        if entry.number != expected:
            missing = f"the entries {expected} to {entry.number - 1} are missing"
            yield Break(expected, missing)
        elif entry.sha256 != chained(previous, entry):
            yield Break(entry.number, "it was changed, or the one before it was")
        else:
            yield entry.number
        expected, previous = entry.number + 1, entry.sha256
    if expected != head.last_number + 1:
        yield Break(expected, f"the entries {expected} to {head.last_number} are missing")
    elif previous != head.last_sha256:
        yield Break(head.last_number, "it is not the last one that was written")
    # One question, so that no entry comes between the look at the head and that at the rest.
    end = AuditHead.objects.filter(pk=1).values("last_number")
    for number in AuditEntry.objects.filter(number__gt=Subquery(end)).values_list("number"):
        yield Break(*number, "it was added behind the end")


def forget_before(moment: datetime) -> int:
    """Remove what is older; the chain begins behind it. Returns how many entries went."""
    forgotten = 0
    while count := _forget_some(moment):
        forgotten += count
    if forgotten:
        record("audit.forget", "audit", after={"before": iso(moment), "entries": forgotten})
    return forgotten


@transaction.atomic
def _forget_some(moment: datetime) -> int:
    head = AuditHead.objects.select_for_update().get_or_create(pk=1)[0]
    # By number: of what is noted late the time is a little older than that of what stands before.
    first = AuditEntry.objects.filter(number__lte=head.first_number + FORGOTTEN_AT_ONCE)
    last = first.filter(at__lt=moment).order_by("-number").first()
    if last is None:
        return 0
    head.first_number, head.first_sha256 = last.number, last.sha256
    head.save(update_fields=["first_number", "first_sha256"])
    return AuditEntry.objects.filter(number__lte=last.number).delete()[0]
