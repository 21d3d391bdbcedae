"""Finds what somebody could want to go to: sections, deeds, endpoints and what is around them.

The palette of each page asks for the fragment; the page works without it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse

from console.http import HtmxRequest, page, wants_fragment
from console.navigation import DEEDS, INNER, Section, all_sections, allowed
from console.pages.wanted import Wanted
from console.templatetags.console import service_label, task_label
from endpoints.access import may, may_with, visible_clusters, visible_endpoints
from endpoints.access_to_people import visible_people
from endpoints.known_models import known_models
from endpoints.listed_people import named_like
from endpoints.models import Endpoint, IndexMapping, IngestPipeline
from endpoints.models.endpoint import EndpointQuerySet
from endpoints.permissions import Action
from endpoints.team_access import teams_where

# Of each kind; whoever looks for more has the list of that kind.
MOST = 8
# Pages that were open lately, as a browser tells them.
MOST_RECENT = 20


@dataclass(frozen=True)
class Found:
    """gist: a few words about it. keys: what leads there as well."""

    label: str
    href: str
    icon: str
    gist: str = ""
    keys: str = ""


@dataclass(frozen=True)
class Kind:
    label: str
    found: list[Found]


@dataclass(frozen=True)
class Deed:
    """What can be done with an endpoint. word: how it begins."""

    word: str
    url_name: str
    icon: str
    action: Action
    is_for_own: bool = True


ENDPOINT_DEEDS = (
    Deed("Try", "endpoint-detail", "player-play", Action.INFER, is_for_own=False),
    Deed("Edit", "endpoint-edit", "pencil", Action.UPDATE),
    Deed("Delete", "endpoint-delete", "trash", Action.DELETE),
    Deed("Usage of", "endpoint-usage", "chart-bar", Action.GET, is_for_own=False),
    Deed("History of", "endpoint-history", "history", Action.GET, is_for_own=False),
)


@page("GET", "HEAD")
def find(request: HtmxRequest) -> HttpResponse:
    query = request.GET.get("q", "").replace("\0", "").strip()  # PostgreSQL refuses a NUL
    words = tuple(query.lower().split())
    kinds = [kind for kind in kinds_of(request, Wanted(words)) if kind.found]
    is_guess = bool(words) and not kinds
    if is_guess:
        kinds = [kind for kind in kinds_of(request, Wanted(words, is_loose=True)) if kind.found]
    fragment = wants_fragment(request)
    context = {"query": query, "kinds": kinds, "is_guess": is_guess, "is_palette": fragment}
    return render(request, "shell/_found.html" if fragment else "shell/find.html", context)


def kinds_of(request: HtmxRequest, wanted: Wanted) -> Iterator[Kind]:
    """What has the words in its name; without any, where people mostly want to go."""
    if not wanted.words:
        yield Kind("Recent", recent(request))
    places = [*all_sections(), *INNER] if wanted.words else all_sections()
    yield Kind("Go to", sections(allowed(places, request), wanted))
    yield Kind("Endpoints", endpoints(request, wanted))
    if wanted.words:
        yield Kind("Models", models(request, wanted))
        yield Kind("Indices", indices(request, wanted))
        yield Kind("Pipelines", pipelines(request, wanted))
        yield Kind("Clusters", clusters(request, wanted))
        yield Kind("Teams", teams(request, wanted))
        yield Kind("People", people(request, wanted))
    deeds = sections(allowed(DEEDS, request), wanted)
    yield Kind("Do", [*deeds, *endpoint_deeds(request, wanted)])


def sections(known: Iterable[Section], wanted: Wanted) -> list[Found]:
    """Those that are called so, then those that are only found by other words."""
    found = [each for each in known if wanted.finds(f"{each.label} {each.words}")]
    found.sort(key=lambda each: not wanted.finds(each.label))
    return [Found(each.label, reverse(each.url_name), each.icon, keys=each.keys) for each in found]


def endpoints(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    return [
        Found(
            row.inference_id,
            reverse("endpoint-detail", args=[row.inference_id]),
            "server",
            f"{task_label(row.task_type)} · {service_label(row.service)}",
        )
        for row in wanted_endpoints(request, wanted).only("inference_id", "task_type", "service")
    ]


def wanted_endpoints(request: HtmxRequest, wanted: Wanted) -> EndpointQuerySet:
    """Those that were called last come first. By words, the service and the model count too."""
    known = visible_endpoints(request.user)
    if wanted.is_loose or wanted.names is not None:
        known = wanted.among(known, "inference_id")
    elif not wanted.words:
        known = known.own()
    for word in () if wanted.is_loose else wanted.words:
        known = known.named_like(word)
    return known.order_by("-latest_usage__called_at", "inference_id")[:MOST]


def endpoint_deeds(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    """`delete books` leads to deleting the endpoint books, if there is one to delete."""
    if len(wanted.words) < 2:
        return []
    first, *others = wanted.words
    deeds = [one for one in ENDPOINT_DEEDS if Wanted((first,), wanted.is_loose).finds(one.word)]
    if not deeds:
        return []
    named = [word for word in others if word != "of"] or others
    rows = wanted_endpoints(request, Wanted(tuple(named), wanted.is_loose))
    return [
        Found(
            f"{deed.word} {row.inference_id}",
            reverse(deed.url_name, args=[row.inference_id]),
            deed.icon,
        )
        for row in rows.prefetch_related("shares")
        for deed in deeds
        if may_do(request, deed, row)
    ]


def may_do(request: HtmxRequest, deed: Deed, endpoint: Endpoint) -> bool:
    if deed.is_for_own and endpoint.is_preconfigured:
        return False
    return may_with(request.user, deed.action, endpoint)


def models(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    """Those of the catalogue, too."""
    if not may(request.user, Action.MODEL_GET):
        return []
    known = (one.facts for one in known_models(request.user))
    found = [facts for facts in known if wanted.finds(facts.model_id)]
    return [
        Found(
            facts.model_id,
            reverse("model-detail", args=[facts.model_id]),
            "package",
            task_label(facts.task_type) if facts.task_type else "",
        )
        for facts in found[:MOST]
    ]


def indices(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    if not may(request.user, Action.INDEX_GET):
        return []
    return named(IndexMapping.objects.all(), wanted, "reference-index", "table")


def pipelines(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    if not may(request.user, Action.PIPELINE_GET):
        return []
    known = IngestPipeline.objects.all()
    return named(known, wanted, "reference-pipeline", "route", "pipeline_id")


def clusters(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    return named(visible_clusters(request.user), wanted, "cluster-detail", "sitemap")


def teams(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    return named(teams_where(request.user), wanted, "team-detail", "users")


def people(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    """By what somebody may see of them: their mail addresses only where they see these."""
    if not settings.SECURITY or not may(request.user, Action.TEAM_PEOPLE):
        return []
    known = visible_people(request.user)
    if wanted.is_loose:
        known = wanted.among(known, "username")
    else:
        known = named_like(request.user, known, " ".join(wanted.words))
    return [
        Found(one.username, reverse("person-detail", args=[one.username]), "user")
        for one in known.order_by("username")[:MOST]
    ]


def named(
    known: "QuerySet[Model]", wanted: Wanted, url_name: str, icon: str, field: str = "name"
) -> list[Found]:
    """Of records that go by their name. field: the column that holds it."""
    names = wanted.among(known, field).order_by(field).values_list(field, flat=True)[:MOST]
    return [Found(name, reverse(url_name, args=[name]), icon) for name in names]


Finder = Callable[[HtmxRequest, Wanted], list[Found]]
# How the names of pages begin that are about one thing, what in the address names it, who finds it.
THINGS: Mapping[tuple[str, ...], tuple[str, Finder]] = {
    ("endpoint-",): ("inference_id", endpoints),
    ("model-",): ("model_id", models),
    ("reference-index", "reference-edit-index"): ("name", indices),
    ("reference-pipeline", "reference-edit-pipeline"): ("pipeline_id", pipelines),
    ("cluster-",): ("name", clusters),
    ("team-",): ("name", teams),
}


def recent(request: HtmxRequest) -> list[Found]:
    """What somebody looked at lately, the last first: as their browser remembers the addresses.

    What is gone, or may not be seen any more, is left out.
    """
    addresses = request.GET.get("recent", "").split()[:MOST_RECENT]
    opened = list(dict.fromkeys(thing for one in addresses if (thing := thing_at(one))))
    found: dict[tuple[Finder, str], Found] = {}
    for finder in dict.fromkeys(finder for finder, _ in opened):
        wanted = Wanted(names=[name for other, name in opened if other is finder])
        found |= {(finder, one.label): one for one in finder(request, wanted)}
    return [found[thing] for thing in opened if thing in found][:MOST]


def thing_at(address: str) -> tuple[Finder, str] | None:
    """Who finds what a page is about, and its name; None where it is about no such thing."""
    try:
        match = resolve(unquote(address).replace("\0", ""))
    except Resolver404:
        return None
    for beginnings, (kwarg, finder) in THINGS.items():
        if (match.url_name or "").startswith(beginnings) and kwarg in match.kwargs:
            return finder, match.kwargs[kwarg]
    return None
