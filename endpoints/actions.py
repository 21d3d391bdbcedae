"""Every write, one verb each: check everything, write, then let others know after commit."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from endpoints import audit, caching, deleted, deployments, providers, tombstones
from endpoints.access import require_reach
from endpoints.attempts import attempt
from endpoints.known_models import facts_behind
from endpoints.models import Deployment, Endpoint, Outcome, TrainedModel, User
from endpoints.models.endpoint import RESERVED_PREFIX
from endpoints.permissions import Action
from endpoints.preconfigured import ensure_preconfigured
from endpoints.references import (
    References,
    incompatible_indexes,
    model_settings,
    references_to,
)
from endpoints.teams import team_to_own
from inference.errors import (
    Conflict,
    EndpointExists,
    InvalidAction,
    InvalidRequest,
    NotEnoughMemory,
    QueueFull,
)
from inference.services import find_service, fingerprint_of
from inference.services.base import EndpointConfig
from inference.services.elasticsearch import ElasticsearchSettings
from inference.types import InferenceResult, TaskType, TextEmbeddings

PROOF_TIMEOUT_S = 30.0
MAX_ID_LENGTH = 256
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


def check_can_change(inference_id: str) -> None:
    if inference_id.startswith(RESERVED_PREFIX):
        raise InvalidRequest(f"Default endpoint [{inference_id}] cannot be updated")
    check_inference_id(inference_id)


@attempt("endpoint.create", on="inference_id")
def create_endpoint(
    actor: User,
    inference_id: str,
    task_type: TaskType,
    service: str,
    config: Mapping[str, Any],
    *,
    force: bool = False,
    team: str | None = None,
    timeout_s: float = PROOF_TIMEOUT_S,
) -> Endpoint:
    """Store an endpoint and ask for what it needs to run.

    One of a provider has been called once when this returns, within timeout_s seconds; one that
    runs here is not ready yet. Raises InvalidAction, InvalidRequest, InvalidSettings or
    DeploymentNotFound for what cannot be, UpstreamError where the provider does not answer,
    EndpointExists, and ModelDiffers, unless forced, where results of another model are in use
    under this id.
    """
    check_inference_id(inference_id)
    owner = team_to_own(actor, Action.PUT, team)
    require_reach(actor, Action.PUT, inference_id, task_type)
    checked = checked_config(actor, inference_id, task_type, service, config)
    if not force:
        tombstones.check(actor, inference_id, checked)
    is_remote = find_service(service).is_remote
    learned = providers.prove(inference_id, checked, timeout_s) if is_remote else {}
    check_mappings_fit(actor, inference_id, checked, learned)
    try:
        with transaction.atomic(), not_to_be_repeated():
            endpoint = Endpoint.objects.create(
                inference_id=inference_id,
                task_type=task_type,
                service=checked.service,
                deployment_id=deployment_for(inference_id, checked),
                fingerprint=fingerprint_of(checked),
                created_by=actor,
                team=owner,
                encrypted_secrets=providers.sealed(checked),
                learned_settings=learned,
                **checked.columns(),
            )
            secrets = {"secrets": sorted(checked.secrets)} if checked.secrets else {}
            audit.record("endpoint.create", inference_id, team=owner, after=endpoint.kept | secrets)
            return endpoint
    except IntegrityError:
        raise EndpointExists(f"Inference endpoint [{inference_id}] already exists") from None


def checked_config(
    actor: User, inference_id: str, task_type: TaskType, service: str, config: Mapping[str, Any]
) -> EndpointConfig:
    """What an endpoint under a free id is to be, with what is known of the model it runs on.

    Raises what `create_endpoint` says of what cannot be.
    """
    adapter = find_service(service)
    if adapter.is_hosted:
        check_is_no_model(inference_id, config)
    checked = adapter.parse(task_type, config)
    check_id_is_free(inference_id)
    if is_attached(checked):
        return deployments.attached(actor, checked)
    return deployments.of_model(actor, checked) if adapter.is_hosted else checked


@contextmanager
def not_to_be_repeated() -> Iterator[None]:
    """Refuse what this machine has no room for with InvalidRequest.

    Clients ask again by themselves after a 429, which would only fail again.
    """
    try:
        yield
    except (NotEnoughMemory, QueueFull) as exc:
        raise InvalidRequest(str(exc)) from exc


def is_attached(config: EndpointConfig) -> bool:
    """Whether the endpoint is to use a deployment that is there already."""
    settings = config.service_settings
    return isinstance(settings, ElasticsearchSettings) and settings.deployment_id is not None


def deployment_for(inference_id: str, config: EndpointConfig) -> str | None:
    """The id of what an endpoint runs on, started if need be; None for a service elsewhere."""
    settings = config.service_settings
    if not isinstance(settings, ElasticsearchSettings):
        return None
    return settings.deployment_id or deployments.deploy(inference_id, settings).deployment_id


def check_is_no_model(inference_id: str, config: Mapping[str, Any]) -> None:
    settings = config.get("service_settings")
    if isinstance(settings, Mapping) and settings.get("model_id") == inference_id:
        raise id_is_taken(inference_id)


def check_id_is_free(inference_id: str) -> None:
    """An endpoint must not be mistaken for another, for another's deployment, or for a model."""
    # First the deployment: of an endpoint made meanwhile the endpoint is then seen, too.
    is_taken = (
        Deployment.objects.filter(deployment_id=inference_id).exists()
        or TrainedModel.objects.filter(model_id=inference_id).exists()
    )
    if Endpoint.objects.filter(inference_id=inference_id).exists():
        raise EndpointExists(f"Inference endpoint [{inference_id}] already exists")
    if is_taken:
        raise id_is_taken(inference_id)


