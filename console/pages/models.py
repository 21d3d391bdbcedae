"""The models: find one, look at it, have its files fetched, delete it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.forms.models import DeleteModelForm, ModelSearchForm
from console.http import HtmxRequest, page, require_fresh, wants_fragment
from console.pages.deployments_shown import shown_deployments
from console.pages.history import model_history
from console.pages.parts import silent_parts
from console.pages.precision import model_precision
from console.pages.takes import is_offered
from console.working import working
from endpoints import added_models, trained_models
from endpoints.access import may, may_with, require, visible_endpoints
from endpoints.fitting import Expected, expected_of, free_bytes
from endpoints.known_models import KnownModel, known_model, known_models
from endpoints.model_states import ModelStatus, status_of_model
from endpoints.model_uploads import files_of, uploads_of
from endpoints.models import ModelUpload, TrainedModel, User
from endpoints.models.endpoint import EndpointQuerySet
from endpoints.owned import (
    deployments_told,
    endpoints_told,
    get_model,
    visible_deployments,
)
from endpoints.permissions import Action
from endpoints.references import references_to_each
from inference.errors import Conflict, InferenceError, NotFound

PAGE_SIZE = 50
SHOWN_ENDPOINTS, SHOWN_HISTORY = 20, 12


@dataclass(frozen=True)
class Row:
    """expected: what it takes once it is warm; None of an upload, which nobody can tell.

    fits: whether there is memory for another one; what nobody can tell is not ruled out.
    may_fetch: whether somebody may say how its files come.
    """

    model: KnownModel
    status: ModelStatus
    expected: Expected | None
    fits: bool
    endpoint_count: int
    may_fetch: bool

    @property
    def team(self) -> str:
        record = self.model.record
        return record.team.name if record and record.team else ""


@dataclass(frozen=True)
class Incoming:
    """An upload that is under way."""

    upload: ModelUpload
    received_bytes: int

    @property
    def percent(self) -> int:
        return 100 * self.received_bytes // self.upload.bytes_total


SORTS: dict[str, Callable[[Row], Any]] = {
    "": lambda row: row.model.facts.model_id.lstrip("."),
    "size": lambda row: -row.model.facts.size_bytes,
    "used": lambda row: -row.endpoint_count,
    "state": lambda row: -list(type(row.status.state)).index(row.status.state),
}


@page("GET", "HEAD")
def model_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.MODEL_GET)
    form = ModelSearchForm(request.GET)
    every = rows_of(request.user)
    form.offer(row.model for row in every)
    found = [row for row in every if form.finds(row.model, row.status, fits=row.fits)]
    found.sort(key=SORTS.get(form.text("sort"), SORTS[""]))
    shown = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = list(shown.object_list)
    context = {
        "form": form,
        "shown": shown,
        "rows": rows,
        "incoming": incoming(request.user),
        "shows_teams": working(request).has_choice and any(row.team for row in every),
        "is_moving": any(row.status.is_moving for row in rows),
        "silent_parts": silent_parts(row.status for row in rows),
    }
    template = "models/_rows.html" if wants_fragment(request) else "models/list.html"
    return render(request, template, context)


def rows_of(user: User) -> list[Row]:
    known = known_models(user)
    expected = expected_of(one.facts for one in known)
    counts, free = endpoint_counts(user), free_bytes()

    def row(model: KnownModel) -> Row:
        model_id = model.facts.model_id
        takes = None if is_upload(model) else expected[model_id]
        fits = takes is None or free is None or takes.smallest_bytes <= free
        return Row(
            model=model,
            status=status_of_model(model),
            expected=takes,
            fits=fits,
            endpoint_count=counts[model_id],
            may_fetch=may_fetch(user, model.record),
        )

    return [row(one) for one in known]


def is_upload(model: KnownModel) -> bool:
    return model.record is not None and model.record.is_uploaded


def endpoint_counts(user: User) -> Counter[str]:
    """How many endpoints that somebody sees name a model, by its id."""
    hosted = visible_endpoints(user).filter(service="elasticsearch").order_by()
    named = hosted.values_list("service_settings__model_id").annotate(count=Count("pk"))
    return Counter({model_id: count for model_id, count in named if model_id})


def incoming(user: User) -> list[Incoming]:
    if not may(user, Action.MODEL_PUT):
        return []
    return [
        Incoming(upload, sum(file.received_bytes for file in files_of(upload)))
        for upload in uploads_of(user)
    ]


@page("GET", "HEAD")
def model_detail(request: HtmxRequest, model_id: str) -> HttpResponse:
    require(request.user, Action.MODEL_GET)
    template = "models/_overview.html" if wants_fragment(request) else "models/detail.html"
    return render(request, template, overview(request, known_model(request.user, model_id)))


def overview(request: HtmxRequest, model: KnownModel) -> dict[str, Any]:
    user, record, status = request.user, model.record, status_of_model(model)
    model_id = model.facts.model_id
    endpoints = users_of(user, model_id)
    deployments = []
    if record:
        deployments = shown_deployments(user, visible_deployments(user).filter(model=record))
    return {
        "model": model,
        "facts": model.facts,
        "status": status,
        "expected": None if is_upload(model) else expected_of([model.facts])[model_id],
        "endpoints": endpoints[:SHOWN_ENDPOINTS],
        "endpoint_count": endpoints.count(),
        "deployments": deployments,
        "precision": model_precision(record) if record else None,
        "history": model_history(user, record, SHOWN_HISTORY) if record else None,
        "silent_parts": silent_parts([status]),
        "may_fetch": may_fetch(user, record),
        "may_delete": record is not None and may_with(user, Action.MODEL_DELETE, record),
        "may_start": may_start(user, model),
        "may_create": may(user, Action.PUT) and is_offered(model),
    }


def users_of(user: User, model_id: str) -> EndpointQuerySet:
    return visible_endpoints(user).on_model(model_id).order_by("inference_id")


def may_fetch(user: User, record: TrainedModel | None) -> bool:
    """Whether somebody may say how its files come; of one that nobody asked for, who adds any."""
    if record is None or record.artifact is None:
        return record is None and may(user, Action.MODEL_PUT)
    return may_with(user, Action.MODEL_PUT, record)


def may_start(user: User, model: KnownModel) -> bool:
    if model.record is None:
        return may(user, Action.DEPLOYMENT_START)
    return model.record.is_pytorch and may_with(user, Action.DEPLOYMENT_START, model.record)


@page("POST")
def model_download(request: HtmxRequest, model_id: str) -> HttpResponse:
    """Have the files of a model fetched: for the first time, again, or on from a pause."""
    require(request.user, Action.MODEL_PUT)
    model = known_model(request.user, model_id)
    if model.record is None:
        trained_models.put_model(request.user, model_id, {})
        return redirect("model-detail", model_id)
    return changed(request, model_id, added_models.retry_download)


@page("POST")
def model_pause(request: HtmxRequest, model_id: str) -> HttpResponse:
    return changed(request, model_id, added_models.pause_download)


@page("POST")
def model_cancel(request: HtmxRequest, model_id: str) -> HttpResponse:
    def cancel(model: TrainedModel) -> None:
        added_models.cancel_download(request.user, model)

    return changed(request, model_id, cancel)


def changed(
    request: HtmxRequest, model_id: str, change: Callable[[TrainedModel], None]
) -> HttpResponse:
    """Change a model and lead back to its page, which says what stood in the way."""
    require(request.user, Action.MODEL_PUT)
    model = get_model(request.user, model_id, to=Action.MODEL_PUT)
    try:
        change(model)
    except Conflict as exc:
        messages.warning(request, f"{exc}.")
    return redirect("model-detail", model_id)


@page("GET", "HEAD", "POST")
def model_delete(request: HtmxRequest, model_id: str) -> HttpResponse:
    """Ask first. Where something uses the model, its id must be written to delete it."""
    require(request.user, Action.MODEL_DELETE)
    model = get_model(request.user, model_id, to=Action.MODEL_DELETE)
    uses = uses_of(request.user, model)
    if any(uses.values()):
        require_fresh(request)
    is_sent = request.method == "POST"
    form = DeleteModelForm(model_id, any(uses.values()), request.POST if is_sent else None)
    if is_sent and form.is_valid():
        try:
            trained_models.delete_model(request.user, model, force=form.is_forced)
        except NotFound:
            raise
        except InferenceError as exc:
            form.note(exc)
            uses = uses_of(request.user, model)  # something uses it by now
        else:
            messages.success(request, f"{model_id} is deleted.")
            return redirect("model-list")
    return render(request, "models/delete.html", {"model": model, "uses": uses, "form": form})


def uses_of(user: User, model: TrainedModel) -> dict[str, list[str]]:
    """What ends or fails without a model, by what it is; others' things are only counted."""
    ids = model.deployments.values_list("deployment_id", flat=True)
    references = references_to_each(user, {model.model_id, *ids})
    return {
        "Deployments": deployments_told(user, model.deployments.all()),
        "Endpoints": endpoints_told(user, trained_models.users_of(model)),
        "Pipelines": sorted(set().union(*(each.pipelines for each in references.values()))),
    }
