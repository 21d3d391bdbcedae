"""Changing an endpoint: what changes, what that touches, and what others changed meanwhile."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url

from console.chunks import SAMPLE, preview_of
from console.forms.edit import EditForm, Meanwhile, update_of
from console.forms.refusable import NOT_REFUSED, Refusal
from console.http import HtmxRequest, led, page, wants_fragment
from console.pages.samples import base_url, update_samples
from endpoints import actions, providers
from endpoints.access import get_endpoint, require
from endpoints.history import history_of
from endpoints.impact import Impact, impact_of
from endpoints.known_models import facts_behind
from endpoints.models import AuditEntry, Endpoint, User
from endpoints.permissions import Action
from endpoints.secrets import SecretUnreadable
from inference.errors import InferenceError, NotFound
from inference.services import find_service
from inference.services.settings import names_marked

CONFIRM = "confirm"


@page("GET", "HEAD", "POST")
def endpoint_edit(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """Change what can be changed of an endpoint, wherever its model runs."""
    require(request.user, Action.UPDATE)
    endpoint = get_endpoint(request.user, inference_id, to=Action.UPDATE)
    form = edit_form(endpoint, request.POST or None)
    if request.method != "POST" or "review" in request.POST:
        return shown(request, endpoint, form)
    is_valid = form.is_valid()
    if form.is_stale:
        meanwhile = form.catch_up()
        return shown(request, endpoint, form, meanwhile=meanwhile)
    if is_valid and not needs_confirmation(request, endpoint, form):
        try:
            done = save(endpoint, form)
        except NotFound:
            raise
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{inference_id} {done}.")
            return led(request, redirect("endpoint-detail", inference_id))
    return shown(request, endpoint, form)


@page("POST")
def edit_changes(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """What would change, while somebody fills in the form; nothing is changed."""
    require(request.user, Action.UPDATE)
    endpoint = get_endpoint(request.user, inference_id, to=Action.UPDATE)
    form = edit_form(endpoint, request.POST)
    form.full_clean()
    form.errors.clear()
    return render(request, "endpoints/_changes.html", changes_of(request, endpoint, form))


def edit_form(endpoint: Endpoint, data: Any) -> EditForm:
    try:
        kept = providers.secret_names(endpoint)
    except SecretUnreadable:
        kept = []
    return EditForm(find_service(endpoint.service), endpoint, kept, data)


def save(endpoint: Endpoint, form: EditForm) -> str:
    """Make the change; returns what was done, in words. Raises what the update raises."""
    changes = form.changes
    if not changes:
        return "is as it was: nothing was changed"
    actions.check_can_change(endpoint.inference_id)
    actions.update_endpoint(endpoint, changes)
    return "is changed"


def needs_confirmation(request: HtmxRequest, endpoint: Endpoint, form: EditForm) -> bool:
    """Whether vectors that something keeps would no longer match, and nobody said yes to it."""
    if CONFIRM in request.POST:
        return False
    impact, _ = impact_or_refusal(request.user, endpoint, form)
    return impact is not None and impact.spoils_indices


def impact_or_refusal(
    user: User, endpoint: Endpoint, form: EditForm
) -> tuple[Impact | None, Refusal]:
    """What the change touches; None, and why, where it cannot be."""
    try:
        return impact_of(user, endpoint, form.changes), NOT_REFUSED
    except InferenceError as exc:
        return None, Refusal.of(exc)


def shown(
    request: HtmxRequest, endpoint: Endpoint, form: EditForm, meanwhile: Sequence[Meanwhile] = ()
) -> HttpResponse:
    if form.is_bound and not request.htmx:
        form.tell_lost_secrets()
    service = find_service(endpoint.service)
    facts = facts_behind(endpoint.service, endpoint.service_settings)
    window = endpoint.service_settings.get("max_input_tokens")
    window = facts.max_input_tokens if facts else window
    context = changes_of(request, endpoint, form) | {
        "service": service,
        "meanwhile": meanwhile,
        "by_whom": last_change(request.user, endpoint) if meanwhile else None,
        "window": window,
        "most": service.max_chunk_size,
        "preview_action": resolve_url("endpoint-edit", endpoint.inference_id),
        "preview": form.chunking
        and preview_of(
            request.POST.get("chunk_sample", SAMPLE),
            form.chunking_config,
            most=service.max_chunk_size,
            window=window,
        ),
    }
    template = "endpoints/_edit.html" if wants_fragment(request) else "endpoints/edit.html"
    return render(request, template, context)


def changes_of(request: HtmxRequest, endpoint: Endpoint, form: EditForm) -> dict[str, Any]:
    """The difference that the form makes, and what it touches."""
    context: dict[str, Any] = {"endpoint": endpoint, "form": form, "confirm": CONFIRM}
    if not form.listed_changes:
        return context
    impact, refusal = impact_or_refusal(request.user, endpoint, form)
    secrets = names_marked("sensitive", find_service(endpoint.service).settings)
    try:
        update = update_of(form.changes, secrets)
    except InferenceError:
        update = {}
    samples = update_samples(base_url(request), endpoint, update) if update else []
    return context | {
        "changes": form.listed_changes,
        "impact": impact,
        "impact_refusal": refusal,
        "is_confirmed": CONFIRM in request.POST,
        "samples": samples,
    }


def last_change(user: User, endpoint: Endpoint) -> AuditEntry | None:
    """The entry that tells who changed the endpoint last, for who may see it."""
    return history_of(user, endpoint).order_by("-number").first()
