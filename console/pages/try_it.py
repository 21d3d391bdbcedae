"""Trying an endpoint from its page."""

import time
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render

from console.forms.try_it import TryForm, try_form
from console.http import HtmxRequest, page, wants_fragment
from console.pages.overview import overview
from console.pages.results import Shown, raw_json, show
from endpoints import calls
from endpoints.access import Action, get_endpoint, require
from endpoints.known_models import facts_behind
from endpoints.models import Endpoint
from inference.errors import InferenceError
from inference.types import QUERY, InferenceRequest, InferenceResult, Ranking

TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Outcome:
    """What came of one try: something to show, or problems in words.

    took_ms: what the caller waited. cut: what the model did not read to its end, in words.
    """

    called: InferenceRequest | None = None
    shown: Shown | None = None
    problems: tuple[str, ...] = ()
    took_ms: float = 0.0
    as_json: str = ""
    cut: tuple[str, ...] = ()


@page("POST")
def endpoint_try(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.INFER)
    endpoint = get_endpoint(request.user, inference_id)
    form = try_form(endpoint, request.POST)
    if form is None:
        raise Http404
    outcome = attempt(endpoint, form)
    context = overview(request, endpoint, form, outcome.called) | {"outcome": outcome}
    template = "endpoints/_outcome.html" if wants_fragment(request) else "endpoints/detail.html"
    return render(request, template, context)


def attempt(endpoint: Endpoint, form: TryForm) -> Outcome:
    if not form.is_valid():
        return Outcome(
            problems=tuple(str(text) for errors in form.errors.values() for text in errors)
        )
    call = form.to_request()
    started = time.perf_counter()
    try:
        result = calls.run_inference(endpoint, call, TIMEOUT_S)
    except InferenceError as exc:
        return Outcome(call, problems=(str(exc),))
    took_ms = 1000 * (time.perf_counter() - started)
    facts = facts_behind(endpoint.service, endpoint.service_settings)
    return Outcome(
        call,
        show(call, result, facts.unrelated_cosine if facts else 0.0),
        took_ms=took_ms,
        as_json=raw_json(result),
        cut=told_cuts(call, result),
    )


def told_cuts(call: InferenceRequest, result: InferenceResult) -> tuple[str, ...]:
    """What of the input the model did not read, in words."""
    kind = "Document" if isinstance(result, Ranking) else "Text"
    names = {str(number): f"{kind} {number + 1}" for number in range(len(call.input))}
    if len(call.input) == 1:
        names = {"0": f"The {kind.lower()}"}
    names[QUERY] = "The query"
    return tuple(
        f"{names[name]} is longer than the {cut.read_tokens} tokens that the model reads: "
        f"{cut} at its end did not count."
        for name, cut in result.truncated.items()
    )
