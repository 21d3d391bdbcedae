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
from endpoints.models import Endpoint
from inference.errors import InferenceError
from inference.runner.catalogue import BUILTIN_MODELS
from inference.types import (
    InferenceRequest,
    InferenceResult,
    SparseEmbeddings,
    TextEmbeddings,
)

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
    return Outcome(
        call,
        show(call, result),
        took_ms=took_ms,
        as_json=raw_json(result),
        cut=told_cuts(endpoint, result),
    )


def told_cuts(endpoint: Endpoint, result: InferenceResult) -> tuple[str, ...]:
    """What of the input the model did not read, in words; sparse vectors say so themselves."""
    if isinstance(result, SparseEmbeddings):
        return ()
    model = BUILTIN_MODELS[endpoint.service_settings["model_id"]]
    kind = "Text" if isinstance(result, TextEmbeddings) else "Document"
    return tuple(
        f"{'The query' if name == 'query' else f'{kind} {int(name) + 1}'} is longer than the "
        f"{model.max_input_tokens} tokens that the model reads: its end did not count."
        for name in result.truncated
    )
