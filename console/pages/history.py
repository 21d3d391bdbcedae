"""What happened to an endpoint: who changed it, what runs for it came to, and how calls went."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TypeAlias

from django.http import HttpResponse
from django.utils import timezone

from console.http import HtmxRequest, page
from console.pages.endpoint_page import HISTORY, show
from endpoints.access import get_endpoint, may_with, require
from endpoints.failure_kinds import WORDS, FailureKind
from endpoints.history import (
    Difference,
    Search,
    Window,
    differences,
    history_of,
    history_of_model,
    is_told_all,
    window,
)
from endpoints.models import AuditEntry, DeploymentEvent, Endpoint, TrainedModel, User
from endpoints.permissions import Action
from endpoints.spells import HOUR, Mood, Spell, spells_of

PAGE_SIZE = 50
# What else there is to see than everything, by its name in the address.
CHANGES, STATES, CALLS = "changes", "states", "calls"


@dataclass(frozen=True)
class Row:
    entry: AuditEntry
    differences: list[Difference]


@dataclass(frozen=True)
class ChangesShown:
    """is_told_all: whether it is shown from where and with which key something was changed."""

    rows: list[Row]
    next_before: int | None
    is_told_all: bool


@dataclass(frozen=True)
class SpellShown:
    """mark: of the dot beside it. kinds: of failure, in words, the most common first.

    advice: what helps against that. until: None while its last hour is not over.
    """

    mark: str
    start: datetime
    words: str
    kinds: tuple[str, ...]
    advice: str
    until: datetime | None


@dataclass(frozen=True)
class Happening:
    """at: where it stands among the others. kind: CHANGES, STATES or CALLS."""

    at: datetime
    kind: str
    shown: Row | DeploymentEvent | SpellShown


@dataclass(frozen=True)
class Way:
    """One thing to look at alone. name: in the address; empty for everything."""

    name: str
    label: str


EVERYTHING = Way("", "Everything")
Happenings: TypeAlias = Iterator[Happening]


@page("GET", "HEAD")
def endpoint_history(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.GET)
    endpoint = get_endpoint(request.user, inference_id)
    ways = ways_of(endpoint)
    way = next((one for one in ways if one.name == request.GET.get("show")), EVERYTHING)
    before = number_in(request)
    entries, changes = history_of(request.user, endpoint), Window([], None)
    if way.name in (EVERYTHING.name, CHANGES):
        changes = window(entries, Search(), PAGE_SIZE, before)
    newer = entries.filter(number=before).first() if before else None
    happened = happenings(endpoint, way, changes, newer.at if newer else None)
    return show(
        request,
        endpoint,
        HISTORY,
        ways=ways,
        way=way,
        happenings=sorted(happened, key=lambda one: one.at, reverse=True),
        before=before,
        next_before=changes.next_before,
        is_told_all=is_told_all(request.user, endpoint),
    )


def ways_of(endpoint: Endpoint) -> list[Way]:
    states = [Way(STATES, "States")] if endpoint.deployment else []
    return [EVERYTHING, Way(CHANGES, "Changes"), *states, Way(CALLS, "Calls")]


def happenings(endpoint: Endpoint, way: Way, changes: Window, until: datetime | None) -> Happenings:
    """Changes come a page at a time; of the rest what belongs between them.

    until: of the newer page.
    """
    yield from changed(changes)
    if way.name == CHANGES:
        return
    since = changes.entries[-1].at if changes.next_before and changes.entries else None
    for one in chain(went_through(endpoint), were_called(endpoint)):
        is_here = (since is None or since <= one.at) and (until is None or one.at < until)
        if is_here and way.name in (EVERYTHING.name, one.kind):
            yield one


def changed(changes: Window) -> Happenings:
    for entry in changes.entries:
        yield Happening(entry.at, CHANGES, Row(entry, differences(entry)))


def went_through(endpoint: Endpoint) -> Happenings:
    for event in endpoint.deployment.events.all() if endpoint.deployment else ():
        yield Happening(event.at, STATES, event)


def were_called(endpoint: Endpoint) -> Happenings:
    """A spell stands above all that happened within its first hour, which may be why it began."""
    for spell in spells_of(endpoint):
        yield Happening(spell.start + HOUR, CALLS, told_spell(spell))


def told_spell(spell: Spell) -> SpellShown:
    count = f"{spell.requests:,} call{'' if spell.requests == 1 else 's'}"
    kinds = sorted(spell.failures.items(), key=lambda one: -one[1])
    known = [(FailureKind(kind), number) for kind, number in kinds if kind in WORDS]
    mark = "done"
    match spell.mood:
        case Mood.ALL_FAILED:
            words = "The only call failed" if spell.requests == 1 else f"All {count} failed"
            mark = "failed"
        case Mood.SOME_FAILED:
            words, mark = f"{spell.errors:,} of {count} failed", "refused"
        case Mood.ANSWERED:
            words = f"{count} answered"
            if spell.errors:
                words = f"{spell.requests - spell.errors:,} of {words}"
    # A program that asks for what cannot be is no fault of the endpoint.
    if mark == "failed" and [kind for kind, _ in known] == [FailureKind.REQUEST]:
        mark = "refused"
    return SpellShown(
        mark,
        spell.start,
        words,
        tuple(
            f"{WORDS[kind][0]} ({number:,})" if known[1:] else WORDS[kind][0]
            for kind, number in known
        ),
        WORDS[known[0][0]][1] if known and spell.mood != Mood.ANSWERED else "",
        spell.end if spell.end <= timezone.now() else None,
    )


def model_history(user: User, model: TrainedModel, size: int) -> ChangesShown:
    """The newest of what happened to a model that somebody sees."""
    shown = window(history_of_model(user, model), Search(), size)
    rows = [Row(entry, differences(entry)) for entry in shown.entries]
    return ChangesShown(rows, shown.next_before, may_with(user, Action.MODEL_PUT, model))


def number_in(request: HtmxRequest) -> int | None:
    """The number that the older entries come before; None for the newest."""
    text = request.GET.get("before", "")
    is_number = text.isascii() and text.isdigit() and len(text) <= 18
    return int(text) if is_number else None
