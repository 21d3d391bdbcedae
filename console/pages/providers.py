"""Endpoints of providers: choose a provider, create, change. The forms come from its schema."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from console.forms.generated import CreateRemoteForm, EditRemoteForm
from console.forms.refusable import problems_of
from console.http import HtmxRequest, page, wants_fragment
from console.pages.create import create, free_id, taken_ids
from console.pages.samples import base_url, create_samples
from console.working import owners
from endpoints import actions, providers
from endpoints.access import get_endpoint, require
from endpoints.permissions import Action
from endpoints.secrets import SecretUnreadable
from inference.errors import InferenceError, NotFound
from inference.services import SERVICES
from inference.services.remote import RemoteService
from inference.types import TaskType


@page("GET", "HEAD")
def provider_list(request: HtmxRequest) -> HttpResponse:
    """All of them, or those that are named like this or do this task."""
    require(request.user, Action.PUT)
    query, task = request.GET.get("q", "").strip(), chosen_task(request)
    remote = sorted(remote_services().values(), key=lambda service: service.label.casefold())
    context = {
        "query": query,
        "task": task,
        "tasks": [one for one in TaskType if any(one in service.tasks for service in remote)],
        "services": [
            service
            for service in remote
            if query.casefold() in f"{service.name} {service.label}".casefold()
            and (task is None or task in service.tasks)
        ],
    }
    template = "providers/_services.html" if wants_fragment(request) else "providers/list.html"
    return render(request, template, context)


@page("GET", "HEAD", "POST")
def provider_create(request: HtmxRequest, service_name: str) -> HttpResponse:
    require(request.user, Action.PUT)
    service = remote_service(service_name)
    task = task_of(request, service)
    if request.method == "POST":
        form = CreateRemoteForm(service, task, request.POST)
        form.offer(owners(request))
        if form.is_valid() and (endpoint := create(request, form, service.name)):
            return redirect("endpoint-detail", endpoint.inference_id)
    else:
        suggested = free_id(f"{service.name}-{task}", taken_ids())
        form = CreateRemoteForm(service, task, initial={"inference_id": suggested})
        form.offer(owners(request))
    context = {"service": service, "task": task}
    return render(request, "providers/create.html", context | live(request, form, service))


@page("POST")
def provider_request(request: HtmxRequest, service_name: str) -> HttpResponse:
    """What the form asks for as a request, while somebody fills it in; nothing is created."""
    require(request.user, Action.PUT)
    service = remote_service(service_name)
    form = CreateRemoteForm(service, task_of(request, service), request.POST)
    form.offer(owners(request))
    # Nobody has finished yet, so nothing is wrong yet.
    form.full_clean()
    form.errors.clear()
    return render(request, "endpoints/_create_live.html", live(request, form, service))


@page("GET", "HEAD", "POST")
def endpoint_edit(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """Change what can be changed of an endpoint of a provider."""
    require(request.user, Action.UPDATE)
    endpoint = get_endpoint(request.user, inference_id, to=Action.UPDATE)
    service = SERVICES[endpoint.service]
    if not isinstance(service, RemoteService):
        raise Http404
    try:
        kept = providers.secret_names(endpoint)
    except SecretUnreadable:
        kept = []
    form = EditRemoteForm(service, endpoint, kept, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if changes := form.changes:
                actions.check_can_change(inference_id)
                actions.update_endpoint(endpoint, changes)
        except NotFound:
            raise
        except InferenceError as exc:
            form.note(exc)
        else:
            done = "is changed" if changes else "is as it was: nothing was changed"
            messages.success(request, f"{inference_id} {done}.")
            return redirect("endpoint-detail", inference_id)
    context = {"endpoint": endpoint, "service": service, "form": form}
    return render(request, "providers/edit.html", context)


def remote_services() -> dict[str, RemoteService]:
    """Those that endpoints can be made of here, as the API lists them."""
    return {
        name: one
        for name, one in SERVICES.items()
        if isinstance(one, RemoteService) and one.is_listed
    }


def remote_service(name: str) -> RemoteService:
    try:
        return remote_services()[name]
    except KeyError:
        raise Http404 from None


def chosen_task(request: HtmxRequest) -> TaskType | None:
    named = request.GET.get("task", "")
    return TaskType(named) if named in list(TaskType) else None


def task_of(request: HtmxRequest, service: RemoteService) -> TaskType:
    """The task in the address; the service's first where it names none that the service does."""
    chosen = chosen_task(request)
    return chosen if chosen and chosen in service.tasks else next(iter(service.tasks))


def live(request: HtmxRequest, form: CreateRemoteForm, service: RemoteService) -> dict[str, Any]:
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
    return {"form": form, "id_problem": problem_with_id(form), "samples": samples}


def problem_with_id(form: CreateRemoteForm) -> str:
    """Why the id cannot be used; nothing for one that can, or that is not written yet."""
    if not form.wished_id:
        return ""
    try:
        actions.check_inference_id(form.wished_id)
        actions.check_id_is_free(form.wished_id)
    except InferenceError as exc:
        return " ".join(problems_of(exc))
    return ""
