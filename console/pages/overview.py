"""What the page of one endpoint shows, whichever view draws it."""

import json
from typing import Any

from console.forms.teams import ShareForm
from console.forms.try_it import TryForm
from console.forms.trying import TRY_FORMS, try_form
from console.http import HtmxRequest
from console.pages.audit import SHOWN_OF_ENDPOINT, history
from console.pages.parts import silent_parts
from console.pages.precision import precision_card
from console.pages.samples import Sample, base_url, body_of, call_samples
from console.pages.settings import settings_of
from console.pages.sharing import sharing_card
from endpoints import caching
from endpoints.access import may_with
from endpoints.fitting import expected_of
from endpoints.known_models import facts_behind
from endpoints.models import Endpoint
from endpoints.permissions import Action
from endpoints.references import references_to
from endpoints.status import status_of
from inference.chat import ChatRequest
from inference.services import find_service
from inference.services.remote import RemoteService
from inference.types import InferenceRequest

SHOWN_EVENTS = 12


def overview(
    request: HtmxRequest,
    endpoint: Endpoint,
    form: TryForm | None = None,
    called: InferenceRequest | ChatRequest | None = None,
    share_form: ShareForm | None = None,
) -> dict[str, Any]:
    """form: as it was sent. called: the call that was made with it; an example for none.

    share_form: what was refused.
    """
    status = status_of(endpoint)
    service = find_service(endpoint.service)
    model = facts_behind(endpoint.service, endpoint.service_settings)
    # The names of what uses it are for those who could delete it, as in the API.
    is_told = may_with(request.user, Action.DELETE, endpoint)
    return {
        "endpoint": endpoint,
        "service": service,
        "settings": settings_of(endpoint),
        "can_stream": can_stream(endpoint),
        "status": status,
        "silent_parts": silent_parts([status]),
        "events": endpoint.deployment.events.all()[:SHOWN_EVENTS] if endpoint.deployment else [],
        "cut_inputs": endpoint.usage.truncated_share(),
        "cache": caching.state_of(endpoint) if caching.can_be_cached(endpoint) else None,
        "may_change_cache": may_with(request.user, Action.CACHE_PUT, endpoint),
        "history": history(request.user, endpoint, SHOWN_OF_ENDPOINT),
        "model": model,
        "expected": expected_of([model])[model.model_id] if model else None,
        "precision": precision_card(endpoint),
        "form": form or try_form(endpoint),
        "samples": samples_of(request, endpoint, called),
        "references": is_told and references_to(request.user, endpoint.inference_id),
        "sharing": sharing_card(request.user, endpoint, share_form),
        "as_json": json.dumps(endpoint.to_response(), indent=2, ensure_ascii=False),
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
