"""The endpoints: list, follow, retry, delete."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.http import HtmxRequest, page, wants_fragment
from console.pages.overview import overview
from console.pages.parts import silent_parts
from endpoints import actions
from endpoints.access import Action, get_endpoint, require
from endpoints.models import Endpoint, User
from endpoints.status import EndpointStatus, status_of
from inference.errors import Conflict

PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    endpoint: Endpoint
    status: EndpointStatus


@page("GET", "HEAD")
def endpoint_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.GET)
    query = request.GET.get("q", "").replace("\0", "").strip()  # PostgreSQL refuses a NUL
    endpoints = (
        Endpoint.objects.visible_to(request.user).named_like(query).with_status().own_first()
    )
    shown = Paginator(endpoints, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [Row(endpoint, status_of(endpoint)) for endpoint in shown.object_list]
    context = {
        "query": query,
        "shown": shown,
        "rows": rows,
        "is_settled": all(row.status.is_settled for row in rows),
        "silent_parts": silent_parts(row.status for row in rows),
        "is_new": not query and not any_own(request.user, rows),
    }
    template = "endpoints/_rows.html" if wants_fragment(request) else "endpoints/list.html"
    return render(request, template, context)


def any_own(user: User, rows: list[Row]) -> bool:
    """Whether somebody made an endpoint already; most often the rows on the page tell."""
    is_shown = any(not row.endpoint.is_preconfigured for row in rows)
    return is_shown or Endpoint.objects.visible_to(user).own().exists()


@page("GET", "HEAD")
def endpoint_detail(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.GET)
    endpoint = get_endpoint(request.user, inference_id)
    template = "endpoints/_overview.html" if wants_fragment(request) else "endpoints/detail.html"
    return render(request, template, overview(request, endpoint))


@page("POST")
def endpoint_retry(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.PUT)
    actions.retry_endpoint(get_endpoint(request.user, inference_id))
    return redirect("endpoint-detail", inference_id)


@page("GET", "HEAD", "POST")
def endpoint_delete(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.DELETE)
    endpoint = get_endpoint(request.user, inference_id)
    if request.method == "POST":
        try:
            actions.delete_endpoint(request.user, endpoint)
        except Conflict as exc:
            messages.error(request, str(exc))
            return redirect("endpoint-detail", inference_id)
        messages.success(request, f"{inference_id} is deleted.")
        return redirect("endpoint-list")
    return render(request, "endpoints/delete.html", {"endpoint": endpoint})
