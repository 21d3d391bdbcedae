"""Deployments that the trained models API starts, changes and stops."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from endpoints import audit, deployments, fitting, hosting
from endpoints.access import forbidden_with, may_with, team_of
from endpoints.attempts import attempt
from endpoints.expressions import is_meant
from endpoints.models import Deployment, DeploymentState, Endpoint, Team, TrainedModel, User
from endpoints.owned import endpoints_told, find_deployment, get_model, visible_deployments
from endpoints.permissions import Action
from endpoints.references import references_to
from endpoints.teams import check_owner, team_to_own
from inference.errors import (
    Conflict,
    InvalidAction,
    InvalidRequest,
    InvalidSettings,
    NotFound,
)
from inference.runner.precision.report import Precision, missing_for
from inference.services.elasticsearch import (
    MAX_THREADS,
    AdaptiveAllocations,
    first_allocations,
    merged_bounds,
)
from inference.services.settings import parse_settings

MAX_QUEUE = 100_000
PRIORITIES = ("normal", "low")


@dataclass(frozen=True)
class Wish:
    """How a deployment is to run. None: not said."""

    deployment_id: str
    number_of_allocations: int | None = None
    threads_per_allocation: int = 1
    queue_capacity: int = 10_000
    cache_size: str = ""
    priority: str = "normal"
    precision: str = ""
    adaptive_allocations: Mapping[str, Any] | None = None

    def check(self) -> AdaptiveAllocations | None:
        """The bounds between which it adapts. Raises InvalidAction with all that is wrong."""
        problems: list[str] = []
        adaptive = None
        allocations, threads = self.number_of_allocations, self.threads_per_allocation
        if self.adaptive_allocations is not None:
            try:
                adaptive = parse_adaptive(self.adaptive_allocations)
            except InvalidSettings as exc:
                problems += exc.problems
        if adaptive and adaptive.enabled and allocations is not None:
            problems.append(
                "[number_of_allocations] cannot be set if adaptive allocations is enabled"
            )
        if allocations is not None and allocations < 1:
            problems.append("[number_of_allocations] must be a positive integer")
        if threads < 1:
            problems.append("[threads_per_allocation] must be a positive integer")
        elif threads > MAX_THREADS or threads & (threads - 1):
            problems.append(
                f"[threads_per_allocation] must be a power of 2 less than or equal to {MAX_THREADS}"
            )
        if self.queue_capacity < 1:
            problems.append("[queue_capacity] must be a positive integer")
        if self.queue_capacity > MAX_QUEUE:
            problems.append(f"[queue_capacity] must be less than or equal to {MAX_QUEUE}")
        if self.priority not in PRIORITIES:
            problems.append(f"[priority] must be one of [{', '.join(PRIORITIES)}]")
        if self.priority == "low":
            if (allocations or 1) > 1:
                problems.append("[number_of_allocations] must be 1 when [priority] is low")
            if threads > 1:
                problems.append("[threads_per_allocation] must be 1 when [priority] is low")
        if self.precision:
            problems += precision_problems(self.precision)
        if problems:
            raise InvalidAction(problems)
        return adaptive


def precision_problems(precision: str) -> list[str]:
    """What is wrong with a precision on this machine, whatever is to run in it."""
    if precision not in list(Precision):
        return [f"[precision] must be one of [{', '.join(Precision)}]"]
    if missing := missing_for(precision):
        return [f"[precision] [{precision}] cannot be used here: {missing}"]
    return []


def parse_adaptive(raw: Any) -> AdaptiveAllocations:
    """Raises InvalidSettings for bad bounds, InvalidRequest for what is no bound."""
    return parse_settings(
        AdaptiveAllocations, raw, scope="adaptive_allocations", service="elasticsearch"
    )


@attempt("deployment.start", on="model_id")
def start(actor: User, model_id: str, wish: Wish, *, team: str | None = None) -> Deployment:
    """Ask for a model to run; it does not yet when this returns.

    It belongs to whom the model belongs to, or else to the team that is named. A deployment of
    theirs that failed makes room for a new one of its id. Raises InvalidAction, InvalidRequest,
    NotFound for a model or for uploads that are not there, Forbidden, QueueFull or NotEnoughMemory
    for more than this machine gives, and what `team_to_own` raises.
    """
    model = get_model(actor, model_id, to=Action.DEPLOYMENT_START)
    owner = owner_of_start(actor, model, team)
    adaptive = wish.check()
    if not model.is_pytorch:
        raise InvalidRequest(
            f"Cannot deploy model [{model_id}]: only models with [model_type] [pytorch] can be"
        )
    if wish.precision and model.is_uploaded:
        raise InvalidAction(["[precision] cannot be chosen for a model that was uploaded"])
    check_id(wish.deployment_id, model)
    allocations = first_allocations(wish.number_of_allocations, adaptive)
    try:
        with transaction.atomic():
            generation = make_room(actor, wish.deployment_id)
            fitting.check_fits(model_id, allocations)
            deployment = Deployment.objects.create(
                deployment_id=wish.deployment_id,
                model=deployments.model_to_run(model_id),
                team=owner,
                num_allocations=allocations,
                num_threads=wish.threads_per_allocation,
                queue_capacity=wish.queue_capacity,
                cache_size=wish.cache_size,
                priority=wish.priority,
                precision=wish.precision,
                adaptive_allocations=adaptive and adaptive.to_response(),
                generation=generation,
            )
            audit.record(
                "deployment.start",
                deployment.deployment_id,
                team=owner,
                after=told_of(deployment),
            )
            return deployment
    except IntegrityError:
        raise already_started(wish.deployment_id) from None


def owner_of_start(actor: User, model: TrainedModel, team: str | None) -> Team:
    """Whose a deployment is to be: whose the model is, or for one of everybody who starts it."""
    if model.team is None:
        return team_to_own(actor, Action.DEPLOYMENT_START, team)
    check_owner(f"Model [{model.model_id}]", model.team, team)
    return model.team


def told_of(deployment: Deployment) -> dict[str, Any]:
    """What the audit log tells of a deployment: how it is to run."""
    return {
        "model_id": deployment.model.model_id,
        "number_of_allocations": deployment.num_allocations,
        "threads_per_allocation": deployment.num_threads,
        "adaptive_allocations": deployment.adaptive_allocations,
        "queue_capacity": deployment.queue_capacity,
        "priority": deployment.priority,
        "precision": deployment.precision,
    }


def check_id(deployment_id: str, model: TrainedModel) -> None:
    if not deployment_id or len(deployment_id) > 256 or "\0" in deployment_id:
        raise InvalidAction(["[deployment_id] must have 1 to 256 characters"])
    if Endpoint.objects.filter(inference_id=deployment_id).exists():
        raise InvalidRequest(
            f"Model IDs must be unique. Requested model ID [{deployment_id}] matches existing "
            "model IDs but must not."
        )
    others = TrainedModel.objects.filter(model_id=deployment_id).exclude(pk=model.pk)
    if others.exists():
        raise InvalidRequest(
            f"Deployment id [{deployment_id}] is the same as an another model which is not the "
            f"model being deployed"
        )


def make_room(actor: User, deployment_id: str) -> int:
    """Take a failed deployment of this id away. Returns the generation of the next one."""
    found = Deployment.objects.select_for_update().filter(deployment_id=deployment_id).first()
    if found is None:
        return 1
    is_theirs = may_with(actor, Action.DEPLOYMENT_STOP, found)
    if found.state != DeploymentState.FAILED or not is_theirs:
        raise already_started(deployment_id)
    found.delete()
    return found.generation + 1


def already_started(deployment_id: str) -> InvalidRequest:
    return InvalidRequest(
        f"Could not start model deployment because an existing deployment with the same id "
        f"[{deployment_id}] exists"
    )


def users_of(deployment: Deployment) -> list[str]:
    """The endpoints that run on a deployment, the one that made it among them."""
    return sorted(deployment.endpoints.values_list("inference_id", flat=True))


@attempt("deployment.stop", on="expression")
def stop(actor: User, expression: str, *, allow_no_match: bool = True, force: bool = False) -> None:
    """Stop deployments by id or wildcard: new calls are refused at once.

    A wildcard means those that the caller may stop. Calls that run or wait are still answered,
    unless it is forced. Raises NotFound where none is found and that is not allowed, Forbidden for
    the id of one that they see and may not stop. Unless forced, raises Conflict while an ingest
    pipeline or an endpoint runs on one.
    """
    found = []
    for deployment in visible_deployments(actor).order_by("deployment_id"):
        if not is_meant(expression, deployment.deployment_id):
            continue
        if may_with(actor, Action.DEPLOYMENT_STOP, deployment):
            found.append(deployment)
        elif deployment.deployment_id in expression.split(","):
            raise forbidden_with(actor, Action.DEPLOYMENT_STOP, deployment)
    if not found and not allow_no_match:
        raise unknown(expression)
    end(actor, found, force=force)


@attempt("deployment.stop", on="deployment")
def stop_one(actor: User, deployment: Deployment, *, force: bool = False) -> None:
    """The same for one that was found, whatever its id would mean as a wildcard."""
    end(actor, [deployment], force=force)


def end(actor: User, found: Collection[Deployment], *, force: bool) -> None:
    """Raises Conflict, unless forced, while an ingest pipeline or an endpoint runs on one."""
    if not force:
        for deployment in found:
            check_is_unused(actor, deployment)
    with transaction.atomic():
        Deployment.objects.filter(pk__in=[deployment.pk for deployment in found]).delete()
        for deployment in found:
            audit.record(
                "deployment.stop",
                deployment.deployment_id,
                team=team_of(deployment),
                before=told_of(deployment),
            )
    if force:
        hosting.cut_off(deployment.deployment_id for deployment in found)


def check_is_unused(actor: User, deployment: Deployment) -> None:
    if users := endpoints_told(actor, deployment.endpoints.all()):
        raise Conflict(
            f"Cannot stop deployment [{deployment.deployment_id}] as it is used by inference "
            f"endpoint [{', '.join(users)}]. Delete the endpoint, or use force to stop the "
            "deployment"
        )
    if pipelines := references_to(actor, deployment.deployment_id).pipelines:
        raise Conflict(
            f"Cannot stop deployment [{deployment.deployment_id}] as it is referenced by ingest "
            f"processors; use force to stop the deployment. Pipelines: [{', '.join(pipelines)}]"
        )


def unknown(deployment_id: str) -> NotFound:
    return NotFound(f"No known deployment with deployment_id [{deployment_id}]")


@attempt("deployment.update", on="deployment_id")
@transaction.atomic
def update(
    actor: User,
    deployment_id: str,
    allocations: int | None,
    adaptive_changes: Mapping[str, Any] | None,
    precision: str | None = None,
) -> Deployment:
    """Change how many allocations a deployment has, between which bounds they adapt, or what it
    computes in. None: not said.

    Bounds change one by one; None takes one away. A precision may also be changed where the one of
    before kept the deployment from running. Raises NotFound, Forbidden, InvalidAction,
    InvalidSettings, Conflict for one that does not run or belongs to an endpoint, QueueFull or
    NotEnoughMemory for more than this machine gives.
    """
    deployment = find_deployment(actor, deployment_id, to=Action.DEPLOYMENT_UPDATE)
    if deployment is None:
        raise unknown(deployment_id)
    if allocations is not None and allocations < 1:
        raise InvalidAction(["[number_of_allocations] must be a positive integer"])
    if precision is not None and (problems := precision_problems(precision)):
        raise InvalidAction(problems)
    adaptive = merged(deployment, adaptive_changes)
    if adaptive and adaptive.enabled and allocations is not None:
        raise InvalidSettings(
            ["[number_of_allocations] cannot be set if adaptive allocations is enabled"]
        )
    if Endpoint.objects.filter(inference_id=deployment_id).exists():
        raise Conflict(
            f"Cannot update deployment [{deployment_id}] as it was created by inference endpoint "
            f"[{deployment_id}]. Update the endpoint instead"
        )
    is_scaled = precision is None or allocations is not None or adaptive_changes is not None
    if is_scaled and not hosting.is_started(deployment):
        raise Conflict(
            f"Cannot update deployment [{deployment_id}] while it is "
            f"[{deployment.get_state_display()}]: it must be started"
        )
    before = told_of(deployment)
    if precision is not None:
        deployments.set_precision(deployment, precision)
    if is_scaled:
        deployments.set_allocations(deployment, allocations, adaptive)
    changed = Deployment.objects.with_files().get(pk=deployment.pk)
    audit.record(
        "deployment.update",
        deployment_id,
        team=team_of(deployment),
        before=before,
        after=told_of(changed),
    )
    return changed


def merged(deployment: Deployment, changes: Mapping[str, Any] | None) -> AdaptiveAllocations | None:
    stored = deployment.adaptive_allocations
    if changes is None:
        return None if stored is None else AdaptiveAllocations.model_validate(stored)
    return parse_adaptive(merged_bounds(stored, changes))


# The one that answers soonest is called where several run one model.
PREFERENCE = (
    DeploymentState.STARTED,
    DeploymentState.STARTING,
    DeploymentState.WAITING,
    DeploymentState.FAILED,
)


def to_call(caller: User, name: str) -> Deployment:
    """The deployment of this id, or of those that the caller sees the best of the model of this id.

    Raises NotFound for a name of neither, Forbidden, Conflict for a model that is not deployed.
    """
    visible = visible_deployments(caller, Action.MODEL_INFER)
    if found := visible.filter(deployment_id=name).first():
        return found
    get_model(caller, name, to=Action.MODEL_INFER)
    of_model = visible.filter(model__model_id=name)
    for deployment in sorted(of_model, key=lambda one: PREFERENCE.index(one.state)):
        return deployment
    raise Conflict(
        f"Trained model [{name}] must be deployed to be used. Please deploy with the start trained "
        "model deployment API."
    )
