"""An id that comes back after a delete: whether what was stored under it still has a meaning.

Indexes keep the vectors that an endpoint made, and find texts by comparing them with new ones.
With another model under the same id they would go on without an error and find the wrong texts.
So a deleted endpoint leaves a tombstone, and whoever takes over its id is measured by that.
"""

from django.utils import timezone

from endpoints.access import may_with
from endpoints.models import Endpoint, EndpointTombstone, User
from endpoints.permissions import Action
from endpoints.references import References, references_to
from inference.errors import ModelDiffers
from inference.services import fingerprint_of
from inference.services.base import EndpointConfig
from inference.types import TaskType


def leave(actor: User, endpoint: Endpoint, consumers: References) -> None:
    """Keep what matters of an endpoint that is deleted, in the place of an earlier one."""
    EndpointTombstone.objects.update_or_create(
        inference_id=endpoint.inference_id,
        defaults={
            "team": endpoint.team,
            "task_type": endpoint.task_type,
            "service": endpoint.service,
            "model_id": endpoint.model_id,
            "fingerprint": endpoint.fingerprint,
            "consumers": consumers.by_kind(),
            "deleted_at": timezone.now(),
            "deleted_by": actor,
        },
    )


def check(actor: User, inference_id: str, config: EndpointConfig) -> None:
    """Refuse an id that others rely on and that another model had. Raises ModelDiffers.

    What it was that another team deleted is not told.
    """
    wished = Endpoint(
        inference_id=inference_id,
        task_type=config.task_type,
        service=config.service,
        fingerprint=fingerprint_of(config),
        **config.columns(),
    )
    tombstone = find_other(wished)
    if tombstone and (consumers := known_consumers(actor, tombstone)):
        listed = ", ".join(f"{kind} [{', '.join(names)}]" for kind, names in consumers.items())
        before, now = described(tombstone), described(wished)
        again = "with other weights or other settings" if before == now else f"with {now}"
        if not may_with(actor, Action.GET, tombstone):
            before, again = "another model", f"with {now}"
        raise ModelDiffers(
            f"Inference endpoint [{inference_id}] could not be created {again}: it had {before} "
            f"when it was deleted, and the inference_id is still being used by {listed}, which "
            "would not match. Choose another inference_id"
        )


def find_other(endpoint: Endpoint) -> EndpointTombstone | None:
    """The tombstone under the id of this endpoint, if it does not fit."""
    tombstone = EndpointTombstone.objects.filter(inference_id=endpoint.inference_id).first()
    return None if tombstone is None or tombstone.fits(endpoint) else tombstone


def known_consumers(reader: User, tombstone: EndpointTombstone) -> dict[str, list[str]]:
    """Who names the id now, by kind in words; of what cannot be looked up any more, what was known
    at the delete.

    A consumer of this installation that was removed, or names another id, counts no longer.
    """
    known: dict[str, list[str]] = tombstone.consumers
    known = known | references_to(reader, tombstone.inference_id).by_kind()
    return {kind.replace("indexes", "indices"): names for kind, names in known.items() if names}


def described(one: Endpoint | EndpointTombstone) -> str:
    model = f"model [{one.model_id}]" if one.model_id else "a model"
    return f"{model} of [{one.service}] for [{one.task_type}]"


def warnings(endpoint: Endpoint) -> tuple[str, ...]:
    """What the maker of an endpoint should know of those that had the id before."""
    tombstone = find_other(endpoint)
    if tombstone is None or not TaskType(tombstone.task_type).makes_vectors:
        return ()
    return (
        f"Vectors that were stored under [{endpoint.inference_id}] before it was deleted "
        "do not match this endpoint",
    )


def lift(endpoint: Endpoint) -> tuple[str, ...]:
    """Let go of the tombstone under an endpoint that has proved itself, and tell its warnings.

    One that was left meanwhile, by a delete of this very endpoint, stays.
    """
    told = warnings(endpoint)
    EndpointTombstone.objects.filter(
        inference_id=endpoint.inference_id, deleted_at__lt=endpoint.created_at
    ).delete()
    return told
