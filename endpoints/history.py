"""Reading the audit log: who may see what of it, what is looked for, and writing it out."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import islice
from typing import Any

import orjson
from django.db import connection, models

from endpoints import attempts, audit
from endpoints.access import may_with
from endpoints.models import AuditEntry, Endpoint, Outcome, TrainedModel, User
from endpoints.models.base import iso
from endpoints.permissions import Action
from endpoints.scopes import scope_of
from inference.errors import InvalidArgument, shown

TEXTS, FROM, TO = ("q", "who", "verb", "thing", "team", "outcome"), "from", "to"
FILTERS = (*TEXTS, FROM, TO)
LONGEST_TEXT = 256
FIRST_YEAR, LAST_YEAR = 1970, 9000
MOST_SHOWN = 1000
READ_AT_ONCE = 1000
# So many entries are looked through for a text at a time.
LOOKED_THROUGH = 100_000
# What is noted late stands behind what happened after it, by no more than this.
LATE = timedelta(hours=1)
# Of what was written lately, what there is to choose from.
LATELY = 2000
# What the page of an endpoint tells of beside its secrets: what these verbs begin with.
OF_ENDPOINTS = ("endpoint.", "deployment.")
# What of that tells with whom an endpoint is shared.
OF_OWNERS = ("endpoint.share", "endpoint.unshare", "endpoint.move")
COLUMNS = (
    "number",
    "at",
    "actor",
    "key_id",
    "address",
    "verb",
    "subject",
    "team",
    "outcome",
    "reason",
    "times",
    "before",
    "after",
)
# A cell that begins so is worked out by a spreadsheet instead of shown.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")

Entries = models.QuerySet[AuditEntry]


@dataclass(frozen=True)
class Search:
    """What is looked for; what is empty is left open.

    q: a text in who, what, on what or why. verb: all of it, or the kind of thing before its dot.
    start, end: from when, and until before when.
    """

    q: str = ""
    who: str = ""
    verb: str = ""
    thing: str = ""
    team: str = ""
    outcome: str = ""
    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Search":
        """What query parameters of the names FILTERS ask for. Raises InvalidArgument."""
        texts = {
            name: query.get(name, "").replace("\0", "").strip()[:LONGEST_TEXT] for name in TEXTS
        }
        start, end = (moment(query.get(name, "").strip(), name) for name in (FROM, TO))
        search = cls(**texts, start=start, end=end)
        search.check()
        return search

    def check(self) -> None:
        """Raises InvalidArgument."""
        if self.outcome and self.outcome not in Outcome.values:
            raise InvalidArgument(
                f"[outcome] must be one of [{', '.join(Outcome.values)}], not [{self.outcome}]"
            )
        if self.start and self.end and self.start >= self.end:
            raise InvalidArgument("[from] must be before [to]")

    def told(self) -> dict[str, Any]:
        """What is not left open, as the audit log tells of an export."""
        given = {name: value for name, value in asdict(self).items() if value}
        return {
            name: iso(value) if isinstance(value, datetime) else value
            for name, value in given.items()
        }


def moment(text: str, name: str) -> datetime | None:
    """A time in ISO's form, in UTC where it does not say; of a day without a time the begin, or
    for TO the end. None for no text. Raises InvalidArgument.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise InvalidArgument(
            f"Failed to parse [{name}] with value [{shown(text)}]: a day such as 2026-01-31 or a "
            "time such as 2026-01-31T12:30:00Z is needed"
        )
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    is_day = len(text) <= len("2026-01-31")
    return found + timedelta(days=1) if is_day and name == TO else found


@dataclass(frozen=True)
class Window:
    """The newest first. next_before: where the older ones begin; None where there are none."""

    entries: list[AuditEntry]
    next_before: int | None


def visible_entries(user: User) -> Entries:
    """Everything for who may read it everywhere, else what concerns the teams one administers."""
    scope, granted_by = scope_of(user), Action.AUDIT_GET.granted_by
    entries = AuditEntry.objects.all()
    if scope.site.allow(Action.AUDIT_GET, granted_by):
        return entries
    teams = [
        team for team, rights in scope.teams.items() if rights.allow(Action.AUDIT_GET, granted_by)
    ]
    return entries.filter(team__in=teams)


def chosen(entries: Entries, search: Search) -> Entries:
    """Those of these that fit all filters but the text."""
    columns = {
        "actor_name": search.who,
        "subject": search.thing,
        "team_name": search.team,
        "outcome": search.outcome,
    }
    entries = entries.filter(**{name: value for name, value in columns.items() if value})
    if search.verb and "." not in search.verb:
        entries = entries.filter(kind=f"{search.verb}.")
    elif search.verb:
        entries = entries.filter(verb=search.verb)
    if search.start:
        entries = entries.filter(at__gte=search.start, number__gte=_first_since(search.start))
    if search.end:
        entries = entries.filter(at__lt=search.end)
        if (last := _last_until(search.end)) is not None:
            entries = entries.filter(number__lt=last)
    return entries


def with_text(entries: Entries, text: str) -> Entries:
    """Those of these that hold a text, which no index helps to find."""
    wanted = models.Q()
    for place in ("actor_name", "verb", "subject", "reason", "address", "key_id"):
        wanted |= models.Q(**{f"{place}__icontains": text})
    return entries.filter(wanted)


def _first_since(moment: datetime) -> int:
    """A number that nothing since then comes before, so that no older entries are looked at."""
    long_before = AuditEntry.objects.filter(at__lte=moment - LATE).order_by("-at", "-number")
    return long_before.values_list("number", flat=True).first() or 0


