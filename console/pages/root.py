"""The address without a path: people are sent to the pages, clients get the API's answer."""

import sys

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from console.http import HtmxRequest, page
from endpoints.api.errors import envelope
from endpoints.api.views import ClusterView

cluster_view = ClusterView.as_view()


@csrf_exempt
def front_door(request: HttpRequest) -> HttpResponse:
    is_browser = "text/html" in request.headers.get("Accept", "")
    if is_browser and "Authorization" not in request.headers:
        return redirect("overview")
    return cluster_view(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Our own fault, told in the way of whoever asked. The log has the rest."""
    if request.path.startswith(settings.PAGE_PREFIXES):
        if isinstance(sys.exception(), OperationalError | InterfaceError):
            # Without the request: who asks stands in the database.
            return HttpResponse(render_to_string("503.html"), status=503)
        return defaults.server_error(request)
    reason = "The server failed to answer; its log says why"
    return JsonResponse(envelope(500, "exception", reason), status=500)


@page("GET", "HEAD", "POST")
def unknown_page(request: HtmxRequest) -> HttpResponse:
    raise Http404
