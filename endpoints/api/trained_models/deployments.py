"""Deployments: start, update, stop."""

from typing import Any

from django.http import HttpResponse

from endpoints import hosting, model_deployments
from endpoints.access import require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.params import Params
from endpoints.api.schemas import parse_optional
from endpoints.api.trained_models.models import allows_no_match
from endpoints.api.trained_models.schemas import StartBody, StopBody, UpdateDeploymentBody
from endpoints.api.trained_models.shown import assignment, checked_size
from endpoints.api.warnings import warn
from endpoints.model_deployments import Wish
from endpoints.models import Deployment
from endpoints.permissions import Action
from inference.errors import InvalidAction, InvalidArgument

START_TIMEOUT_S = 20.0
# Names of earlier versions, which are still understood.
OLD_NAMES = {
    "model_threads": "number_of_allocations",
    "inference_threads": "threads_per_allocation",
}


def is_fully_allocated(deployment: Deployment) -> bool:
    is_full = deployment.current_allocations >= deployment.num_allocations
    return hosting.is_started(deployment) and is_full


WAITS: dict[str, Any] = {
    "starting": lambda _deployment: True,
    "started": hosting.is_started,
    "fully_allocated": is_fully_allocated,
}


class StartView(ElasticView):
    def post(self, request: UserRequest, model_id: str) -> HttpResponse:
        """Start a deployment and answer once it is as far as `wait_for` says."""
        require(request.user, Action.DEPLOYMENT_START)
        params = self.params(
            request,
            "wait_for",
            "deployment_id",
            "number_of_allocations",
            "threads_per_allocation",
            "queue_capacity",
            "cache_size",
            "priority",
            "precision",
            "team",
            *OLD_NAMES,
        )
        timeout_s = params.duration_s("timeout", START_TIMEOUT_S)
        wait_for = params.text("wait_for", "started").lower()
        if wait_for not in WAITS:
            raise InvalidArgument(
                f"[wait_for] must be one of [{', '.join(WAITS)}], not [{wait_for}]"
            )
        if timeout_s <= 0:
            raise InvalidAction(["[timeout] must be greater than 0"])
        body = parse_optional(StartBody, request)
        deployment = model_deployments.start(
            request.user,
            model_id,
            wish_of(model_id, params, body),
            team=params.text("team", None),
        )
        hosting.wait_until_started(deployment.deployment_id, timeout_s, WAITS[wait_for])
        found = Deployment.objects.with_files().get(pk=deployment.pk)
        response = self.answer({"assignment": assignment(found)})
        old = [name for name in OLD_NAMES if params.text(name, None) is not None]
        warn(response, *(f"Deprecated field [{n}] used, expected [{OLD_NAMES[n]}]" for n in old))
        return response


def wish_of(model_id: str, params: Params, body: StartBody) -> Wish:
    allocations = params.integer("number_of_allocations")
    if allocations is None:
        allocations = params.integer("model_threads")
    said: dict[str, Any] = {
        "threads_per_allocation": params.integer("threads_per_allocation"),
        "queue_capacity": params.integer("queue_capacity"),
        "cache_size": params.text("cache_size", None),
        "priority": params.text("priority", None),
        "precision": params.text("precision", None),
    }
    if said["threads_per_allocation"] is None:
        said["threads_per_allocation"] = params.integer("inference_threads")
    if said["cache_size"] is not None:
        said["cache_size"] = checked_size(said["cache_size"])
    for name in ("priority", "precision"):
        if said[name] is not None:
            said[name] = said[name].lower()
    return Wish(
        deployment_id=params.text("deployment_id", model_id),
        number_of_allocations=allocations,
        adaptive_allocations=body.adaptive_allocations,
        **{name: value for name, value in said.items() if value is not None},
    )


class StopView(ElasticView):
    def post(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.DEPLOYMENT_STOP)
        params = self.params(request, "allow_no_match", "force")
        body = parse_optional(StopBody, request)
        if body.id not in (None, model_id):
            raise InvalidArgument(
                f"Inconsistent id; '{body.id}' in the body, '{model_id}' in the path"
            )
        allow_no_match, force = allows_no_match(params), params.flag("force")
        model_deployments.stop(
            request.user,
            model_id,
            allow_no_match=allow_no_match if body.allow_no_match is None else body.allow_no_match,
            force=force if body.force is None else body.force,
        )
        return self.answer({"stopped": True})


class UpdateDeploymentView(ElasticView):
    def post(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.DEPLOYMENT_UPDATE)
        params = self.params(request, "number_of_allocations", "precision")
        body = parse_optional(UpdateDeploymentBody, request)
        allocations = params.integer("number_of_allocations")
        if allocations is None:
            allocations = body.number_of_allocations
        precision = params.text("precision", None) or body.precision
        deployment = model_deployments.update(
            request.user,
            model_id,
            allocations,
            body.adaptive_allocations,
            precision and precision.lower(),
        )
        return self.answer({"assignment": assignment(deployment)})
