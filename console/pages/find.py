"""Finds what somebody could want to go to: sections, deeds, endpoints and what is around them.

The palette of each page asks for the fragment; the page works without it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from console.http import HtmxRequest, page, wants_fragment
from console.navigation import DEEDS, Section, all_sections, allowed
from console.templatetags.console import task_label
from endpoints.access import may, visible_clusters, visible_endpoints
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
        yield Kind("Teams", teams(request, query))
        yield Kind("Clusters", clusters(request, query))
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
            f"{task_label(row.task_type)} · {row.service}",
        )
        for row in rows.only("inference_id", "task_type", "service")[:MOST]
    ]


def teams(request: HtmxRequest, query: str) -> list[Found]:
    return named(teams_where(request.user), query, "team-detail", "users")


def clusters(request: HtmxRequest, query: str) -> list[Found]:
    return named(visible_clusters(request.user), query, "cluster-detail", "sitemap")


def named(known: "QuerySet[Model]", query: str, url_name: str, icon: str) -> list[Found]:
    """Of records that go by their name."""
    names = known.filter(name__icontains=query).order_by("name").values_list("name", flat=True)
    return [Found(name, reverse(url_name, args=[name]), icon) for name in names[:MOST]]
