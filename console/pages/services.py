"""Choosing what a new endpoint is made of: a model that runs here, or a provider."""

import json
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url

from console.forms.generated import entries_for, needed
from console.forms.local import DEFAULT_MODEL, SERVICE
from console.forms.settings import lowered
from console.http import HtmxRequest, page, wants_fragment
from console.pages.create import chosen_task, chunking_in, remote_services
from console.pages.takes import ModelCard, model_cards, models_offered
from endpoints.access import require
from endpoints.permissions import Action
from inference.services.remote import RemoteService
from inference.types import TaskType


@dataclass(frozen=True)
class ProviderCard:
    """needs: what has to be at hand, in words."""

    service: RemoteService
    needs: str


@page("GET", "HEAD")
def service_pick(request: HtmxRequest) -> HttpResponse:
    """Everything that an endpoint can be made of, or what is named like this or does this task."""
    require(request.user, Action.PUT)
    if model_id := request.GET.get("model_id"):
        place = resolve_url("endpoint-create-at", SERVICE)
        return redirect(f"{place}?{urlencode({'model_id': model_id})}")
    query, task = request.GET.get("q", "").strip(), chosen_task(request.GET)
    is_searched = bool(query or task)
    cards = model_cards(models_offered(request.user))
    models = [card for card in cards if is_meant(searched_of(card), query, task)]
    providers = [
        ProviderCard(service, needs_of(service.name))
        for service in sorted(remote_services().values(), key=lambda one: one.label.casefold())
        if is_meant((f"{service.name} {service.label}", *service.tasks), query, task)
    ]
    context = {
        "query": query,
        "task": task,
        "tasks": list(TaskType),
        "is_searched": is_searched,
        "chunking": json.dumps(chunking) if (chunking := chunking_in(request.GET)) else "",
        "models": models,
        "providers": providers,
        "first": None if is_searched else first_of(models),
    }
    template = "create/_services.html" if wants_fragment(request) else "create/pick.html"
    return render(request, template, context)


def first_of(models: list[ModelCard]) -> ModelCard | None:
    """What to begin with: it needs no key, and its files can be had everywhere."""
    return next((card for card in models if card.model.model_id == DEFAULT_MODEL), None)


def searched_of(card: ModelCard) -> tuple[str, ...]:
    model = card.model
    return (f"{model.model_id} {SERVICE} {model.description}", model.task_type or "")


def is_meant(one: tuple[str, ...], query: str, task: TaskType | None) -> bool:
    """one: the text that is searched, then the tasks."""
    text, *tasks = one
    return query.casefold() in text.casefold() and (task is None or task in tasks)


@cache
def needs_of(service_name: str) -> str:
    """What an endpoint of a provider cannot be made without, in words: API key, model ID."""
    service = remote_services()[service_name]
    entries = entries_for(service, next(iter(service.tasks)))
    words = [" ".join(map(lowered, entry.label.split())) for entry in needed(entries)]
    return ", ".join(dict.fromkeys(words))
