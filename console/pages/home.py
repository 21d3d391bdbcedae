"""The overview: what runs, what needs attention, what is used most."""

from django.http import HttpResponse
from django.shortcuts import render

from console.http import HtmxRequest, page
from endpoints.access import require, visible_endpoints
from endpoints.permissions import Action


@page("GET", "HEAD")
def overview(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.GET)
    is_new = not visible_endpoints(request.user).own().exists()
    return render(request, "home/overview.html", {"is_new": is_new})
