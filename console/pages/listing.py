"""The list of endpoints: what its address asks for, and what the page shows of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django_htmx.http import replace_url

from console.http import HtmxRequest, page, text_in, wants_fragment
from console.pages.create import can_be_duplicated
from console.pages.parts import silent_parts
from console.templatetags.console import service_label, task_label
from console.working import working
from endpoints.access import may, may_with, read_shares, require, visible_endpoints
from endpoints.listing import NO_TEAM, Filter, Group, Listing, Row, Sort, Today, Wanted
from endpoints.models import Endpoint, User
from endpoints.permissions import Action
from endpoints.status import BY_ATTENTION, WORDS, EndpointStatus

PAGE_SIZES = (25, 50, 100, 200)
PAGE_SIZE = 50
TURNED = "-"  # before the name of an order that is turned around
FILTERS = {
    Filter.SERVICE: "Service",
    Filter.TASK: "Task",
    Filter.TEAM: "Team",
    Filter.STATUS: "Status",
}
GROUPS = {Group.NONE: "Not grouped", Group.SERVICE: "By service", Group.MODEL: "By model"}
# Each order and the same turned around, in words.
SORTS = {
    Sort.ID: ("Id, A to Z", "Id, Z to A"),
    Sort.SERVICE: ("Service, A to Z", "Service, Z to A"),
    Sort.TASK: ("Task, A to Z", "Task, Z to A"),
    Sort.MODEL: ("Model, A to Z", "Model, Z to A"),
    Sort.STATUS: ("Needs attention first", "Ready first"),
    Sort.USED: ("Used last", "Unused for longest"),
    Sort.REQUESTS: ("Most requests today", "Fewest requests today"),
    Sort.ERRORS: ("Most errors today", "Fewest errors today"),
    Sort.P95: ("Slowest today", "Fastest today"),
}
OF_NO_TEAM = "Everybody’s"  # noqa: RUF001 - an apostrophe
KindT = TypeVar("KindT", Group, Sort)
STATUS_WORDS = {state.value: WORDS[state] for state in BY_ATTENTION}


@dataclass(frozen=True)
class Asked:
    """What an address asks for. What it says wrong is left out."""

    wanted: Wanted
    size: int = PAGE_SIZE

    @classmethod
    def by(cls, query: QueryDict) -> "Asked":
        chosen = {name: texts(query, name) for name in Filter}
        sort = text_in(query, "sort")
        wanted = Wanted(
            text=text_in(query),
            chosen={name: values for name, values in chosen.items() if values},
            group=one_of(Group, text_in(query, "group"), Group.NONE),
            sort=one_of(Sort, sort.removeprefix(TURNED), Sort.ID),
            is_turned=sort.startswith(TURNED),
        )
        size = text_in(query, "size")
        is_known = size in map(str, PAGE_SIZES)
        return cls(wanted, int(size) if is_known else PAGE_SIZE)

    @property
    def sort(self) -> str:
        return f"{TURNED if self.wanted.is_turned else ''}{self.wanted.sort}"

    def address(self, number: int = 1) -> str:
        """The shortest that asks for this, and for one page of it."""
        wanted = self.wanted
        pairs = [("q", wanted.text)]
        pairs += [(name, value) for name in Filter for value in wanted.chosen.get(name, ())]
        pairs.append(("group", wanted.group))
        pairs.append(("sort", "" if self.sort == Sort.ID else self.sort))
        pairs.append(("size", "" if self.size == PAGE_SIZE else str(self.size)))
        pairs.append(("page", "" if number == 1 else str(number)))
        query = urlencode([(name, value) for name, value in pairs if value])
        return f"{reverse('endpoint-list')}{'?' if query else ''}{query}"


class Choice(NamedTuple):
    """One value of a filter. size: of how many endpoints it is.

    without: the address of the list without it, where it is chosen.
    """

    value: str
    label: str
    size: int
    without: str = ""


@dataclass(frozen=True)
class Facet:
    """A filter with the values that occur."""

    name: Filter
    label: str
    choices: list[Choice]

    @property
    def chosen(self) -> list[Choice]:
        return [choice for choice in self.choices if choice.without]


@dataclass(frozen=True)
class Head:
    """The head of a column: where a click on it leads, and how it is sorted, as aria-sort says."""

    address: str
    sorted: str


class Shown(NamedTuple):
    """A row with what who looks may do about it. used_at: None before the first call."""

    inference_id: str
    pk: int
    endpoint: Endpoint
    status: EndpointStatus
    today: Today
    used_at: datetime | None
    may_edit: bool
    may_duplicate: bool
    may_delete: bool


@dataclass(frozen=True)
class Section:
    """The rows of one group on this page. size: of the whole group.

    is_continued: whether it began on an earlier page.
    """

    name: str
    size: int
    is_continued: bool
    rows: list[Shown]


@page("GET", "HEAD")
def endpoint_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.GET)
    asked = Asked.by(request.GET)
    endpoints, team = visible_endpoints(request.user), working(request).chosen
    if Filter.TEAM in asked.wanted.chosen:
        team = None
    if team:
        endpoints = endpoints.of_teams([team.pk])
    listing = Listing(endpoints, asked.wanted)
    paginator = Paginator(range(listing.count), asked.size)
    shown = paginator.get_page(request.GET.get("page"))
    # With the row before them, which tells whether their first group began on an earlier page.
    start, lead = max(shown.start_index() - 1, 0), int(shown.has_previous())
    rows = listing.rows(start - lead, shown.end_index())
    before, rows = rows[:lead], rows[lead:]
    is_searched = bool(asked.wanted.text or asked.wanted.chosen)
    shows_teams = working(request).has_choice or len(listing.choices[Filter.TEAM]) > 1
    facets = [facet_of(asked, listing, name) for name in Filter]
    sections = list(sections_of(request.user, listing, rows, before))
    here = asked.address(shown.number)
    context = {
        "asked": asked,
        "query": asked.wanted.text,
        "team": team,
        "shown": shown,
        "sections": sections,
        "models": listing.models,
        # They stay where they are while somebody searches, whatever is found.
        "facets": [facet for facet in facets if is_searched or len(facet.choices) > 1],
        "is_filtered": bool(asked.wanted.chosen),
        "heads": {sort.value: head_of(asked, sort) for sort in Sort},
        "sorts": sort_choices(),
        "groups": GROUPS.items(),
        "sizes": PAGE_SIZES,
        "shows_teams": shows_teams,
        "may_delete_some": any(one.may_delete for part in sections for one in part.rows),
        "here": here,
        "unfiltered": replace(asked, wanted=replace(asked.wanted, chosen={})).address(),
        "first": asked.address(),
        "previous": asked.address(shown.number - 1),
        "next": asked.address(shown.number + 1),
        "last": asked.address(paginator.num_pages),
        "is_settled": all(row.status.is_settled for row in rows),
        "silent_parts": silent_parts(row.status for row in rows),
        "is_new": not is_searched and not any_own(request.user, rows),
    }
    if wants_fragment(request):
        return replace_url(render(request, "endpoints/_rows.html", context), here)
    return render(request, "endpoints/list.html", context)


def sections_of(
    user: User, listing: Listing, rows: list[Row], before: list[Row]
) -> Iterator[Section]:
    """The rows of a page by their groups; all of them in one where they are not grouped."""
    group, sizes = listing.wanted.group, listing.group_sizes(rows)
    begun = {name_of(group, row) for row in before}
    read_shares(user, (row.endpoint for row in rows), Action.UPDATE, Action.DELETE)
    may_create = may(user, Action.PUT)
    for name, members in groupby(rows, key=lambda row: name_of(group, row)):
        listed = [shown_to(user, row, may_create=may_create) for row in members]
        yield Section(name, sizes.get(name, len(listed)), name in begun, listed)


def name_of(group: Group, row: Row) -> str:
    match group:
        case Group.SERVICE:
            return row.endpoint.service
        case Group.MODEL:
            return row.endpoint.model_id
        case _:
            return ""


def shown_to(user: User, row: Row, *, may_create: bool) -> Shown:
    endpoint = row.endpoint
    is_made = not endpoint.is_preconfigured
    return Shown(
        endpoint.inference_id,
        endpoint.pk,
        endpoint,
        row.status,
        row.today,
        row.used_at,
        may_edit=is_made and may_with(user, Action.UPDATE, endpoint),
        may_duplicate=may_create and can_be_duplicated(endpoint),
        may_delete=is_made and may_with(user, Action.DELETE, endpoint),
    )


def facet_of(asked: Asked, listing: Listing, name: Filter) -> Facet:
    chosen = asked.wanted.chosen.get(name, ())
    choices = [
        Choice(
            value,
            value_label(name, value),
            size,
            replace(asked, wanted=asked.wanted.without(name, value)).address()
            if value in chosen
            else "",
        )
        for value, size in listing.choices[name].items()
    ]
    return Facet(name, FILTERS[name], sorted(choices, key=lambda one: one.label.lower()))


def value_label(name: Filter, value: str) -> str:
    match name:
        case Filter.SERVICE:
            return service_label(value)
        case Filter.TASK:
            return task_label(value)
        case Filter.TEAM:
            return OF_NO_TEAM if value == NO_TEAM else value
        case Filter.STATUS:
            return STATUS_WORDS.get(value, value)


def head_of(asked: Asked, sort: Sort) -> Head:
    wanted = asked.wanted
    is_here = wanted.sort == sort
    turned = replace(wanted, sort=sort, is_turned=is_here and not wanted.is_turned)
    is_down = sort.is_most_first != wanted.is_turned
    direction = "descending" if is_down else "ascending"
    return Head(replace(asked, wanted=turned).address(), direction if is_here else "")


def sort_choices() -> Iterator[tuple[str, str]]:
    for sort, (words, turned) in SORTS.items():
        yield sort.value, words
        yield f"{TURNED}{sort}", turned


def any_own(user: User, rows: list[Row]) -> bool:
    """Whether somebody made an endpoint already; most often the rows on the page tell."""
    is_shown = any(not row.endpoint.is_preconfigured for row in rows)
    return is_shown or visible_endpoints(user).own().exists()


def texts(query: QueryDict, name: str) -> tuple[str, ...]:
    """Every value once, in the order of the address."""
    values = (value.replace("\0", "").strip() for value in query.getlist(name))
    return tuple(dict.fromkeys(value for value in values if value))


def one_of(kinds: type[KindT], value: str, otherwise: KindT) -> KindT:
    return kinds(value) if value in list(kinds) else otherwise
