"""The endpoints: list, follow, retry."""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.http import HtmxRequest, page, wants_fragment
from console.pages.overview import overview
from console.pages.parts import silent_parts
from console.working import working
from endpoints import actions
from endpoints.access import get_endpoint, require, visible_endpoints
from endpoints.models import Endpoint, Team, User
from endpoints.permissions import Action
from endpoints.status import EndpointStatus, status_of
from endpoints.team_access import get_visible_team

PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    endpoint: Endpoint
    status: EndpointStatus


@page("GET", "HEAD")
def endpoint_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.GET)
    query = request.GET.get("q", "").replace("\0", "").strip()  # PostgreSQL refuses a NUL
    endpoints = visible_endpoints(request.user)
    if team := team_shown(request):
        endpoints = endpoints.of_teams([team.pk])
    endpoints = endpoints.named_like(query).with_status().select_related("team").own_first()
    shown = Paginator(endpoints, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [Row(endpoint, status_of(endpoint)) for endpoint in shown.object_list]
    context = {
        "query": query,
        "team": team,
        "shown": shown,
        "rows": rows,
        "shows_teams": len({row.endpoint.team_id for row in rows} - {None}) > 1
        or working(request).has_choice,
        "is_settled": all(row.status.is_settled for row in rows),
        "silent_parts": silent_parts(row.status for row in rows),
        "is_new": not query and not any_own(request.user, rows),
    }
    template = "endpoints/_rows.html" if wants_fragment(request) else "endpoints/list.html"
    return render(request, template, context)


def team_shown(request: HtmxRequest) -> Team | None:
    """The team whose endpoints are listed: the one in the address, else the one worked in."""
    name = request.GET.get("team", "")
    return get_visible_team(request.user, name) if name else working(request).chosen


def any_own(user: User, rows: list[Row]) -> bool:
    """Whether somebody made an endpoint already; most often the rows on the page tell."""
    is_shown = any(not row.endpoint.is_preconfigured for row in rows)
    return is_shown or visible_endpoints(user).own().exists()


@page("GET", "HEAD")
def endpoint_detail(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.GET)
    endpoint = get_endpoint(request.user, inference_id)
    template = "endpoints/_overview.html" if wants_fragment(request) else "endpoints/detail.html"
    return render(request, template, overview(request, endpoint))


@page("POST")
def endpoint_retry(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.PUT)
    actions.retry_endpoint(get_endpoint(request.user, inference_id, to=Action.PUT))
    return redirect("endpoint-detail", inference_id)
