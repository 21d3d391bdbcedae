"""Models asked to run: starting, resizing, trying again."""

from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from endpoints import fitting, precision, tasks, uploads
from endpoints.access import forbidden_with, may_with, seen_by, team_of
from endpoints.known_models import facts_behind
from endpoints.models import (
    Artifact,
    ArtifactState,
    Deployment,
    DeploymentState,
    Endpoint,
    TrainedModel,
    User,
)
from endpoints.owned import find_deployment, unknown_model
from endpoints.permissions import Action
from inference.errors import (
    Conflict,
    DeploymentNotFound,
    InvalidArgument,
    InvalidRequest,
    InvalidSettings,
)
from inference.runner.catalogue import BUILTIN_MODELS, OFFERED_MODELS, builtin_facts
from inference.runner.facts import ModelFacts
from inference.runner.precision.report import Precision
from inference.services import find_service, fingerprint_of
from inference.services.base import EndpointConfig
from inference.services.elasticsearch import (
    OF_VECTORS,
    AdaptiveAllocations,
    ElasticsearchSettings,
    check_made_for,
    check_says_nothing,
)
from inference.services.long_documents import check_long_documents
from inference.services.settings import unknown_settings
from inference.types import TaskType


@transaction.atomic
def deploy(deployment_id: str, settings: ElasticsearchSettings) -> Deployment:
    """Ask for a model to run; its files are fetched first where they are missing.

    Raises IntegrityError where a deployment of this id is there already, QueueFull or
    NotEnoughMemory where there is no room for it.
    """
    fitting.check_fits(settings.model_id or "", settings.first_allocations)
    model = model_to_run(settings.model_id or "")
    adaptive = settings.adaptive_allocations
    return Deployment.objects.create(
        deployment_id=deployment_id,
        model=model,
        num_allocations=settings.first_allocations,
        num_threads=settings.num_threads or 1,
        adaptive_allocations=adaptive and adaptive.to_response(),
        precision=settings.precision or "",
    )


def model_to_run(model_id: str) -> TrainedModel:
    """The model of this id with what it needs to run; a built-in one need not be known yet.

    Raises NotFound, or what uploads.check_complete raises.
    """
    if model_id in BUILTIN_MODELS:
        model = builtin_model(model_id)
    elif found := TrainedModel.objects.with_files().filter(model_id=model_id).first():
        model = found
    else:
        raise unknown_model(model_id)
    if model.artifact:
        request_files(model.artifact)
    else:
        uploads.check_complete(model)
    return model


def builtin_model(model_id: str) -> TrainedModel:
    """The record of a model of the catalogue, made when it is asked for the first time."""
    builtin = BUILTIN_MODELS[model_id]
    artifact, _ = Artifact.objects.get_or_create(repository=builtin.weights.repository)
    model, _ = TrainedModel.objects.get_or_create(
        model_id=model_id, defaults={"task_type": builtin.task_type, "artifact": artifact}
    )
    return model


def attached(actor: User, config: EndpointConfig) -> EndpointConfig:
    """A configuration that names a deployment, with the settings that this deployment has.

    Raises DeploymentNotFound for one that the caller does not see, Forbidden for one that they may
    not call, and InvalidRequest where it runs another model.
    """
    wished: Any = config.service_settings
    deployment = find_deployment(actor, wished.deployment_id, to=Action.MODEL_INFER)
    if deployment is None:
        raise DeploymentNotFound(f"Cannot find deployment [{wished.deployment_id}]")
    # Who only uses an endpoint that is shared with them must not go on when it no longer is.
    if team_of(deployment) and not may_with(actor, Action.PUT, deployment):
        raise forbidden_with(actor, Action.PUT, deployment)
    model_id = deployment.model.model_id
    if wished.model_id not in (None, model_id):
        raise InvalidRequest(
            f"Deployment [{deployment.deployment_id}] uses model [{model_id}] "
            f"which does not match the model [{wished.model_id}] in the request"
        )
    of_vectors = vector_settings(deployment.model, config)
    is_fixed = deployment.adaptive_allocations is None
    own = {
        "num_allocations": deployment.num_allocations if is_fixed else None,
        "num_threads": deployment.num_threads,
        "model_id": model_id,
        "adaptive_allocations": deployment.adaptive_allocations,
        "precision": deployment.precision or None,
        **dict.fromkeys(OF_VECTORS),
        **of_vectors,
    }
    settings = type(wished).model_validate({**wished.to_response(), **own})
    check_long_documents(settings, model_id, config.service)
    return replace(config, service_settings=settings, model=identified(deployment.model))


def of_model(actor: User, config: EndpointConfig) -> EndpointConfig:
    """A configuration that names a model, with what is known of it.

    Raises InvalidArgument for a model that the caller does not see, Forbidden for one that they may
    not call, InvalidSettings for one of another task, Conflict for one whose files are not known
    yet, and what uploads.check_complete raises.
    """
    settings: Any = config.service_settings
    if facts := builtin_facts(settings.model_id):
        return replace(config, model=facts)
    found = TrainedModel.objects.with_files().filter(model_id=settings.model_id).first()
    model = seen_by(actor, found, Action.MODEL_INFER)
    if model is None:
        known = ", ".join(sorted(OFFERED_MODELS))
        raise InvalidArgument(
            f"Model [{settings.model_id}] is not known here. Load it into the cluster using "
            f"eland, add it from the hub, or use one of the built-in models [{known}]"
        )
    of_vectors = vector_settings(model, config)
    settings = settings.model_copy(update=of_vectors)
    return replace(config, service_settings=settings, model=identified(model))


