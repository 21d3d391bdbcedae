"""The deployments: those there are with their figures; start, scale, stop."""

from dataclasses import replace

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url

from console.forms.allocations import AllocationsForm
from console.forms.deployments import StartForm
from console.forms.precision import PrecisionForm, precision_form
from console.http import HtmxRequest, page, text_in, wants_fragment
from console.pages.deployments_shown import shown_deployments
from console.pages.fit import fit, fit_of, processors
from console.pages.parts import silent
from console.pages.precision import precision_now, precision_options
from console.pages.takes import free_id, taken_ids
from console.working import working
from endpoints import model_deployments, trained_models
from endpoints.access import require, sees
from endpoints.fitting import available_bytes
from endpoints.known_models import KnownModel, known_model
from endpoints.models import Deployment
from endpoints.owned import endpoints_told, find_deployment, visible_deployments
from endpoints.permissions import Action
from endpoints.references import references_to
from endpoints.teams import Owners, owners_for
from inference.errors import InferenceError, NotFound

PAGE_SIZE = 25


@page("GET", "HEAD")
def deployment_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.MODEL_STATS)
    query = text_in(request.GET)
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
        "available_bytes": available_bytes(),
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
    context = {
        "deployment": deployment,
        "form": form,
        "precision_form": precision,
        "precision_options": precision_options(deployment),
        "precision_now": precision_now(deployment),
        "fit": fit(
            model,
            form.most_allocations,
            deployment.num_threads,
            deployment.precision,
            changed=deployment,
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