def id_is_taken(inference_id: str) -> InvalidRequest:
    return InvalidRequest(
        f"Inference endpoint IDs must be unique. Requested inference endpoint ID "
        f"[{inference_id}] matches existing trained model ID(s) but must not."
    )


def check_mappings_fit(
    actor: User, inference_id: str, config: EndpointConfig, learned: Mapping[str, Any]
) -> None:
    """Refuse an id that mappings use already with vectors which this model does not make."""
    settings = {**learned, **config.service_settings.to_response()}
    check_known_vectors(actor, inference_id, config.task_type, config.service, settings)


def check_known_vectors(
    actor: User,
    inference_id: str,
    task_type: str,
    service: str,
    service_settings: Mapping[str, Any],
) -> None:
    settings = model_settings(task_type, service, service_settings)
    if indexes := incompatible_indexes(actor, inference_id, settings):
        raise InvalidRequest(
            f"Inference endpoint [{inference_id}] could not be created because the inference_id "
            f"is being used in mappings with incompatible settings for indices: "
            f"[{', '.join(indexes)}]. Choose another inference_id"
        )


@attempt("endpoint.update", on="endpoint")
def update_endpoint(
    endpoint: Endpoint, changes: Mapping[str, Any], timeout_s: float = PROOF_TIMEOUT_S
) -> Endpoint:
    """Change settings of an endpoint and of what runs for it, or nothing at all.

    A provider is called with them first, within timeout_s seconds. Raises Conflict when somebody
    else changed it meanwhile or when its deployment is not its own, DeploymentNotFound, else what
    a create raises: also where more allocations find no room.
    """
    secrets = providers.secrets_to_change(endpoint, changes)
    checked = check_update(endpoint, changes, secrets)
    columns: dict[str, Any] = {}
    changed_secrets: list[str] = []
    if find_service(endpoint.service).is_remote:
        if checked.secrets == secrets and is_unchanged(endpoint, checked):
            return endpoint
        columns["learned_settings"] = providers.prove(endpoint.inference_id, checked, timeout_s)
        if checked.secrets != secrets:
            columns["encrypted_secrets"] = providers.sealed(checked)
            changed_secrets = different(secrets, checked.secrets)
    with transaction.atomic():
        updated = store_update(endpoint, checked, changes, columns)
        before, after = endpoint.kept, updated.kept
        if before != after or not changed_secrets:
            audit.record(
                "endpoint.update",
                endpoint.inference_id,
                team=endpoint.team,
                before=before,
                after=after,
            )
        if changed_secrets:
            audit.record_secrets("endpoint", endpoint.inference_id, changed_secrets, endpoint.team)
    return updated


def check_update(
    endpoint: Endpoint, changes: Mapping[str, Any], secrets: Mapping[str, Any]
) -> EndpointConfig:
    """What an endpoint would be with changes to it; nothing is written.

    secrets: those that are stored. Raises what `parse_update` raises.
    """
    stored = endpoint.config
    stored["service_settings"] = {**stored["service_settings"], **secrets}
    return find_service(endpoint.service).parse_update(endpoint.task, stored, changes)


