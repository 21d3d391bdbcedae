"""Bringing back an endpoint that was deleted."""

from typing import Any

from django.db import IntegrityError, transaction

from endpoints import audit, caching, providers, tombstones
from endpoints.access import forbidden_with, may_with
from endpoints.actions import (
    check_mappings_fit,
    checked_config,
    deployment_for,
    not_to_be_repeated,
)
from endpoints.attempts import attempt
from endpoints.models import (
    AuditEntry,
    DeletedEndpoint,
    Endpoint,
    EndpointShare,
    EndpointTombstone,
    Team,
    User,
)
from endpoints.permissions import Action
from inference.errors import Conflict, EndpointExists, NotFound
from inference.services import find_service, fingerprint_of
from inference.services.base import EndpointConfig
from inference.types import TaskType


@attempt("endpoint.restore", on="deleted")
def restore_endpoint(actor: User, deleted: DeletedEndpoint) -> Endpoint:
    """Make an endpoint again as it was: settings, secrets, team, shares and cache.

    What runs here starts as for a new one. A provider is not called: it answered these settings
    before, and one that is down must not keep anybody from undoing a delete. Raises what a create
    raises, EndpointExists where another has the id by now, Conflict where its model is another by
    now, NotFound where somebody else restored or wiped it, and SecretUnreadable.
    """
    if not may_with(actor, Action.PUT, deleted):
        raise forbidden_with(actor, Action.PUT, deleted)
    try:
        checked = check_restorable(actor, deleted)
        with transaction.atomic(), not_to_be_repeated():
            return bring_back(deleted, checked)
    except (EndpointExists, IntegrityError):
        raise EndpointExists(
            f"Inference endpoint [{deleted.inference_id}] cannot be restored: another endpoint "
            "has its id by now"
        ) from None


def check_restorable(actor: User, deleted: DeletedEndpoint) -> EndpointConfig:
    """Everything that a create checks, but for the call of a provider."""
    inference_id = deleted.inference_id
    config = deleted.endpoint.config
    secrets = providers.opened_secrets(deleted.encrypted_secrets)
    settings = {**config["service_settings"], **secrets}
    if find_service(deleted.service).is_hosted:
        settings.pop("dimensions", None)  # told by the first answer of an uploaded model
    config["service_settings"] = settings
    task_type = TaskType(deleted.task_type)
    checked = checked_config(actor, inference_id, task_type, deleted.service, config)
    if deleted.fingerprint and fingerprint_of(checked) != deleted.fingerprint:
        raise Conflict(
            f"Inference endpoint [{inference_id}] cannot be restored: its model is another by now, "
            "whose vectors would not match those that were stored. Create it anew instead"
        )
    tombstones.check(actor, inference_id, checked)
    check_mappings_fit(actor, inference_id, checked, deleted.learned_settings)
    return checked


def bring_back(deleted: DeletedEndpoint, checked: EndpointConfig) -> Endpoint:
    """Store what was checked, in the transaction of the caller, and let go of what was kept."""
    if not DeletedEndpoint.objects.filter(pk=deleted.pk).delete()[0]:
        raise NotFound(f"No deleted endpoint [{deleted.inference_id}] can be restored")
    columns: dict[str, Any] = checked.columns()
    if "dimensions" in deleted.service_settings:
        columns["service_settings"] |= {"dimensions": deleted.service_settings["dimensions"]}
    endpoint = Endpoint.objects.create(
        inference_id=deleted.inference_id,
        task_type=deleted.task_type,
        service=deleted.service,
        deployment_id=deployment_for(deleted.inference_id, checked),
        fingerprint=deleted.fingerprint,
        created_by_id=deleted.created_by_id,
        team_id=deleted.team_id,
        encrypted_secrets=deleted.encrypted_secrets,
        learned_settings=deleted.learned_settings,
        cache_generation=caching.new_generation() if deleted.is_cached else "",
        **columns,
    )
    if has_its_history(deleted):
        Endpoint.objects.filter(pk=endpoint.pk).update(created_at=deleted.created_at)
    share_again(endpoint, deleted)
    EndpointTombstone.objects.filter(
        inference_id=deleted.inference_id, fingerprint=deleted.fingerprint
    ).delete()
    audit.record("endpoint.restore", endpoint.inference_id, team=endpoint.team, after=endpoint.kept)
    return Endpoint.objects.with_status().get(pk=endpoint.pk)


def has_its_history(deleted: DeletedEndpoint) -> bool:
    """Whether nobody tried to make another endpoint of this id since.

    What happened to that one is nobody's business who sees this one.
    """
    since = AuditEntry.objects.filter(subject=deleted.inference_id, at__gt=deleted.deleted_at)
    return not since.filter(verb="endpoint.create").exists()


def share_again(endpoint: Endpoint, deleted: DeletedEndpoint) -> None:
    """With those teams that are still there, and that it does not belong to by now."""
    levels = dict(deleted.shares)
    teams = Team.objects.filter(pk__in=[pk for pk in levels if pk]).exclude(endpoints=endpoint)
    shares = [EndpointShare(endpoint=endpoint, team=team, level=levels[team.pk]) for team in teams]
    if None in levels:
        shares.append(EndpointShare(endpoint=endpoint, team=None, level=levels[None]))
    EndpointShare.objects.bulk_create(shares)
