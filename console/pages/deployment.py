"""What runs for an endpoint on this machine: how it does, and how much of it there is to be."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from console.forms.allocations import AllocationsForm
from console.forms.precision import PrecisionForm, precision_form
from console.forms.refusable import NOT_REFUSED
from console.http import HtmxRequest, page
from console.pages.allocations import each_allocation
from console.pages.endpoint_page import DEPLOYMENT, SHOWN_EVENTS, show
from console.pages.precision import precision_card, precision_now, precision_options
from console.pages.takes import is_offered
from console.templatetags.console import took
from endpoints import actions, hosting, model_deployments
from endpoints.access import get_endpoint, may, may_with, require, sees
from endpoints.fitting import available_bytes, expected_of
from endpoints.known_models import KnownModel, facts_behind
from endpoints.models import Deployment, DeploymentState, Endpoint, User
from endpoints.permissions import Action
from endpoints.status import status_of
from inference.errors import InferenceError
from inference.services import find_service

DeploymentForm: TypeAlias = AllocationsForm | PrecisionForm


@dataclass(frozen=True)
class Count:
    """One figure of what the host counted. note: what it is of, or since when."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Control:
    """form, precision: None where that cannot be changed here. why_not: in words, where that needs
    any. elsewhere: the endpoint on whose page it can be changed.
    """

    form: AllocationsForm | None = None
    precision: PrecisionForm | None = None
    why_not: str = ""
    elsewhere: str = ""


@page("GET", "HEAD", "POST")
def endpoint_deployment(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """Show it; change how many allocations it has, or in what it computes, as the API's two ways
    of updating do.
    """
    is_change = request.method == "POST"
    needed = Action.UPDATE if is_change else Action.GET
    require(request.user, needed)
    endpoint = get_endpoint(request.user, inference_id, to=needed)
    if find_service(endpoint.service).is_remote:
        raise Http404
    if not is_change or endpoint.deployment is None:
        return show_deployment(request, endpoint)
    kind = PrecisionForm if "precision" in request.POST else AllocationsForm
    form = kind.of(endpoint.deployment, request.POST)
    if form.is_valid():
        try:
            change(request.user, endpoint, form)
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{inference_id} gets what you asked for.")
            return redirect("endpoint-deployment", inference_id)
    return show_deployment(request, endpoint, form)


def change(user: User, endpoint: Endpoint, form: DeploymentForm) -> None:
    """Raises what the actions raise."""
    if endpoint.owns_deployment:
        actions.check_can_change(endpoint.inference_id)
        actions.update_endpoint(endpoint, {"service_settings": form.service_settings})
    else:
        model_deployments.update(user, endpoint.deployment_id or "", **form.update)


@page("POST")
def endpoint_start(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """Start what the next call would start, for who may call it."""
    require(request.user, Action.INFER)
    endpoint = get_endpoint(request.user, inference_id, to=Action.INFER)
    if find_service(endpoint.service).is_remote:
        raise Http404
    try:
        hosting.start_if_idle(endpoint)
    except InferenceError as exc:
        messages.error(request, str(exc))
    return redirect("endpoint-deployment", inference_id)


def show_deployment(
    request: HtmxRequest, endpoint: Endpoint, form: DeploymentForm | None = None
) -> HttpResponse:
    """form: what was refused."""
    context: dict[str, Any] = {
        "may_start": status_of(endpoint).is_idle and may_with(request.user, Action.INFER, endpoint)
    }
    if deployment := endpoint.deployment:
        context |= figures_of(request.user, endpoint, deployment) | {
            "control": control_of(request.user, endpoint, deployment, form),
            "refusal": form.refusal if form else NOT_REFUSED,
            "precision": precision_card(endpoint),
            "precision_options": precision_options(deployment),
            "is_offered": is_offered(KnownModel(deployment.model.facts, deployment.model))
            and may(request.user, Action.PUT),
            "events": deployment.events.all()[:SHOWN_EVENTS],
        }
    return show(request, endpoint, DEPLOYMENT, **context)


def figures_of(user: User, endpoint: Endpoint, deployment: Deployment) -> dict[str, Any]:
    """How it does now. What its host counted is for who may ask the API for it."""
    current, target = deployment.current_allocations, deployment.num_allocations
    is_up = deployment.state == DeploymentState.STARTED
    model = facts_behind(endpoint.service, endpoint.service_settings)
    expected = expected_of([model])[model.model_id] if model else None
    is_scaling, now = is_up and current != target, precision_now(deployment)
    told = is_up and may_with(user, Action.MODEL_STATS, deployment)
    return {
        "deployment": deployment,
        "current": current,
        "is_up": is_up,
        "is_scaling": is_scaling,
        "is_moving": is_scaling or bool(now.words) or not status_of(endpoint).is_settled,
        "precision_now": now,
        "places": [place < current for place in range(min(max(current, target), 32))],
        "memory_bytes": expected and expected.with_allocations(target),
        "is_measured": bool(expected and expected.is_measured),
        "available_bytes": available_bytes(),
        "counts": counts_of(deployment) if told else [],
        "each": each_allocation(deployment) if told else None,
        "last_access": last_access_of(deployment) if told else None,
    }


def counts_of(deployment: Deployment) -> list[Count]:
    told = deployment.stats
    last_minute = told.get("throughput_last_minute", 0)
    waiting = told.get("number_of_pending_requests", 0)
    counts = [
        Count("Texts last minute", f"{last_minute:,}"),
        Count("Most in a minute", f"{told.get('peak_throughput_per_minute', 0):,}"),
        Count("Waiting or at work", f"{waiting:,}", f"of {deployment.queue_capacity:,}"),
        Count("Texts in all", f"{told.get('inference_count', 0):,}"),
    ]
    mean_ms = told.get("average_inference_time_ms")
    lately_ms = told.get("average_inference_time_ms_last_minute")
    if mean_ms is not None:
        lately = f"{took(lately_ms)} last minute" if lately_ms is not None else ""
        counts.append(Count("Mean time of a text", took(mean_ms), lately))
    failures = (
        ("Failed", "error_count"),
        ("Waited too long", "timeout_count"),
        ("Turned away", "rejected_execution_count"),
    )
    return counts + [Count(label, f"{told.get(name, 0):,}") for label, name in failures]


def last_access_of(deployment: Deployment) -> datetime | None:
    millis = deployment.stats.get("last_access")
    return datetime.fromtimestamp(millis / 1000, UTC) if millis else None


def control_of(
    user: User, endpoint: Endpoint, deployment: Deployment, form: DeploymentForm | None
) -> Control:
    """What of it somebody may change here, or where else."""
    number = form if isinstance(form, AllocationsForm) else AllocationsForm.of(deployment)
    precision = form if isinstance(form, PrecisionForm) else precision_form(deployment)
    if endpoint.owns_deployment:
        if endpoint.is_preconfigured:
            return Control(
                why_not="This endpoint is always there, and the product looks after it: its "
                "allocations follow the load within the bounds above."
            )
        if not may_with(user, Action.UPDATE, endpoint):
            return Control()
        return Control(number, precision)
    owner = Endpoint.objects.filter(inference_id=deployment.deployment_id).first()
    if owner:
        if sees(user, owner):
            return Control(elsewhere=owner.inference_id)
        return Control(why_not="It was started for an endpoint of another team, and is theirs.")
    if not may_with(user, Action.DEPLOYMENT_UPDATE, deployment):
        return Control()
    if deployment.state != DeploymentState.STARTED:
        return Control(None, precision, "Their number can be changed once it runs.")
    return Control(number, precision)
