"""What the lists of indices and of pipelines have in common, and their pages to edit one."""

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import ndiff
from typing import Any, Generic, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from console.forms.json_text import place_of, pretty
from console.forms.references import WrittenForm
from console.http import HtmxRequest, text_in
from endpoints.models import IndexMapping, IngestPipeline, User
from endpoints.named import Named, known_to, missing_to
from endpoints.seen import Seen
from inference.references.cluster import Kind

PAGE_SIZE = 50
MISSING = "missing"
SIGNS = {"+ ": "ins", "- ": "del", "  ": ""}
NAME_FIELDS = {Kind.INDEX: "name", Kind.PIPELINE: "pipeline_id"}
KINDS = {Kind.INDEX: "indices", Kind.PIPELINE: "pipelines"}

ThingT = TypeVar("ThingT", IndexMapping, IngestPipeline)


@dataclass(frozen=True)
class Row(Generic[ThingT]):
    """named: the endpoints that an index or a pipeline names, sorted by id."""

    thing: ThingT
    named: tuple[Named, ...]


@dataclass(frozen=True)
class Asked:
    """What the address of a list asks for."""

    query: str
    is_of_missing: bool

    @classmethod
    def of(cls, request: HtmxRequest) -> "Asked":
        query = text_in(request.GET)
        return cls(query, request.GET.get("show") == MISSING)

    @property
    def is_narrow(self) -> bool:
        return bool(self.query or self.is_of_missing)


@dataclass(frozen=True)
class Listing(Generic[ThingT]):
    """A page of a list. shown: the page, for the ways to the others."""

    shown: Page[Any]
    rows: list[Row[ThingT]]
    asked: Asked = field(default_factory=lambda: Asked("", False))


def listing(request: HtmxRequest, things: QuerySet[ThingT], kind: Kind) -> Listing[ThingT]:
    """The page that is asked for. A text is looked for in the names, and in what they name."""
    asked = Asked.of(request)
    if asked.query:
        named_so = things.filter(
            Q(**{f"{NAME_FIELDS[kind]}__icontains": asked.query})
            | Q(names__inference_id__icontains=asked.query)
        )
        things = things.filter(pk__in=named_so.order_by().values("pk"))
    if asked.is_of_missing:
        things = things.filter(pk__in=missing_to(request.user, kind).values_list("by", flat=True))
    shown = Paginator(things, PAGE_SIZE).get_page(request.GET.get("page"))
    return Listing(shown, _rows(request.user, list(shown.object_list), kind), asked)


def _rows(user: User, things: Collection[ThingT], kind: Kind) -> list[Row[ThingT]]:
    ids = [sorted(thing.referenced) for thing in things]
    known = known_to(user, {one for each in ids for one in each}, kind)
    return [
        Row(thing, tuple(known.named(one, kind) for one in each))
        for thing, each in zip(things, ids, strict=True)
    ]


@dataclass(frozen=True)
class Line:
    """Of a text that two wrote. sign: `del` where only the other has it, `ins` where only you."""

    sign: str
    text: str


def meanwhile(
    form: WrittenForm, stored: QuerySet[IndexMapping] | QuerySet[IngestPipeline]
) -> tuple[str, dict[str, Any]]:
    """What a form is told that somebody else was faster than.

    The mark that the next attempt has to fit, then what the page shows: what is stored now beside
    what was written, or that nothing is there any more.
    """
    now = stored.first()
    if now is None:
        return "", {"is_gone": True}
    content = now.mappings if isinstance(now, IndexMapping) else now.config
    written = str(form[form.body_field].value())
    return Seen.of(now).mark, {"is_gone": False, "clash": compared(pretty(content), written)}


def compared(stored: str, written: str) -> list[Line]:
    """What is stored now beside what somebody wrote instead, line by line."""
    lines = ndiff(stored.splitlines(), written.replace("\r\n", "\n").splitlines())
    return [Line(SIGNS[line[:2]], line[2:]) for line in lines if line[:2] in SIGNS]


def about(kind: Kind, name: str = "") -> dict[str, Any]:
    """What a page is about, and leads to by its words. name: none for what is yet to be."""
    return {"kind": kind.value, "kinds": KINDS[kind], "name": name}


def editing(form: WrittenForm, mark: str) -> dict[str, Any]:
    """What the page of an editor shows. mark: what the next attempt has to fit."""
    return {
        "form": form,
        "editor": form[form.body_field],
        "name_field": form[form.name_field] if form.name_field else None,
        "place": place_of(form, form.body_field) if form.is_bound else None,
        "mark": mark,
    }