def different(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names of what has another value, or of what only one of them has."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def is_unchanged(endpoint: Endpoint, config: EndpointConfig) -> bool:
    return all(getattr(endpoint, name) == value for name, value in config.columns().items())


@transaction.atomic
def store_update(
    endpoint: Endpoint,
    checked: EndpointConfig,
    changes: Mapping[str, Any],
    columns: Mapping[str, Any],
) -> Endpoint:
    """Write a checked change, to what runs here, too. columns: what else is to change of the row.

    Raises Conflict or DeploymentNotFound.
    """
    checked = with_model(endpoint, checked)
    settings = checked.service_settings
    if isinstance(settings, ElasticsearchSettings) and changes.get("service_settings"):
        if is_attached(checked):
            raise Conflict(
                f"Cannot update inference endpoint [{endpoint.inference_id}] using model "
                f"deployment [{settings.deployment_id}]. The model deployment must be updated "
                "through the endpoint or the trained models API that created it"
            )
        with not_to_be_repeated():
            deployments.change(endpoint.inference_id, settings)
    unchanged = Endpoint.objects.filter(pk=endpoint.pk, updated_at=endpoint.updated_at)
    known = {"fingerprint": fingerprint_of(checked), "updated_at": timezone.now()}
    if not unchanged.update(**checked.columns(), **known, **columns):
        raise Conflict(f"Endpoint [{endpoint.inference_id}] was changed by somebody else meanwhile")
    caching.purge_if_cut_elsewhere(endpoint, checked)
    return Endpoint.objects.with_status().get(pk=endpoint.pk)


def with_model(endpoint: Endpoint, checked: EndpointConfig) -> EndpointConfig:
    """A checked change with what is known of the endpoint's model."""
    return replace(checked, model=facts_behind(checked.service, endpoint.service_settings))


def note_dimensions(actor: User, endpoint: Endpoint, proof: InferenceResult) -> None:
    """Keep how long the vectors are that an uploaded model gave when it was tried.

    Raises InvalidRequest where mappings know the id with vectors of another length.
    """
    settings = endpoint.service_settings
    if not isinstance(proof, TextEmbeddings) or "similarity" not in settings:
        return
    settings = settings | {"dimensions": proof.vectors.shape[1]}
    check_known_vectors(
        actor, endpoint.inference_id, endpoint.task_type, endpoint.service, settings
    )
    Endpoint.objects.filter(pk=endpoint.pk).update(service_settings=settings)
    endpoint.service_settings = settings


@transaction.atomic
def retry_endpoint(endpoint: Endpoint) -> None:
    """Try again what failed: the download, the start of the model, or both."""
    if endpoint.deployment:
        deployments.retry(endpoint.deployment)
        audit.record("endpoint.retry", endpoint.inference_id, team=endpoint.team)


@attempt("endpoint.delete", on="endpoint")
@transaction.atomic
def delete_endpoint(
    actor: User, endpoint: Endpoint, *, force: bool = False, references: References | None = None
) -> None:
    """Remove an endpoint, stop the deployment that was started for it, and leave a tombstone.

    Gone already is success. The model's files stay, and the endpoint can be restored for a while.
    Unless forced, raises Conflict while a mapping or a pipeline names the endpoint, and
    InvalidRequest for one that is always there; forced, such a one is as fresh as on the first day.
    references: what names it, where the caller has looked just now.
    """
    found = references_to(actor, endpoint.inference_id) if references is None else references
    if found and not force:
        raise Conflict(found.message)
    if endpoint.is_preconfigured and not force:
        raise InvalidRequest(
            f"[{endpoint.inference_id}] is a reserved inference endpoint. "
            "Use the force=true query parameter to delete the inference endpoint."
        )
    before, kept = endpoint.kept, deleted.as_it_is(endpoint)
    if not remove(endpoint):
        return
    if not endpoint.is_preconfigured:
        tombstones.leave(actor, endpoint, found)
    if kept:
        deleted.keep(actor, kept, found)
    audit.record("endpoint.delete", endpoint.inference_id, team=endpoint.team, before=before)
    if endpoint.is_preconfigured:
        ensure_preconfigured()


@transaction.atomic
def take_back(endpoint: Endpoint, reason: str) -> None:
    """Remove an endpoint that never worked, as if it had not been created."""
    if remove(endpoint):
        audit.record(
            "endpoint.create",
            endpoint.inference_id,
            team=endpoint.team,
            outcome=Outcome.FAILED,
            reason=reason,
        )


def remove(endpoint: Endpoint) -> bool:
    """Take an endpoint away with what was started for it, in the transaction of its caller.

    Returns whether it was still there. If not, a deployment of this id is that of another.
    """
    # Locked first, so that nobody counts a call of it between the look at its rows and their end.
    Endpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
    was_there, _ = Endpoint.objects.filter(pk=endpoint.pk).delete()
    if was_there:
        deployments.stop(endpoint)
    return bool(was_there)


@transaction.atomic
def create_administrator(username: str, password: str) -> User:
    user = User.objects.create_superuser(username, password=password)
    audit.record("person.create", username, after={"roles": user.role_names})
    return user
