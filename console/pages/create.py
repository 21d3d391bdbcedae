"""Creating an endpoint: a model that runs here, or a provider. The forms come from the schema."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

import orjson
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render, resolve_url

from console.chunks import SAMPLE, preview_of
from console.forms.chunking import CHUNKING
from console.forms.generated import SERVICE_SETTINGS, CreateRemoteForm, entries_for, texts_of
from console.forms.local import DEFAULT_MODEL, OWN_WORDS, SERVICE, CreateForm, CreateLocalForm
from console.forms.trial import trial_form
from console.http import HtmxRequest, led, page, wants_fragment
from console.pages.ids import id_told
from console.pages.samples import base_url, create_samples
from console.pages.takes import (
    free_id,
    model_cards,
    models_offered,
    suggested_id,
    taken_ids,
    takes,
)
from console.working import owners
from endpoints import actions, tombstones
from endpoints.access import get_endpoint, require
from endpoints.models import Endpoint
from endpoints.permissions import Action
from inference.chunking.settings import DEFAULT as USUAL_CHUNKING
from inference.errors import InferenceError
from inference.services import SERVICES
from inference.services.base import Service
from inference.services.remote import RemoteService
from inference.types import TaskType


@page("GET", "HEAD", "POST")
def endpoint_create(request: HtmxRequest, service_name: str) -> HttpResponse:
    require(request.user, Action.PUT)
    service = offered_service(service_name)
    if request.method != "POST":
        source = source_of(request, service)
        return shown(request, service, blank_form(request, service, source), source=source)
    form = sent_form(request, service)
    if form.is_valid() and (endpoint := create(request, form, service.name)):
        messages.success(request, f"{endpoint.inference_id} is created.")
        return led(request, redirect("endpoint-detail", endpoint.inference_id))
    return shown(request, service, form)


@page("POST")
def create_form(request: HtmxRequest, service_name: str) -> HttpResponse:
    """The form for another task or model, with what was written where both have it."""
    require(request.user, Action.PUT)
    service = offered_service(service_name)
    form = sent_form(request, service)
    suggested = suggested_ids(service, form)
    if form.wished_id in suggested.values():
        form.write("inference_id", suggested[chosen_in(form)])
    unjudged(form)
    response = shown(request, service, form)
    if request.htmx:
        response["HX-Replace-Url"] = address_of(service, form)
    return response


@page("POST")
def create_request(request: HtmxRequest, service_name: str) -> HttpResponse:
    """What the form asks for as a request, while somebody fills it in; nothing is created."""
    require(request.user, Action.PUT)
    service = offered_service(service_name)
    form = unjudged(sent_form(request, service))
    return render(request, "create/_live.html", live(request, service, form))


def create(request: HtmxRequest, form: CreateForm, service: str) -> Endpoint | None:
    """Create what a valid form asks for; what is refused is noted at the fields."""
    try:
        endpoint = actions.create_endpoint(
            request.user,
            form.wished_id,
            form.task_type,
            service,
            form.config,
            force=form.is_forced,
            team=form.owner,
        )
    except InferenceError as exc:
        form.note(exc)
        return None
    for warning in tombstones.warnings(endpoint):
        messages.warning(request, f"{warning}.")
    return endpoint


# ---------------------------------------------------------------------- forms


def blank_form(
    request: HtmxRequest, service: Service, source: Endpoint | None = None
) -> CreateForm:
    """The form as it is opened, with an id that is free.

    source: the endpoint whose settings it begins with, less its secrets.
    """
    form: CreateForm
    config = config_like(source) if source else {CHUNKING: chunking_in(request.GET)}
    if isinstance(service, RemoteService):
        task = source.task if source else task_of(request.GET, service)
        wished = free_id_like(source) if source else suggested_id(service, task)
        start = texts_of(config, entries_for(service, task)) | {"inference_id": wished}
        form = CreateRemoteForm(service, task, initial=start)
    else:
        models = models_offered(request.user)
        settings = config.get(SERVICE_SETTINGS, {"model_id": request.GET.get("model_id")})
        model_id = settings.get("model_id")
        model_id = model_id if model_id in models else DEFAULT_MODEL
        name = model_id.strip(".")
        wished = free_id_like(source) if source else free_id(name, {*taken_ids(name), model_id})
        entries = entries_for(service, models[model_id].task_type or TaskType.TEXT_EMBEDDING)
        own = {one: settings[one] for one in OWN_WORDS if one in settings}
        start = texts_of(config, entries) | own
        form = CreateLocalForm(
            models, initial=start | {"model_id": model_id, "inference_id": wished}
        )
    form.offer(owners(request))
    return form


def sent_form(request: HtmxRequest, service: Service) -> CreateForm:
    form: CreateForm
    if isinstance(service, RemoteService):
        task = task_of({**request.GET.dict(), **request.POST.dict()}, service)
        form = CreateRemoteForm(service, task, request.POST)
    else:
        form = CreateLocalForm(models_offered(request.user), request.POST)
    form.offer(owners(request))
    return form


def unjudged(form: CreateForm) -> CreateForm:
    """A form that nobody has finished yet, so that nothing is wrong yet."""
    form.full_clean()
    form.errors.clear()
    return form


def shown(request: HtmxRequest, service: Service, form: CreateForm, **further: Any) -> HttpResponse:
    """The form with everything around it. A browser without a script loses secrets here."""
    if form.is_bound and not request.htmx:
        form.tell_lost_secrets()
    template = "create/_maker.html" if wants_fragment(request) else "create/create.html"
    return render(request, template, maker(request, service, form) | further)


def maker(request: HtmxRequest, service: Service, form: CreateForm) -> dict[str, Any]:
    settings = form.config_to_show["service_settings"]
    window = settings.get("max_input_tokens")
    context: dict[str, Any] = {"is_local": isinstance(form, CreateLocalForm)}
    if isinstance(form, CreateLocalForm):
        context["cards"] = model_cards(form.models)
        window = form.model.max_input_tokens
    else:
        context |= {
            "lists_models": isinstance(service, RemoteService) and service.lists_models,
            "trial": trial_form(form.task_type, request.POST if form.is_bound else None),
        }
    return (
        context
        | live(request, service, form)
        | {
            "service": service,
            "task": form.task_type,
            "window": window,
            "most": service.max_chunk_size,
            "preview_action": resolve_url("create-form", service.name),
            "preview": form.chunking
            and preview_of(
                request.POST.get("chunk_sample", SAMPLE),
                form.chunking_config,
                most=service.max_chunk_size,
                window=window,
            ),
        }
    )


def live(request: HtmxRequest, service: Service, form: CreateForm) -> dict[str, Any]:
    """What changes while somebody fills in the form."""
    samples = create_samples(
        base_url(request),
        form.wished_id,
        form.task_type,
        service.name,
        form.config_to_show,
        force=form.is_forced,
        team=form.owner or "",
    )
    told = {"form": form, "told": id_told(request.user, form, service), "samples": samples}
    return told | ({"takes": takes(form)} if isinstance(form, CreateLocalForm) else {})


def suggested_ids(service: Service, form: CreateForm) -> dict[str, str]:
    """An id that is free for each task, or for each model that runs here."""
    if isinstance(form, CreateLocalForm):
        return {card.model.model_id: card.suggested_id for card in model_cards(form.models)}
    return {task: suggested_id(service, task) for task in service.task_settings}


def chosen_in(form: CreateForm) -> str:
    """What is chosen first, and decides what else is asked."""
    return form.chosen_model if isinstance(form, CreateLocalForm) else form.task_type


# ---------------------------------------------------------------------- what it begins with


def source_of(request: HtmxRequest, service: Service) -> Endpoint | None:
    """The endpoint that the new one is to be like. Raises NotFound, and Http404 for one of another
    service."""
    inference_id = request.GET.get("from", "").replace("\0", "")
    if not inference_id:
        return None
    require(request.user, Action.GET)
    endpoint = get_endpoint(request.user, inference_id)
    if endpoint.service != service.name:
        raise Http404
    return endpoint


def config_like(source: Endpoint) -> dict[str, Any]:
    """The settings of another endpoint; how texts are cut only where that is not as usual."""
    config = source.config
    if config.get(CHUNKING) == USUAL_CHUNKING.to_response():
        del config[CHUNKING]
    return config


def free_id_like(endpoint: Endpoint) -> str:
    return free_id(endpoint.inference_id, taken_ids(endpoint.inference_id))


def chunking_in(given: Mapping[str, str]) -> dict[str, Any]:
    """The settings that an address carries; none where nobody can read them."""
    try:
        found = orjson.loads(given.get(CHUNKING, ""))
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def can_be_duplicated(endpoint: Endpoint) -> bool:
    """Whether the form can make another of its service."""
    return endpoint.service == SERVICE or endpoint.service in remote_services()


# ---------------------------------------------------------------------- services and tasks


@cache
def remote_services() -> Mapping[str, RemoteService]:
    """Those that endpoints can be made of here, as the API lists them."""
    return {
        name: one
        for name, one in SERVICES.items()
        if isinstance(one, RemoteService) and one.is_listed
    }


def offered_service(name: str) -> Service:
    """Raises Http404."""
    if name == SERVICE:
        return SERVICES[name]
    try:
        return remote_services()[name]
    except KeyError:
        raise Http404 from None


def chosen_task(given: Mapping[str, str]) -> TaskType | None:
    named = given.get("task", "")
    return TaskType(named) if named in list(TaskType) else None


def task_of(given: Mapping[str, str], service: RemoteService) -> TaskType:
    """The task that is named; the service's first where it names none that the service does."""
    chosen = chosen_task(given)
    return chosen if chosen and chosen in service.tasks else next(iter(service.tasks))


def address_of(service: Service, form: CreateForm) -> str:
    """Where the form is found as it is now, less what is written in it."""
    name = "model_id" if isinstance(form, CreateLocalForm) else "task"
    place = resolve_url("endpoint-create-at", service.name)
    return f"{place}?{urlencode({name: chosen_in(form)})}"
