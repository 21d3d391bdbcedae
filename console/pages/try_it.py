"""Trying an endpoint from its page."""

import time
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render

from console.forms.refusable import NOT_REFUSED, Refusal
from console.forms.try_it import TryForm, try_form
from console.http import HtmxRequest, page, wants_fragment
from console.pages.endpoint_page import playground
from console.pages.results import Shown, raw_json, show
from endpoints import calls
from endpoints.access import get_endpoint, require
from endpoints.known_models import facts_behind
from endpoints.models import Endpoint, User
from endpoints.permissions import Action
from inference.chat import ChatRequest
from inference.errors import InferenceError
from inference.types import QUERY, InferenceRequest, InferenceResult, Ranking, Truncation

TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Outcome:
    """What came of one try: something to show, or why there is nothing.

    took_ms: what the caller waited. cut: what the model did not read to its end, in words.
    """

    called: InferenceRequest | ChatRequest | None = None
    shown: Shown | None = None
    refusal: Refusal = NOT_REFUSED
    took_ms: float = 0.0
    as_json: str = ""
    cut: tuple[str, ...] = ()


@page("POST")
def endpoint_try(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.INFER)
    endpoint = get_endpoint(request.user, inference_id, to=Action.INFER)
    form = try_form(endpoint, request.POST)
    if form is None:
        raise Http404
    outcome = attempt(request.user, endpoint, form)
    context = playground(request, endpoint, form, outcome.called) | {"outcome": outcome}
    template = "endpoints/_outcome.html" if wants_fragment(request) else "endpoints/detail.html"
    return render(request, template, context)


def attempt(user: User, endpoint: Endpoint, form: TryForm) -> Outcome:
    if not form.is_valid():
        return Outcome(refusal=refusal_of(form))
    call = form.to_request()
    started = time.perf_counter()
    try:
        result = calls.run_inference(endpoint, call, TIMEOUT_S, user)
    except InferenceError as exc:
        return Outcome(call, refusal=Refusal.of(exc))
    took_ms = 1000 * (time.perf_counter() - started)
    facts = facts_behind(endpoint.service, endpoint.service_settings)
    return Outcome(
        call,
        show(call, result, facts.unrelated_cosine if facts else None),
        took_ms=took_ms,
        as_json=raw_json(result),
        cut=told_cuts(call, result),
    )


def refusal_of(form: TryForm) -> Refusal:
    """What is wrong with what was written."""
    return Refusal(tuple(str(text) for errors in form.errors.values() for text in errors))


def told_cuts(call: InferenceRequest | ChatRequest, result: InferenceResult) -> tuple[str, ...]:
    """What of the input the model did not read, in words."""
    if isinstance(call, ChatRequest):
        return ()
    kind = "Document" if isinstance(result, Ranking) else "Text"
    names = {str(number): f"{kind} {number + 1}" for number in range(len(call.input))}
    if len(call.input) == 1:
        names = {"0": f"The {kind.lower()}"}
    names[QUERY] = "The query"
    return tuple(told_cut(names[name], cut) for name, cut in result.truncated.items())


def told_cut(name: str, cut: Truncation) -> str:
    limit = "the model reads"
    if cut.lost_characters is None:
        limit = f"the {cut.read_tokens} tokens that the model reads"
    return f"{name} is longer than {limit}: {cut} at its end did not count."