def identified(model: TrainedModel) -> ModelFacts:
    """What is known of a model, with what its vectors are known by.

    Raises Conflict where its files are still to come, and what uploads.check_complete raises.
    """
    if model.is_uploaded:
        uploads.check_complete(model)
    facts = model.facts
    if facts.identity is None:
        raise Conflict(
            f"Model [{model.model_id}] cannot be used by an endpoint yet: the hashes of its files "
            "are known once they are here"
        )
    return facts


def vector_settings(model: TrainedModel, config: EndpointConfig) -> dict[str, Any]:
    """What an endpoint keeps of the vectors of an uploaded model.

    Raises InvalidRequest or InvalidSettings where the model is made for another task, or where
    something is said of a model that is known already.
    """
    asked: Any = config.service_settings
    if not model.is_uploaded:
        check_made_for(model.facts, config.task_type)
        check_says_nothing(asked, config.service)
        return {}
    if asked.precision is not None:
        raise unknown_settings({"precision": asked.precision}, config.service)
    kind = next(iter(model.config.get("inference_config", ())), None)
    if not model.task_type:
        raise InvalidRequest(
            f"Model [{model.model_id}] is put for [{kind}], which does not map to any supported "
            "task types"
        )
    if model.task_type != config.task_type:
        raise InvalidSettings(
            [
                f"[service_settings] The model [{model.model_id}] is put for [{kind}] and cannot "
                f"be used for task type [{config.task_type}]"
            ]
        )
    if config.task_type != TaskType.TEXT_EMBEDDING:
        return {}
    if asked.dimensions is not None:
        raise unknown_settings({"dimensions": asked.dimensions}, config.service)
    return {
        "similarity": asked.similarity or "cosine",
        "element_type": asked.element_type or "float",
    }


def change(deployment_id: str, settings: ElasticsearchSettings) -> None:
    """Give a deployment the allocations and the precision of these settings.

    Raises DeploymentNotFound, and what `set_allocations` and `set_precision` raise.
    """
    found = Deployment.objects.select_related("model").filter(deployment_id=deployment_id).first()
    if found is None:
        raise DeploymentNotFound(f"Cannot find deployment [{deployment_id}]")
    set_precision(found, settings.precision or "")
    set_allocations(found, settings.num_allocations, settings.adaptive_allocations)


def set_allocations(
    deployment: Deployment, fixed: int | None, adaptive: AdaptiveAllocations | None
) -> None:
    """Change how many allocations a deployment has; fixed: where a number was given.

    Raises QueueFull or NotEnoughMemory for more than this machine gives, and changes nothing then.
    """
    allocations = fixed or deployment.num_allocations
    if adaptive and adaptive.enabled:
        allocations = adaptive.bounds.clamp(allocations)
    fitting.check_change(deployment, allocations)
    Deployment.objects.filter(pk=deployment.pk).update(
        num_allocations=allocations,
        adaptive_allocations=adaptive and adaptive.to_response(),
        updated_at=timezone.now(),
    )


def set_precision(deployment: Deployment, wished: str) -> None:
    """Change what a deployment computes in; empty: full precision, which is then not shown.

    It goes on as it is until a host of the new one is warm, and for good where that turns out to
    lose too much. Raises InvalidSettings for what is known not to be possible.
    """
    if wished == deployment.precision:
        return
    model, asked = deployment.model, Precision(wished or Precision.FP32)
    if model.is_uploaded:
        raise InvalidSettings(["[precision] cannot be chosen for a model that was uploaded"])
    if refusal := precision.refusal(precision.report_if_here(model), asked):
        raise InvalidSettings([f"[precision] {refusal}"])
    if asked.is_tried:
        precision.try_again(model)
    deployment.precision = wished
    Deployment.objects.filter(pk=deployment.pk).update(precision=wished, updated_at=timezone.now())
    for endpoint in deployment.endpoints.exclude(inference_id=deployment.deployment_id):
        follow_precision(endpoint, wished)


def follow_precision(endpoint: Endpoint, wished: str) -> None:
    """Have an endpoint that uses a deployment of others say what its results now depend on."""
    settings = {name: one for name, one in endpoint.service_settings.items() if name != "precision"}
    if wished:
        settings["precision"] = wished
    stored = endpoint.config | {"service_settings": settings}
    checked = find_service(endpoint.service).parse_update(endpoint.task, stored, {})
    checked = replace(checked, model=facts_behind(endpoint.service, settings))
    Endpoint.objects.filter(pk=endpoint.pk).update(
        service_settings=settings, fingerprint=fingerprint_of(checked), updated_at=timezone.now()
    )


def request_files(artifact: Artifact) -> bool:
    """Have a worker fetch these files, unless they are there or on their way.

    What came before they were paused is kept. Returns whether they were neither.
    """
    paused = Artifact.objects.filter(pk=artifact.pk, state=ArtifactState.PAUSED)
    missing = Artifact.objects.filter(
        pk=artifact.pk, state__in=[ArtifactState.ABSENT, ArtifactState.FAILED]
    )
    queued: dict[str, Any] = {"state": ArtifactState.QUEUED, "reason": "", "worked_on_at": None}
    if paused.update(**queued) or missing.update(**queued, bytes_done=0, has_restarted=False):
        tasks.fetch_artifact.delay_on_commit(artifact.pk)
        return True
    return False


@transaction.atomic
def retry(deployment: Deployment) -> None:
    """Try again what failed: the download, the start of the model, or both."""
    if deployment.model.artifact:
        request_files(deployment.model.artifact)
        precision.try_again(deployment.model)
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
