"""The diagnosis of an endpoint, written to the page while it is made."""

import logging
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string

from console.http import HtmxRequest, page
from endpoints.access import get_endpoint, require
from endpoints.diagnosis import diagnose
from endpoints.permissions import Action
from inference.findings import Step
from inference.services import find_service

# Where the steps go, and what they add up to, in a page that is ready but for them.
STEPS, VERDICT = "<!-- steps -->", "<!-- verdict -->"

logger = logging.getLogger(__name__)


@page("GET", "HEAD", "POST")
def endpoint_diagnose(request: HtmxRequest, inference_id: str) -> HttpResponseBase:
    """Ask what to look at; then send the page, step by step as each is known.

    A browser shows what has come, so that nobody stares at an empty page for the half minute that
    a provider may take not to answer.
    """
    require(request.user, Action.DIAGNOSE)
    endpoint = get_endpoint(request.user, inference_id, to=Action.DIAGNOSE)
    may_cost = request.POST.get("paid_call") == "true"
    context = {
        "endpoint": endpoint,
        "service": find_service(endpoint.service),
        "is_running": request.method == "POST",
        "may_cost": may_cost,
    }
    response = render(request, "endpoints/diagnose.html", context)
    if request.method != "POST":
        return response
    steps = diagnose(endpoint, may_cost=may_cost)
    return StreamingHttpResponse(filled(response.content.decode(), steps))


def filled(page: str, steps: Iterable[Step]) -> Iterator[str]:
    """The page with the steps, each as soon as it is known, and what they add up to."""
    before, _, rest = page.partition(STEPS)
    between, _, after = rest.partition(VERDICT)
    yield before
    told: list[Step] = []
    try:
        for step in steps:
            told.append(step)
            yield render_to_string("endpoints/_step.html", {"step": step})
        context = {"failed": [step for step in told if step.is_failed], "is_broken": False}
    except Exception:
        logger.exception("a diagnosis ended in a fault of our own")
        context = {"failed": [], "is_broken": True}
    yield between + render_to_string("endpoints/_verdict.html", context) + after