def _last_until(moment: datetime) -> int | None:
    """A number that everything until then comes before; None where nothing came much later."""
    long_after = AuditEntry.objects.filter(at__gte=moment + LATE).order_by("at", "number")
    return long_after.values_list("number", flat=True).first()


def window(entries: Entries, search: Search, size: int, before: int | None = None) -> Window:
    """The newest of these that are looked for, or the newest of those before a number.

    For a text only so many are looked through at a time: there may be fewer than size of them, or
    none, although there are older ones.
    """
    entries = chosen(entries, search).order_by("-number")
    if before is not None:
        entries = entries.filter(number__lt=before)
    last_looked_at = None
    if search.q:
        further = entries.values_list("number", flat=True)[LOOKED_THROUGH : LOOKED_THROUGH + 1]
        if last_looked_at := further.first():
            entries = entries.filter(number__gte=last_looked_at)
        entries = with_text(entries, search.q)
    read = list(entries[: size + 1])
    is_more = len(read) > size
    return Window(read[:size], read[size - 1].number if is_more else last_looked_at)


def every(entries: Entries, search: Search) -> Iterator[AuditEntry]:
    """All that is found, a few at a time: no query lasts as long as somebody takes to read."""
    before: int | None = None
    while True:
        part = window(entries, search, READ_AT_ONCE, before)
        if not connection.in_atomic_block:
            connection.close()
        yield from part.entries
        before = part.next_before
        if before is None:
            return


def seen_lately(entries: Entries) -> dict[str, list[str]]:
    """What there is to choose from, by filter, in what was written lately."""
    columns = {"who": "actor_name", "verb": "verb", "team": "team_name"}
    lately = list(entries.order_by("-number").values_list(*columns.values())[:LATELY])
    return {
        name: sorted({row[place] for row in lately if row[place]})
        for place, name in enumerate(columns)
    }


def export(user: User, search: Search, form: str) -> Iterator[bytes]:
    """What is found, as lines of JSON or of CSV. That somebody took it is written down first.

    form: a key of FORMS.
    """
    attempts.waiting.write(everything=True)
    last = AuditEntry.objects.order_by("-number").values_list("number", flat=True).first() or 0
    audit.record("audit.export", "audit", after={"format": form, **search.told()})
    entries = visible_entries(user).filter(number__lte=last)
    return FORMS[form][1](every(entries, search))


def as_ndjson(entries: Iterator[AuditEntry]) -> Iterator[bytes]:
    for entry in entries:
        yield orjson.dumps(entry.to_response(), option=orjson.OPT_APPEND_NEWLINE)


def as_csv(entries: Iterator[AuditEntry]) -> Iterator[bytes]:
    yield _lines([dict(zip(COLUMNS, COLUMNS, strict=True))])
    while part := [{"times": 1} | one.to_response() for one in islice(entries, READ_AT_ONCE)]:
        yield _lines(part)


def _lines(rows: list[dict[str, Any]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        value = orjson.dumps(value).decode()
    is_formula = isinstance(value, str) and value.startswith(FORMULAS)
    return f"'{value}" if is_formula else value


FORMS = {"ndjson": ("application/x-ndjson", as_ndjson), "csv": ("text/csv", as_csv)}


@dataclass(frozen=True)
class Difference:
    """A setting by its whole name. was, is_now: in words; None where there was none."""

    name: str
    was: str | None
    is_now: str | None


def differences(entry: AuditEntry) -> list[Difference]:
    before, after = _flat(entry.before), _flat(entry.after)
    names = [*before, *(name for name in after if name not in before)]
    return [Difference(name, before.get(name), after.get(name)) for name in names]


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    """The leaves of what an entry keeps, by dotted names."""
    if isinstance(value, Mapping) and (value or not prefix):
        leaves: dict[str, str] = {}
        for name, one in value.items():
            leaves |= _flat(one, f"{prefix}.{name}" if prefix else str(name))
        return leaves
    if not prefix:
        return {}
    return {prefix: value if isinstance(value, str) else orjson.dumps(value).decode()}


def history_of(user: User, endpoint: Endpoint) -> Entries:
    """What happened to an endpoint since it was made, for who sees it.

    Who only uses it sees what was changed; what was refused or failed is for those who manage it,
    and with whom it is shared for those whose it is.
    """
    entries = AuditEntry.objects.filter(
        subject=endpoint.inference_id, number__gte=_first_since(endpoint.created_at)
    ).filter(at__gte=endpoint.created_at)
    of_endpoints = models.Q(verb="secret.change", after__of="endpoint")
    for verb in OF_ENDPOINTS:
        of_endpoints |= models.Q(verb__startswith=verb)
    entries = entries.filter(of_endpoints)
    if not may_with(user, Action.SHARE_GET, endpoint):
        entries = entries.exclude(verb__in=OF_OWNERS)
    return entries if is_told_all(user, endpoint) else entries.filter(outcome=Outcome.DONE)


def is_told_all(user: User, endpoint: Endpoint) -> bool:
    """Whether somebody sees from where and with which key an endpoint was changed."""
    return may_with(user, Action.UPDATE, endpoint)


def history_of_model(user: User, model: TrainedModel) -> Entries:
    """What happened to a model and its files since it is known, for who sees it.

    What was refused or failed for others is for those who may change it.
    """
    entries = AuditEntry.objects.filter(
        subject=model.model_id,
        verb__startswith="model.",
        number__gte=_first_since(model.created_at),
        at__gte=model.created_at,
    )
    if may_with(user, Action.MODEL_PUT, model):
        return entries
    return entries.filter(outcome=Outcome.DONE)
