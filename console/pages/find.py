"""Finds what somebody could want to go to: sections, deeds, endpoints and what is around them.

The palette of each page asks for the fragment; the page works without it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from console.http import HtmxRequest, page, wants_fragment
from console.navigation import DEEDS, Section, all_sections, allowed
from console.templatetags.console import service_label, task_label
from endpoints.access import may, visible_clusters, visible_endpoints
from endpoints.access_to_people import visible_people
from endpoints.known_models import known_models
from endpoints.listed_people import named_like
from endpoints.models import IndexMapping, IngestPipeline
from endpoints.permissions import Action
from endpoints.team_access import teams_where

# Of each kind; whoever looks for more has the list of that kind.
MOST = 8


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


@page("GET", "HEAD")
def find(request: HtmxRequest) -> HttpResponse:
    query = request.GET.get("q", "").replace("\0", "").strip()  # PostgreSQL refuses a NUL
    kinds = [kind for kind in kinds_of(request, query) if kind.found]
    context = {"query": query, "kinds": kinds, "is_palette": wants_fragment(request)}
    template = "shell/_found.html" if wants_fragment(request) else "shell/find.html"
    return render(request, template, context)


def kinds_of(request: HtmxRequest, query: str) -> Iterator[Kind]:
    """What has the text in its name; without one, where people mostly want to go."""
    yield Kind("Go to", sections(allowed(all_sections(), request), query))
    yield Kind("Endpoints", endpoints(request, query))
    if query:
        yield Kind("Models", models(request, query))
        yield Kind("Indices", indices(request, query))
        yield Kind("Pipelines", pipelines(request, query))
        yield Kind("Clusters", clusters(request, query))
        yield Kind("Teams", teams(request, query))
        yield Kind("People", people(request, query))
    yield Kind("Do", sections(allowed(DEEDS, request), query))


def sections(known: Iterable[Section], query: str) -> list[Found]:
    return [
        Found(each.label, reverse(each.url_name), each.icon, keys=each.keys)
        for each in known
        if query.lower() in each.label.lower()
    ]


def endpoints(request: HtmxRequest, query: str) -> list[Found]:
    """Those that were called last come first."""
    if not may(request.user, Action.GET):
        return []
    known = visible_endpoints(request.user).named_like(query)
    if not query:
        known = known.own()
    rows = known.order_by("-latest_usage__called_at", "inference_id")
    return [
        Found(
            row.inference_id,
            reverse("endpoint-detail", args=[row.inference_id]),
            "server",
            f"{task_label(row.task_type)} · {service_label(row.service)}",
        )
        for row in rows.only("inference_id", "task_type", "service")[:MOST]
    ]


def models(request: HtmxRequest, query: str) -> list[Found]:
    """Those of the catalogue, too."""
    if not may(request.user, Action.MODEL_GET):
        return []
    known = (one.facts for one in known_models(request.user))
    found = [facts for facts in known if query.lower() in facts.model_id.lower()]
    return [
        Found(
            facts.model_id,
            reverse("model-detail", args=[facts.model_id]),
            "package",
            task_label(facts.task_type) if facts.task_type else "",
        )
        for facts in found[:MOST]
    ]


def indices(request: HtmxRequest, query: str) -> list[Found]:
    if not may(request.user, Action.INDEX_GET):
        return []
    return named(IndexMapping.objects.all(), query, "reference-index", "table")


def pipelines(request: HtmxRequest, query: str) -> list[Found]:
    if not may(request.user, Action.PIPELINE_GET):
        return []
    known = IngestPipeline.objects.all()
    return named(known, query, "reference-pipeline", "route", "pipeline_id")


def clusters(request: HtmxRequest, query: str) -> list[Found]:
    return named(visible_clusters(request.user), query, "cluster-detail", "sitemap")


def teams(request: HtmxRequest, query: str) -> list[Found]:
    return named(teams_where(request.user), query, "team-detail", "users")


def people(request: HtmxRequest, query: str) -> list[Found]:
    """By what somebody may see of them: their mail addresses only where they see these."""
    if not settings.SECURITY or not may(request.user, Action.TEAM_PEOPLE):
        return []
    known = named_like(request.user, visible_people(request.user), query).order_by("username")
    return [
        Found(one.username, reverse("person-detail", args=[one.username]), "user")
        for one in known[:MOST]
    ]


def named(
    known: "QuerySet[Model]", query: str, url_name: str, icon: str, field: str = "name"
) -> list[Found]:
    """Of records that go by their name. field: the column that holds it."""
    found = known.filter(**{f"{field}__icontains": query}).order_by(field)
    names = found.values_list(field, flat=True)[:MOST]
    return [Found(name, reverse(url_name, args=[name]), icon) for name in names]
