"""Creating an endpoint."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.forms.endpoints import DEFAULT_MODEL, SERVICE, CreateEndpointForm
from console.forms.generated import CreateRemoteForm
from console.forms.refusable import problems_of
from console.http import HtmxRequest, page, wants_fragment
from console.pages.samples import base_url, create_samples
from console.working import owners
from endpoints import actions, tombstones
from endpoints.access import require
from endpoints.fitting import Expected, expected_of
from endpoints.models import Artifact, ArtifactState, Deployment, Endpoint, User
from endpoints.permissions import Action
from inference.errors import InferenceError
from inference.runner.catalogue import OFFERED_MODELS, PublishedModel
from inference.services import find_service


@dataclass(frozen=True)
class ModelCard:
    """suggested_id: one that is free. is_here: its files need no download.

    expected: what it will take of the machine.
    """

    model: PublishedModel
    suggested_id: str
    is_here: bool
    expected: Expected


@page("GET", "HEAD", "POST")
def endpoint_create(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.PUT)
    if request.method == "POST":
        form = CreateEndpointForm(request.POST)
        form.offer(owners(request))
        if form.is_valid() and (endpoint := create(request, form, SERVICE)):
            return redirect("endpoint-detail", endpoint.inference_id)
    elif wants_fragment(request):
        form = CreateEndpointForm(request.GET)
        form.offer(owners(request))
        return render(request, "endpoints/_create_live.html", live(request, form))
    cards = model_cards()
    if request.method != "POST":
        suggested = {card.model.model_id: card.suggested_id for card in cards}
        model_id = request.GET.get("model_id", DEFAULT_MODEL)
        start = {"model_id": model_id, "inference_id": suggested.get(model_id, "")}
        form = CreateEndpointForm(initial=start)
        form.offer(owners(request))
    return render(request, "endpoints/create.html", live(request, form) | {"cards": cards})


def create(
    request: HtmxRequest, form: CreateEndpointForm | CreateRemoteForm, service: str
) -> Endpoint | None:
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


def live(request: HtmxRequest, form: CreateEndpointForm) -> dict[str, Any]:
    """What changes while somebody fills in the form."""
    url, task_type = base_url(request), form.task_type
    return {
        "form": form,
        "id_problem": problem_with_id(request.user, form),
        "samples": create_samples(
            url,
            form.wished_id,
            task_type,
            SERVICE,
            form.config,
            force=form.is_forced,
            team=form.owner or "",
        ),
    }


def problem_with_id(actor: User, form: CreateEndpointForm) -> str:
    """Why the id cannot be used; nothing for one that can, or that is not written yet."""
    if not form.wished_id:
        return ""
    try:
        actions.check_inference_id(form.wished_id)
        actions.check_is_no_model(form.wished_id, form.config)
        actions.check_id_is_free(form.wished_id)
        if not form.is_forced:
            usual = {"model_id": form.chosen_model, "num_allocations": 1, "num_threads": 1}
            settings = {"service_settings": usual | form.extras}
            config = find_service(SERVICE).parse(form.task_type, settings)
            tombstones.check(actor, form.wished_id, config)
    except InferenceError as exc:
        return " ".join(problems_of(exc))
    return ""


def model_cards() -> list[ModelCard]:
    here = set(
        Artifact.objects.filter(state=ArtifactState.READY).values_list("repository", flat=True)
    )
    taken = taken_ids()
    expected = expected_of(model.facts for model in OFFERED_MODELS.values())
    return [
        ModelCard(
            model,
            free_id(model.model_id.strip("."), {*taken, model.model_id}),
            model.weights.repository in here,
            expected[model.model_id],
        )
        for model in OFFERED_MODELS.values()
    ]


def taken_ids() -> set[str]:
    taken = set(Endpoint.objects.values_list("inference_id", flat=True))
    taken.update(Deployment.objects.values_list("deployment_id", flat=True))
    return taken


def free_id(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where that is taken."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate
