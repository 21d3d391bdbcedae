"""Every write, one verb each: check everything, write, then let others know after commit."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from endpoints import tasks
from endpoints.models import (
    ApiKey,
    Artifact,
    ArtifactState,
    Deployment,
    DeploymentState,
    Endpoint,
    RegionPolicy,
    TrainedModel,
    User,
)
from endpoints.models.api_key import ApiKeyQuerySet
from endpoints.privileges import (
    Roles,
    builtin_roles,
    check_cluster_privileges,
    check_index_privileges,
    is_empty,
)
from endpoints.references import incompatible_indexes, model_settings, references_to
from inference.errors import (
    Conflict,
    EndpointExists,
    InvalidAction,
    InvalidArgument,
    InvalidRequest,
)
from inference.runner.catalogue import BUILTIN_MODELS
from inference.services import find_service
from inference.services.base import EndpointConfig
from inference.types import TaskType

MAX_ID_LENGTH = 256
MAX_KEY_NAME_LENGTH = 256
ID_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9_.\-]*[a-z0-9])?")


def check_inference_id(inference_id: str) -> None:
    if not ID_PATTERN.fullmatch(inference_id):
        problem = (
            f"Invalid inference_id; '{inference_id}' can contain lowercase alphanumeric "
            "(a-z and 0-9), hyphens, underscores or dots, and must start and end with alphanumeric"
        )
        raise InvalidAction([problem])
    if len(inference_id) > MAX_ID_LENGTH:
        problem = f"Invalid inference_id; it may have {MAX_ID_LENGTH} characters at most"
        raise InvalidAction([problem])


def create_endpoint(
    actor: User, inference_id: str, task_type: TaskType, service: str, config: Mapping[str, Any]
) -> Endpoint:
    """Store an endpoint and ask for what it needs to run; it is not ready when this returns.

    Raises InvalidAction, InvalidRequest or InvalidSettings for what cannot be, EndpointExists.
    """
    check_inference_id(inference_id)
    checked = find_service(service).parse(task_type, config)
    check_id_is_free(inference_id, checked)
    check_mappings_fit(inference_id, checked)
    try:
        with transaction.atomic():
            deployment = deploy(inference_id, checked)
            return Endpoint.objects.create(
                inference_id=inference_id,
                task_type=task_type,
                service=checked.service,
                deployment=deployment,
                created_by=actor,
                **checked.columns(),
            )
    except IntegrityError:
        raise EndpointExists(f"Inference endpoint [{inference_id}] already exists") from None


def check_id_is_free(inference_id: str, config: EndpointConfig) -> None:
    """An endpoint must not be mistaken for a model or for another's deployment."""
    if Endpoint.objects.filter(inference_id=inference_id).exists():
        raise EndpointExists(f"Inference endpoint [{inference_id}] already exists")
    taken = Deployment.objects.filter(deployment_id=inference_id).exists()
    if taken or inference_id == getattr(config.service_settings, "model_id", None):
        raise InvalidRequest(
            f"Inference endpoint IDs must be unique. Requested inference endpoint ID "
            f"[{inference_id}] matches existing trained model ID(s) but must not."
        )


def check_mappings_fit(inference_id: str, config: EndpointConfig) -> None:
    """Refuse an id that mappings use already with vectors which this model does not make."""
    settings = model_settings(
        config.task_type, config.service, config.service_settings.to_response()
    )
    if indexes := incompatible_indexes(inference_id, settings):
        raise InvalidRequest(
            f"Inference endpoint [{inference_id}] could not be created because the inference_id "
            f"is being used in mappings with incompatible settings for indices: "
            f"[{', '.join(indexes)}]. Choose another inference_id"
        )


@transaction.atomic
def update_endpoint(endpoint: Endpoint, changes: Mapping[str, Any]) -> Endpoint:
    """Change settings of an endpoint and of what runs for it, or nothing at all.

    Raises Conflict when somebody else changed it meanwhile, else what a create raises.
    """
    checked = find_service(endpoint.service).parse_update(endpoint.task, endpoint.config, changes)
    columns = checked.columns()
    unchanged = Endpoint.objects.filter(pk=endpoint.pk, updated_at=endpoint.updated_at)
    if not unchanged.update(updated_at=timezone.now(), **columns):
        raise Conflict(f"Endpoint [{endpoint.inference_id}] was changed by somebody else meanwhile")
    if endpoint.deployment_id:
        Deployment.objects.filter(deployment_id=endpoint.deployment_id).update(
            num_allocations=columns["service_settings"]["num_allocations"],
            updated_at=timezone.now(),
        )
    return Endpoint.objects.with_status().get(pk=endpoint.pk)


def deploy(deployment_id: str, config: EndpointConfig) -> Deployment:
    """Ask for a model to run; its files are fetched first where they are missing."""
    wished = config.service_settings.to_response()
    builtin = BUILTIN_MODELS[wished["model_id"]]
    artifact, _ = Artifact.objects.get_or_create(repository=builtin.weights.repository)
    model, _ = TrainedModel.objects.get_or_create(
        model_id=builtin.model_id,
        defaults={"task_type": builtin.task_type, "artifact": artifact},
    )
    request_files(artifact)
    return Deployment.objects.create(
        deployment_id=deployment_id,
        model=model,
        num_allocations=wished["num_allocations"],
        num_threads=wished["num_threads"],
    )


def request_files(artifact: Artifact) -> None:
    """Have a worker fetch these files, unless they are there or on their way."""
    missing = Artifact.objects.filter(
        pk=artifact.pk, state__in=[ArtifactState.ABSENT, ArtifactState.FAILED]
    )
    if missing.update(state=ArtifactState.QUEUED, reason="", bytes_done=0, worked_on_at=None):
        tasks.fetch_artifact.delay_on_commit(artifact.pk)


@transaction.atomic
def retry_endpoint(endpoint: Endpoint) -> None:
    """Try again what failed: the download, the start of the model, or both."""
    deployment = endpoint.deployment
    if deployment is None:
        return
    request_files(deployment.model.artifact)
    # Not saved as a whole: that would bring a deployment back that was deleted meanwhile.
    Deployment.objects.filter(pk=deployment.pk, state=DeploymentState.FAILED).update(
        state=DeploymentState.WAITING,
        reason="",
        state_changed_at=timezone.now(),
        generation=F("generation") + 1,
        updated_at=timezone.now(),
    )


@transaction.atomic
def delete_endpoint(endpoint: Endpoint, *, force: bool = False) -> None:
    """Remove an endpoint and stop the deployment that was started for it.

    Gone already is success. The model's files stay. Raises Conflict, unless forced, while a
    mapping or a pipeline names the endpoint.
    """
    found = references_to(endpoint.inference_id)
    if found and not force:
        raise Conflict(found.message)
    Endpoint.objects.filter(pk=endpoint.pk).delete()
    if endpoint.deployment_id:
        Deployment.objects.filter(deployment_id=endpoint.deployment_id).delete()


@transaction.atomic
def set_region_policy(actor: User, policy: dict[str, Any]) -> RegionPolicy:
    """Store the policy, over the one that there may be."""
    now = timezone.now()
    stored = RegionPolicy.objects.select_for_update().first()
    if stored is None:
        return RegionPolicy.objects.create(policy=policy, created_at=now, created_by=actor)
    stored.policy, stored.updated_at, stored.updated_by = policy, now, actor
    stored.save()
    return stored


def create_administrator(username: str, password: str) -> User:
    return User.objects.create_superuser(username, password=password)


def create_api_key(
    user: User,
    name: str,
    *,
    role_descriptors: Roles | None = None,
    metadata: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key that can do what its owner can do now, or less where roles are given for it.

    Raises InvalidAction for a bad name or bad metadata, InvalidArgument for an unknown privilege
    and for a key made with a key that would be able to do something.
    """
    roles = role_descriptors or {}
    check_key(name, metadata or {})
    for role in roles.values():
        check_cluster_privileges(role.get("cluster", ()))
        for grant in role.get("indices", ()):
            check_index_privileges(grant["privileges"])
    maker = user.acting_key
    if maker and not (roles and all(is_empty(role) for role in roles.values())):
        raise InvalidArgument(
            "creating derived api keys requires an explicit role descriptor that is empty "
            "(has no privileges)"
        )
    return ApiKey.issue(
        user,
        name,
        limited_by=maker.limited_by if maker else builtin_roles(user.role_names),
        role_descriptors=roles,
        metadata=metadata or {},
        expires_at=expires_at,
    )


def check_key(name: str, metadata: Mapping[str, Any]) -> None:
    problems = []
    if not name.strip():
        problems.append("api key name is required")
    if len(name) > MAX_KEY_NAME_LENGTH:
        problems.append(f"api key name may not be more than {MAX_KEY_NAME_LENGTH} characters long")
    if name.strip() and name != name.strip():
        problems.append("api key name may not begin or end with whitespace")
    if name.startswith("_"):
        problems.append("api key name may not begin with an underscore")
    if any(field.startswith("_") for field in metadata):
        problems.append("API key metadata keys may not start with [_]")
    if problems:
        raise InvalidAction(problems)


def invalidate_api_keys(keys: ApiKeyQuerySet) -> tuple[list[str], list[str]]:
    """Revoke these keys at once. Returns the ids of those, and of those that were before."""
    with transaction.atomic():
        found = list(keys.values_list("pk", "key_id", "invalidated_at"))
        fresh = {pk: key_id for pk, key_id, invalidated_at in found if invalidated_at is None}
        now = timezone.now()
        ApiKey.objects.filter(pk__in=list(fresh)).update(invalidated_at=now, updated_at=now)
    return list(fresh.values()), [key_id for pk, key_id, _ in found if pk not in fresh]
