"""Writes down who changed what, in the same transaction as the change."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction

from endpoints.models import AuditEntry, AuditHead, Outcome, Team, User

SHELL = "shell"
BATCH = 1000


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


_who: ContextVar[Who] = ContextVar("who")


@contextmanager
def acting(who: Who) -> Iterator[None]:
    """What is recorded within this is recorded as theirs."""
    token = _who.set(who)
    try:
        yield
    finally:
        _who.reset(token)


def act_as(who: Who) -> None:
    """The same for the rest of a request, whose thread begins the next one with another."""
    _who.set(who)


def of_this(user: User) -> Who:
    """Somebody who was nobody when this request came: who signed in or joined with it."""
    return replace(_who.get(Who()), user=user, name=user.username)


@transaction.atomic
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
) -> AuditEntry:
    """Add an entry. before, after: without secrets; of both only what differs is kept."""
    who = who or _who.get(Who())
    if before is not None and after is not None:
        before, after = differing(before, after)
    head = AuditHead.objects.select_for_update().get_or_create(pk=1)[0]
    entry = AuditEntry(
        number=head.last_number + 1,
        actor=who.user if who.user and who.user.pk else None,
        actor_name=who.name,
        key_id=who.key_id,
        address=who.address,
        verb=verb,
        subject=subject,
        team=team,
        team_name=team.name if team else "",
        outcome=outcome,
        reason=reason,
        before=before,
        after=after,
    )
    entry.sha256 = chained(head.last_sha256, entry)
    entry.save(force_insert=True)
    head.last_number, head.last_sha256 = entry.number, entry.sha256
    head.save(update_fields=["last_number", "last_sha256"])
    return entry


def differing(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [*before, *(name for name in after if name not in before)]
    changed = [name for name in names if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in changed if name in before},
        {name: after[name] for name in changed if name in after},
    )


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
    """Follow the chain: the number of each entry that holds, or where it breaks."""
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    expected, previous = head.first_number + 1, head.first_sha256
    for entry in AuditEntry.objects.order_by("number").iterator(chunk_size=BATCH):
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


@transaction.atomic
def forget_before(moment: datetime) -> int:
    """Remove what is older; the chain begins behind it. Returns how many entries went."""
    head = AuditHead.objects.select_for_update().get_or_create(pk=1)[0]
    old = AuditEntry.objects.filter(at__lt=moment)
    last = old.order_by("-number").first()
    if last is None:
        return 0
    head.first_number, head.first_sha256 = last.number, last.sha256
    head.save(update_fields=["first_number", "first_sha256"])
    return AuditEntry.objects.filter(number__lte=last.number).delete()[0]
