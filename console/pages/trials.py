"""What can be seen before an endpoint is saved: a real answer, and the models of a key."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from console.forms.generated import CreateRemoteForm
from console.forms.refusable import NOT_REFUSED, Refusal
from console.forms.trial import trial_form
from console.http import HtmxRequest, page, wants_fragment
from console.pages.create import offered_service, sent_form, shown, unjudged
from console.pages.results import Shown, raw_json, show
from endpoints import trials
from endpoints.access import require
from endpoints.models import User
from endpoints.permissions import Action
from inference.errors import InferenceError
from inference.services.remote import RemoteService

TIMEOUT_S, LIST_TIMEOUT_S = 30.0, 15.0
ANY_MODEL = "any"


@dataclass(frozen=True)
class Trial:
    """took_ms: what the caller waited. problems: what is wrong with what was written to send."""

    shown: Shown | None = None
    as_json: str = ""
    took_ms: float = 0.0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelNames:
    names: tuple[str, ...] = ()
    refusal: Refusal = NOT_REFUSED


@page("POST")
def create_try(request: HtmxRequest, service_name: str) -> HttpResponse:
    """One real call with what the form says; nothing is stored."""
    require(request.user, Action.PUT)
    service, form = remote_form(request, service_name)
    form.is_valid()
    # An id is only needed to save it.
    form.errors.pop("inference_id", None)
    tried = attempt(request.user, service, form)
    return shown(request, service, form, tried=tried, is_tried=True)


def attempt(user: User, service: RemoteService, form: CreateRemoteForm) -> Trial | None:
    """What came of it; None where a field of the form is to blame, which then says so."""
    trial = trial_form(form.task_type, form.data)
    if trial is None or form.errors:
        return None
    if not trial.is_bound:
        trial = trial_form(form.task_type, prefilled(trial)) or trial
    if not trial.is_valid():
        problems = tuple(str(text) for errors in trial.errors.values() for text in errors)
        return Trial(problems=problems)
    call, started = trial.to_request(), time.perf_counter()
    try:
        config = service.parse(form.task_type, form.config)
        result = trials.call_once(user, form.wished_id, config, call, TIMEOUT_S)
    except InferenceError as exc:
        form.note(exc)
        return None
    took_ms = 1000 * (time.perf_counter() - started)
    return Trial(show(call, result, None), raw_json(result), took_ms)


def prefilled(trial: Any) -> dict[str, str]:
    """The example, for a form that came without those fields."""
    return {trial.add_prefix(name): value for name, value in trial.initial.items()}


@page("POST")
def create_models(request: HtmxRequest, service_name: str) -> HttpResponse:
    """The models that the provider lists for the credentials in the form."""
    require(request.user, Action.PUT)
    service, form = remote_form(request, service_name)
    unjudged(form)
    listed = list_models(request.user, service, form)
    if wants_fragment(request):
        return render(request, "create/_models.html", {"listed": listed, "form": form})
    return shown(request, service, form, listed=listed)


def list_models(user: User, service: RemoteService, form: CreateRemoteForm) -> ModelNames:
    try:
        config = service.parse(form.task_type, with_any_model(service, form.config))
        names = trials.model_names(user, form.wished_id, config, LIST_TIMEOUT_S)
    except InferenceError as exc:
        return ModelNames(refusal=Refusal.of(exc))
    return ModelNames(tuple(names))


def with_any_model(service: RemoteService, config: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says, with something in the place of a model that is still to be chosen."""
    settings = {service.model_setting: ANY_MODEL} | config["service_settings"]
    return {"service_settings": settings}


def remote_form(request: HtmxRequest, service_name: str) -> tuple[RemoteService, CreateRemoteForm]:
    """Raises Http404 for what runs here: that answers only when it is started."""
    service = offered_service(service_name)
    form = sent_form(request, service)
    if not isinstance(service, RemoteService) or not isinstance(form, CreateRemoteForm):
        raise Http404
    return service, form
