"""The page of one endpoint: what stands above its tabs, and the smallest of the tabs.

Each tab is a page with its own address, and asks the database for what it shows alone.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from console.forms.try_it import TryForm
from console.forms.trying import TRY_FORMS, try_form
from console.http import HtmxRequest, page, wants_fragment
from console.pages.create import can_be_duplicated
from console.pages.parts import silent_parts
from console.pages.samples import Sample, base_url, body_of, call_samples
from console.pages.settings import settings_of
from console.working import working
from endpoints import caching
from endpoints.access import get_endpoint, may, may_with, require
from endpoints.attention import failing_calls
from endpoints.fitting import expected_of
from endpoints.known_models import facts_behind
from endpoints.models import Endpoint
from endpoints.permissions import Action
from endpoints.references import Reference, references_to
from endpoints.status import status_of
from inference.chat import ChatRequest
from inference.services import find_service
from inference.services.remote import RemoteService
from inference.types import InferenceRequest

SHOWN_EVENTS = 6
REFERENCES_A_PAGE = 50
LONG_LIST = 10


@dataclass(frozen=True)
class Tab:
    """name: of its template."""

    name: str
    label: str
    url_name: str


PLAYGROUND = Tab("playground", "Playground", "endpoint-detail")
USAGE = Tab("usage", "Usage", "endpoint-usage")
SETTINGS = Tab("settings", "Settings", "endpoint-settings")
DEPLOYMENT = Tab("deployment", "Deployment", "endpoint-deployment")
REFERENCES = Tab("references", "References", "endpoint-references")
HISTORY = Tab("history", "History", "endpoint-history")
SHARING = Tab("sharing", "Sharing", "endpoint-sharing")


def show(request: HtmxRequest, endpoint: Endpoint, here: Tab, **shown: Any) -> HttpResponse:
    """The page with one of its tabs open; htmx gets it without what surrounds all pages."""
    is_fragment = wants_fragment(request)
    template = "endpoints/_page.html" if is_fragment else "endpoints/detail.html"
    context = frame(request, endpoint, here) | shown | {"is_fragment": is_fragment}
    return render(request, template, context)


def frame(request: HtmxRequest, endpoint: Endpoint, here: Tab) -> dict[str, Any]:
    """What stands above the tabs, and which of them there are."""
    status = status_of(endpoint)
    deployment = None if status.can_be_called else endpoint.deployment
    return {
        "endpoint": endpoint,
        "service": find_service(endpoint.service),
        "status": status,
        "silent_parts": silent_parts([status]),
        "failing": next(failing_calls(Endpoint.objects.filter(pk=endpoint.pk)), None),
        "events": deployment.events.all()[:SHOWN_EVENTS] if deployment else [],
        "can_stream": can_stream(endpoint),
        "may_duplicate": may(request.user, Action.PUT) and can_be_duplicated(endpoint),
        "here": here,
        "tabs": tabs_of(request, endpoint, here),
        "body": f"endpoints/tabs/_{here.name}.html",
    }


def tabs_of(request: HtmxRequest, endpoint: Endpoint, here: Tab) -> list[Tab]:
    """Those that have something for who looks."""
    user, team = request.user, endpoint.team
    tabs = [PLAYGROUND, USAGE, SETTINGS]
    if not find_service(endpoint.service).is_remote:
        tabs.append(DEPLOYMENT)
    # The names of what uses it are for those who could delete it, as in the API.
    if may_with(user, Action.DELETE, endpoint):
        tabs.append(REFERENCES)
    tabs.append(HISTORY)
    is_theirs = team is not None and may_with(user, Action.SHARE_GET, endpoint)
    is_shown = here == SHARING or not working(request).is_alone or endpoint.shares.exists()
    if is_theirs and is_shown:
        tabs.append(SHARING)
    return tabs


@page("GET", "HEAD")
def endpoint_detail(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.GET)
    endpoint = get_endpoint(request.user, inference_id)
    return show(request, endpoint, PLAYGROUND, **tried(request, endpoint))


def playground(
    request: HtmxRequest,
    endpoint: Endpoint,
    form: TryForm | None = None,
    called: InferenceRequest | ChatRequest | None = None,
) -> dict[str, Any]:
    """The whole page with the playground open.

    form: as it was sent. called: the call that was made with it; an example for none.
    """
    return frame(request, endpoint, PLAYGROUND) | tried(request, endpoint, form, called)


def tried(
    request: HtmxRequest,
    endpoint: Endpoint,
    form: TryForm | None = None,
    called: InferenceRequest | ChatRequest | None = None,
) -> dict[str, Any]:
    """What the playground shows."""
    return {
        "model": facts_behind(endpoint.service, endpoint.service_settings),
        "cut_inputs": endpoint.usage.truncated_share(),
        "form": form or try_form(endpoint),
        "samples": samples_of(request, endpoint, called),
    }


def can_stream(endpoint: Endpoint) -> bool:
    """Whether the answer can be had as it is written."""
    service = find_service(endpoint.service)
    return isinstance(service, RemoteService) and service.tasks[endpoint.task].can_stream


def samples_of(
    request: HtmxRequest, endpoint: Endpoint, called: InferenceRequest | ChatRequest | None
) -> list[Sample]:
    """Code for the call that was just made, or for an example of the endpoint's task."""
    form_class = TRY_FORMS[endpoint.task]
    body = body_of(endpoint.task, called or form_class.example_call())
    return call_samples(base_url(request), endpoint, body)


@page("GET", "HEAD")
def endpoint_settings(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.GET)
    endpoint = get_endpoint(request.user, inference_id)
    model = facts_behind(endpoint.service, endpoint.service_settings)
    return show(
        request,
        endpoint,
        SETTINGS,
        settings=settings_of(endpoint),
        model=model,
        expected=expected_of([model])[model.model_id] if model else None,
        cache=caching.state_of(endpoint) if caching.can_be_cached(endpoint) else None,
        may_change_cache=may_with(request.user, Action.CACHE_PUT, endpoint),
        as_json=json.dumps(endpoint.to_response(), indent=2, ensure_ascii=False),
    )


@page("GET", "HEAD")
def endpoint_references(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """What names the endpoint, or those whose name has a text in it."""
    require(request.user, Action.DELETE)
    endpoint = get_endpoint(request.user, inference_id, to=Action.DELETE)
    references = references_to(request.user, inference_id)
    query = request.GET.get("q", "").strip()
    found = [one for one in references.found if is_named_like(one, query)]
    shown = Paginator(found, REFERENCES_A_PAGE).get_page(request.GET.get("page"))
    return show(
        request,
        endpoint,
        REFERENCES,
        references=references,
        query=query,
        shown=shown,
        is_long=len(references.found) > LONG_LIST,
    )


def is_named_like(reference: Reference, query: str) -> bool:
    return query.casefold() in reference.place.casefold()
