"""Models and deployments as somebody finds them who may not see all there are."""

from collections.abc import Iterable

from django.db.models import Q

from endpoints.access import get_seen, seen_by, visible
from endpoints.models import Deployment, Endpoint, TrainedModel, User
from endpoints.models.deployment import DeploymentQuerySet
from endpoints.models.endpoint import EndpointQuerySet
from endpoints.models.model import TrainedModelQuerySet
from endpoints.permissions import Action
from inference.errors import NotFound


def visible_models(user: User) -> TrainedModelQuerySet:
    return visible(user, Action.MODEL_GET, TrainedModel.objects.with_files())


def visible_deployments(user: User, action: Action = Action.MODEL_STATS) -> DeploymentQuerySet:
    """Those that somebody's teams started, and those that endpoints run on which they see.

    action: one that shows a deployment or uses it.
    """
    endpoints = visible(user, action, Endpoint.objects.all())
    started = visible(user, action, Deployment.objects.all())
    return Deployment.objects.with_files().filter(
        Q(pk__in=started.values("pk"))
        | Q(deployment_id__in=endpoints.exclude(deployment=None).values("deployment"))
    )


def get_model(user: User, model_id: str, *, to: Action = Action.MODEL_GET) -> TrainedModel:
    """The model of this id, with what it runs from, to do something with it.

    Raises NotFound where somebody may not see it, Forbidden where they may not do this with it.
    """
    found = TrainedModel.objects.with_files().filter(model_id=model_id).first()
    return get_seen(user, found, to, str(unknown_model(model_id)))


def unknown_model(model_id: str) -> NotFound:
    return NotFound(f"No known trained model with model_id [{model_id}]")


def find_deployment(user: User, deployment_id: str, *, to: Action) -> Deployment | None:
    """The deployment of this id, to do something with it, where somebody may see it.

    Raises Forbidden where they may not do this with it.
    """
    found = Deployment.objects.with_files().filter(deployment_id=deployment_id).first()
    return seen_by(user, found, to)


def endpoints_told(user: User, endpoints: EndpointQuerySet) -> list[str]:
    """The ids of these endpoints, sorted; those that somebody may not know of are counted."""
    told = visible(user, Action.MODEL_STATS, endpoints).values_list("inference_id", flat=True)
    return with_others(told, endpoints.count(), "an endpoint", "endpoints")


def deployments_told(user: User, deployments: DeploymentQuerySet) -> list[str]:
    """The same for deployments."""
    told = visible_deployments(user).filter(pk__in=deployments.values("pk"))
    ids = told.values_list("deployment_id", flat=True)
    return with_others(ids, deployments.count(), "a deployment", "deployments")


def with_others(told: Iterable[str], count: int, one: str, many: str) -> list[str]:
    """Names that somebody may know, sorted, and how many of all there are they may not know."""
    names = sorted(set(told))
    hidden = count - len(names)
    if not hidden:
        return names
    return [*names, f"{one} of another team" if hidden == 1 else f"{hidden} {many} of other teams"]
