"""The deployments: those there are with their figures; start, scale, stop."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url

from console.forms.allocations import AllocationsForm
from console.forms.deployments import StartForm
from console.forms.precision import PrecisionForm, precision_form
from console.http import HtmxRequest, page, wants_fragment
from console.pages.allocations import EachAllocation, each_allocation
from console.pages.parts import silent
from console.pages.precision import PrecisionNow, precision_now, precision_options
from console.pages.takes import free_id, taken_ids
from console.working import working
from endpoints import fitting, model_deployments, trained_models
from endpoints.access import may, require, sees
from endpoints.fitting import FULL_PRECISION, Expected, expected_of
from endpoints.known_models import KnownModel, known_model
from endpoints.models import (
    Deployment,
    DeploymentEvent,
    DeploymentState,
    Endpoint,
    Team,
    User,
)
from endpoints.models.deployment import DeploymentQuerySet
from endpoints.owned import endpoints_told, find_deployment, visible_deployments
from endpoints.permissions import Action
from endpoints.references import references_to
from endpoints.teams import Owners, owners_for
from inference.errors import InferenceError, NotEnoughMemory, NotFound, QueueFull
from inference.runner.precision.report import Precision

PAGE_SIZE = 25
SHOWN_EVENTS = 12
MOST_EVENTS_READ = 500


@dataclass(frozen=True)
class ShownDeployment:
    """endpoint: the one that it was started for, and is changed as. others: that also use it, of
    which hidden_count may not be told. memory_bytes: with the allocations that it has now; None
    where nobody knows. events: what it went through, where that may be told.
    """

    deployment: Deployment
    team: Team | None
    endpoint: Endpoint | None
    others: list[Endpoint]
    hidden_count: int
    memory_bytes: int | None
    is_measured: bool
    events: list[DeploymentEvent]

    @property
    def look(self) -> str:
        """The state as the style sheets know it."""
        state = DeploymentState(self.deployment.state)
        if state != DeploymentState.STARTED:
            return state.value
        return "running" if self.deployment.num_allocations else "resting"

    @property
    def words(self) -> str:
        if self.look == "resting":
            return "Resting: a call wakes it"
        words = self.deployment.words
        return words[:1].upper() + words[1:]

    @property
    def stats(self) -> dict[str, Any]:
        counted: dict[str, Any] = self.deployment.stats
        return counted

    @property
    def can_change(self) -> bool:
        """What runs can; what does not may run in another precision."""
        deployment = self.deployment
        return deployment.state == DeploymentState.STARTED or not deployment.model.is_uploaded

    @property
    def each(self) -> EachAllocation | None:
        return each_allocation(self.deployment)

    @property
    def precision(self) -> PrecisionNow:
        return precision_now(self.deployment)

    @property
    def last_access(self) -> datetime | None:
        told: int | None = self.stats.get("last_access")
        return datetime.fromtimestamp(told / 1000, UTC) if told else None

    @property
    def failures(self) -> int:
        return sum(self.stats.get(name, 0) for name in FAILURES)


FAILURES = ("error_count", "timeout_count", "rejected_execution_count")


def shown_deployments(user: User, deployments: DeploymentQuerySet) -> list[ShownDeployment]:
    """As many queries as for one, however many there are."""
    found = list(
        deployments.select_related("team")
        .prefetch_related("endpoints__team", "endpoints__shares")
        .order_by("deployment_id")
    )
    expected = expected_by_precision(found)
    events = events_of(user, found)
    return [shown(user, one, expected, events.get(one.pk, [])) for one in found]


def shown(
    user: User,
    deployment: Deployment,
    expected: dict[tuple[str, str], Expected],
    events: list[DeploymentEvent],
) -> ShownDeployment:
    users = list(deployment.endpoints.all())
    told = [one for one in users if sees(user, one)]
    own = next((one for one in told if one.inference_id == deployment.deployment_id), None)
    known = expected.get((deployment.model.model_id, precision_of(deployment)))
    return ShownDeployment(
        deployment=deployment,
        team=own.team if own else deployment.team,
        endpoint=own,
        others=[one for one in told if one != own],
        hidden_count=len(users) - len(told),
        memory_bytes=known.with_allocations(deployment.current_allocations) if known else None,
        is_measured=bool(known and known.is_measured),
        events=events[:SHOWN_EVENTS],
    )


def precision_of(deployment: Deployment) -> str:
    return deployment.precision or FULL_PRECISION


def expected_by_precision(
    deployments: Iterable[Deployment],
) -> dict[tuple[str, str], Expected]:
    """What a warm model takes, by its id and the precision; of an upload nobody can tell."""
    facts: dict[str, dict[str, Any]] = {}
    for one in deployments:
        if not one.model.is_uploaded:
            facts.setdefault(precision_of(one), {})[one.model.model_id] = one.model.facts
    return {
        (model_id, precision): found
        for precision, models in facts.items()
        for model_id, found in expected_of(models.values(), precision).items()
    }


def events_of(user: User, deployments: list[Deployment]) -> dict[int, list[DeploymentEvent]]:
    """What each went through, the newest first."""
    if not may(user, Action.DEPLOYMENT_EVENTS):
        return {}
    found: dict[int, list[DeploymentEvent]] = {}
    events = DeploymentEvent.objects.filter(deployment__in=[one.pk for one in deployments])
    for event in events[:MOST_EVENTS_READ]:
        found.setdefault(event.deployment_id, []).append(event)
    return found


@page("GET", "HEAD")
def deployment_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.MODEL_STATS)
    query = request.GET.get("q", "").replace("\0", "").strip()
    every = visible_deployments(request.user)
    if query:
        every = every.filter(deployment_id__icontains=query) | every.filter(
            model__model_id__icontains=query
        )
    shown_page = Paginator(every.order_by("deployment_id"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    pks = [one.pk for one in shown_page.object_list]
    rows = shown_deployments(request.user, visible_deployments(request.user).filter(pk__in=pks))
    context = {
        "query": query,
        "shown": shown_page,
        "rows": rows,
        "shows_teams": working(request).has_choice,
        "processors": processors(),
        "available_bytes": fitting.available_bytes(),
        "silent_parts": silent({"runner"}) if rows else [],
    }
    template = "models/_deployment_rows.html" if wants_fragment(request) else DEPLOYMENTS
    return render(request, template, context)


DEPLOYMENTS = "models/deployments.html"


@page("GET", "HEAD", "POST")
def deployment_start(request: HtmxRequest, model_id: str) -> HttpResponse:
    require(request.user, Action.DEPLOYMENT_START)
    model = known_model(request.user, model_id)
    is_sent = request.method == "POST"
    data = request.POST if is_sent else request.GET if wants_fragment(request) else None
    name = model_id.strip(".")
    form = StartForm(data, initial={"deployment_id": free_id(name, taken_ids(name))})
    if model.record is None or model.record.team is None:
        form.offer(owners_of_start(request))
    if model.record and model.record.is_uploaded:
        del form.fields["precision"]
    if is_sent and form.is_valid():
        try:
            started = start(request, model, form)
        except NotFound as exc:
            if model.record is None or not model.record.is_uploaded:
                raise
            form.note(exc)  # of the upload something is missing
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{started.deployment_id} is starting.")
            return redirect("model-detail", model_id)
    context = {"model": model, "facts": model.facts, "form": form, "fit": fit_of(model, form)}
    if wants_fragment(request):
        return render(request, "models/_fit.html", context)
    return render(request, "models/start.html", context)


@transaction.atomic
def start(request: HtmxRequest, model: KnownModel, form: StartForm) -> Deployment:
    """Start a model as a valid form says; a built-in one may be asked for just now."""
    model_id = model.facts.model_id
    if model.record is None:
        require(request.user, Action.MODEL_PUT)
        trained_models.put_model(request.user, model_id, {})
    return model_deployments.start(request.user, model_id, form.wish, team=form.team)


def owners_of_start(request: HtmxRequest) -> Owners:
    """Whom a new deployment may belong to, first of all the team that somebody works in."""
    found = owners_for(request.user, Action.DEPLOYMENT_START)
    chosen = working(request).chosen
    return replace(found, obvious=chosen.name) if chosen and chosen.name in found.names else found


@dataclass(frozen=True)
class Fit:
    """What a deployment would take of this machine. problem: why it does not fit.

    needed_bytes, available_bytes: None where nobody knows.
    """

    allocations: int
    threads: int
    processors: int
    needed_bytes: int | None
    is_measured: bool
    available_bytes: int | None
    problem: str

    @property
    def busy(self) -> int:
        """Processors that all allocations together can keep busy."""
        return self.allocations * self.threads

    @property
    def is_too_busy(self) -> bool:
        return self.busy > self.processors


def fit_of(model: KnownModel, form: StartForm) -> Fit:
    precision = str(form["precision"].value() or "") if "precision" in form.fields else ""
    if precision == Precision.AUTO:
        precision = ""
    allocations = form.most_allocations
    return fit(model, allocations, form.number("threads_per_allocation", 1), precision)


def fit(
    model: KnownModel,
    allocations: int,
    threads: int,
    precision: str,
    changed: Deployment | None = None,
) -> Fit:
    """changed: the deployment that is to have so many, where there is one already."""
    model_id = model.facts.model_id
    is_upload = model.record is not None and model.record.is_uploaded
    expected = expected_of([model.facts], precision or FULL_PRECISION)[model_id]
    problem = ""
    try:
        if changed:
            fitting.check_change(changed, allocations)
        else:
            fitting.check_fits(model_id, allocations)
    except (NotEnoughMemory, QueueFull) as exc:
        problem = str(exc)
    return Fit(
        allocations=allocations,
        threads=threads,
        processors=processors(),
        needed_bytes=None if is_upload else expected.with_allocations(allocations),
        is_measured=expected.is_measured,
        available_bytes=fitting.available_bytes(),
        problem=problem,
    )


def processors() -> int:
    return len(os.sched_getaffinity(0))


@page("GET", "HEAD", "POST")
def deployment_scale(request: HtmxRequest) -> HttpResponse:
    """What was started for an endpoint is scaled as that endpoint."""
    require(request.user, Action.DEPLOYMENT_UPDATE)
    if "id" not in request.GET:
        return redirect("deployment-list")
    deployment = named(request, Action.DEPLOYMENT_UPDATE)
    is_sent = request.method == "POST"
    data = request.POST if is_sent else request.GET if wants_fragment(request) else None
    is_of_precision = is_sent and "precision" in request.POST
    form = AllocationsForm.of(deployment, None if is_of_precision else data)
    precision = precision_form(deployment)
    if precision and is_of_precision:
        precision = PrecisionForm.of(deployment, data)
    sent = precision if is_of_precision else form
    if is_sent and sent and sent.is_valid():
        try:
            model_deployments.update(request.user, deployment.deployment_id, **sent.update)
        except NotFound:
            raise
        except InferenceError as exc:
            sent.note(exc)
        else:
            messages.success(request, f"{deployment.deployment_id} gets what you asked for.")
            return back_to(request, deployment)
    model = KnownModel(deployment.model.facts, deployment.model)
    computes_in = deployment.precision if deployment.precision != Precision.AUTO else ""
    context = {
        "deployment": deployment,
        "form": form,
        "precision_form": precision,
        "precision_options": precision_options(deployment),
        "precision_now": precision_now(deployment),
        "fit": fit(
            model, form.most_allocations, deployment.num_threads, computes_in, changed=deployment
        ),
        "endpoint": deployment.endpoints.filter(inference_id=deployment.deployment_id).first(),
        "sees_model": sees(request.user, deployment.model),
    }
    template = "models/_fit.html" if wants_fragment(request) else "models/scale.html"
    return render(request, template, context)


@page("GET", "HEAD", "POST")
def deployment_stop(request: HtmxRequest) -> HttpResponse:
    """Ask first, with what depends on it."""
    require(request.user, Action.DEPLOYMENT_STOP)
    if "id" not in request.GET:
        return redirect("deployment-list")
    deployment = named(request, Action.DEPLOYMENT_STOP)
    problem = ""
    if request.method == "POST":
        try:
            force = request.POST.get("force") == "true"
            model_deployments.stop_one(request.user, deployment, force=force)
        except InferenceError as exc:
            problem = str(exc)
        else:
            messages.success(request, f"{deployment.deployment_id} is stopped.")
            return back_to(request, deployment)
    context = {
        "deployment": deployment,
        "problem": problem,
        "endpoints": endpoints_told(request.user, deployment.endpoints.all()),
        "pipelines": references_to(request.user, deployment.deployment_id).pipelines,
        "sees_model": sees(request.user, deployment.model),
    }
    return render(request, "models/stop.html", context)


def named(request: HtmxRequest, action: Action) -> Deployment:
    """The deployment that the address names, to do this with it. Raises NotFound, Forbidden."""
    deployment_id = request.GET.get("id", "").replace("\0", "")
    found = find_deployment(request.user, deployment_id, to=action)
    if found is None:
        raise model_deployments.unknown(deployment_id)
    return found


def back_to(request: HtmxRequest, deployment: Deployment) -> HttpResponse:
    """The page of its model, or the list for who sees only the deployment."""
    if sees(request.user, deployment.model):
        return redirect(resolve_url("model-detail", deployment.model.model_id))
    return redirect("deployment-list")
