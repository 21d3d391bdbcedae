"""Models asked to run: starting, resizing, trying again."""

from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from endpoints import tasks
from endpoints.models import (
    Artifact,
    ArtifactState,
    Deployment,
    DeploymentState,
    Endpoint,
    TrainedModel,
)
from inference.errors import DeploymentNotFound, InvalidRequest
from inference.runner.catalogue import BUILTIN_MODELS
from inference.services.base import EndpointConfig
from inference.services.elasticsearch import (
    ElasticsearchSettings,
    check_model,
)
from inference.services.long_documents import check_long_documents


@transaction.atomic
def deploy(deployment_id: str, settings: ElasticsearchSettings) -> Deployment:
    """Ask for a model to run; its files are fetched first where they are missing.

    Raises IntegrityError where a deployment of this id is there already.
    """
    builtin = BUILTIN_MODELS[settings.model_id or ""]
    artifact, _ = Artifact.objects.get_or_create(repository=builtin.weights.repository)
    model, _ = TrainedModel.objects.get_or_create(
        model_id=builtin.model_id,
        defaults={"task_type": builtin.task_type, "artifact": artifact},
    )
    request_files(artifact)
    adaptive = settings.adaptive_allocations
    return Deployment.objects.create(
        deployment_id=deployment_id,
        model=model,
        num_allocations=settings.first_allocations,
        num_threads=settings.num_threads or 1,
        adaptive_allocations=adaptive and adaptive.to_response(),
    )


def attached(config: EndpointConfig) -> EndpointConfig:
    """A configuration that names a deployment, with the settings that this deployment has.

    Raises DeploymentNotFound, and InvalidRequest where the deployment runs another model.
    """
    wished: Any = config.service_settings
    deployment = (
        Deployment.objects.select_related("model")
        .filter(deployment_id=wished.deployment_id)
        .first()
    )
    if deployment is None:
        raise DeploymentNotFound(f"Cannot find deployment [{wished.deployment_id}]")
    model_id = deployment.model.model_id
    if wished.model_id not in (None, model_id):
        raise InvalidRequest(
            f"Deployment [{deployment.deployment_id}] uses model [{model_id}] "
            f"which does not match the model [{wished.model_id}] in the request"
        )
    check_model(model_id, config.task_type)
    is_fixed = deployment.adaptive_allocations is None
    own = {
        "num_allocations": deployment.num_allocations if is_fixed else None,
        "num_threads": deployment.num_threads,
        "model_id": model_id,
        "adaptive_allocations": deployment.adaptive_allocations,
    }
    settings = type(wished).model_validate({**wished.to_response(), **own})
    check_long_documents(settings, model_id, config.service)
    return replace(config, service_settings=settings)


def resize(deployment_id: str, settings: ElasticsearchSettings) -> None:
    """Give a deployment the allocations of these settings. Raises DeploymentNotFound."""
    deployment = Deployment.objects.filter(deployment_id=deployment_id).first()
    if deployment is None:
        raise DeploymentNotFound(f"Cannot find deployment [{deployment_id}]")
    allocations = settings.num_allocations or deployment.num_allocations
    adaptive = settings.adaptive_allocations
    if adaptive and adaptive.enabled:
        allocations = adaptive.clamp(allocations)
    Deployment.objects.filter(pk=deployment.pk).update(
        num_allocations=allocations,
        adaptive_allocations=adaptive and adaptive.to_response(),
        updated_at=timezone.now(),
    )


def request_files(artifact: Artifact) -> None:
    """Have a worker fetch these files, unless they are there or on their way."""
    missing = Artifact.objects.filter(
        pk=artifact.pk, state__in=[ArtifactState.ABSENT, ArtifactState.FAILED]
    )
    if missing.update(state=ArtifactState.QUEUED, reason="", bytes_done=0, worked_on_at=None):
        tasks.fetch_artifact.delay_on_commit(artifact.pk)


@transaction.atomic
def retry(deployment: Deployment) -> None:
    """Try again what failed: the download, the start of the model, or both."""
    request_files(deployment.model.artifact)
    # Not saved as a whole: that would bring a deployment back that was deleted meanwhile.
    Deployment.objects.filter(pk=deployment.pk, state=DeploymentState.FAILED).update(
        state=DeploymentState.WAITING,
        reason="",
        state_changed_at=timezone.now(),
        generation=F("generation") + 1,
        updated_at=timezone.now(),
    )


def wake(deployment: Deployment) -> None:
    """Give an allocation to a deployment that went down to none, as its caller waits for it."""
    Deployment.objects.filter(pk=deployment.pk, num_allocations=0).update(
        num_allocations=1, state=DeploymentState.STARTING, updated_at=timezone.now()
    )


def stop(endpoint: Endpoint) -> None:
    """Stop what was started for an endpoint; what it only uses goes on."""
    if endpoint.owns_deployment:
        Deployment.objects.filter(deployment_id=endpoint.deployment_id).delete()
