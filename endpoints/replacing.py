"""Pointing what names an endpoint to another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Case, IntegerField, Q, Value, When

from endpoints import pipelines
from endpoints.access import get_endpoint, may, visible_endpoints
from endpoints.models import Endpoint, IndexMapping, IngestPipeline, User
from endpoints.models.endpoint import EndpointQuerySet
from endpoints.permissions import Action
from endpoints.references import Reference
from inference.errors import InvalidRequest, NotFound
from inference.references.cluster import Kind
from inference.references.mappings import pointed_fields
from inference.references.pipelines import pointed_pipeline

MOST_OFFERED = 100


@dataclass(frozen=True)
class Offer:
    """is_same: whether its vectors go with those that were stored before."""

    endpoint: Endpoint
    is_same: bool


def goes_with(one: Endpoint, other: Endpoint) -> bool:
    """Whether what was stored with one endpoint is found with the other."""
    if one.task_type != other.task_type:
        return False
    if one.fingerprint or other.fingerprint:
        return one.fingerprint == other.fingerprint
    return (one.service, one.model_id) == (other.service, other.model_id)


def offers(user: User, endpoint: Endpoint) -> list[Offer]:
    """The first of the endpoints that could take its place, those that go with it before others."""
    same = Q(fingerprint=endpoint.fingerprint) if endpoint.fingerprint else Q(pk__in=())
    rank = Case(When(same, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = candidates(user, endpoint).order_by(rank, "inference_id")[:MOST_OFFERED]
    return sorted(
        (Offer(one, goes_with(endpoint, one)) for one in found), key=lambda one: not one.is_same
    )


def candidates(user: User, endpoint: Endpoint) -> EndpointQuerySet:
    others = visible_endpoints(user).exclude(pk=endpoint.pk)
    return others.filter(task_type=endpoint.task_type)


def get_replacement(user: User, endpoint: Endpoint, inference_id: str) -> Offer:
    """The endpoint of this id in the place of another. Raises NotFound and InvalidRequest."""
    found = get_endpoint(user, inference_id)
    if found.pk == endpoint.pk:
        raise InvalidRequest("An endpoint cannot take its own place")
    if found.task_type != endpoint.task_type:
        raise InvalidRequest(
            f"[{inference_id}] is for [{found.task_type}], not for [{endpoint.task_type}]"
        )
    return Offer(found, goes_with(endpoint, found))


@dataclass(frozen=True)
class Change:
    """The request that points something to the replacement. body: None where nobody knows it.

    is_ours: whether it is a pipeline of this installation, which can be rewritten here.
    """

    reference: Reference
    method: str
    path: str
    body: Mapping[str, Any] | None
    is_ours: bool = False


def changes_for(
    user: User, references: list[Reference], old: Endpoint, new: Endpoint
) -> list[Change]:
    """How each of these is changed. Of what the user may not read only where that is done."""
    here = [one for one in references if not one.cluster]
    names = {kind: [one.name for one in here if one.kind == kind] for kind in Kind}
    configs: dict[str, Any] = {}
    mappings: dict[str, Any] = {}
    if names[Kind.PIPELINE] and may(user, Action.PIPELINE_GET):
        stored = IngestPipeline.objects.filter(pipeline_id__in=names[Kind.PIPELINE])
        configs = {one.pipeline_id: one.config for one in stored}
    if names[Kind.INDEX] and may(user, Action.INDEX_GET):
        known = IndexMapping.objects.filter(name__in=names[Kind.INDEX])
        mappings = {one.name: one.mappings for one in known}
    ids = old.inference_id, new.inference_id
    may_rewrite = may(user, Action.PIPELINE_PUT)
    changes = []
    for one in references:
        own = not one.cluster
        if one.kind == Kind.PIPELINE:
            config = configs.get(one.name) if own else None
            body = pointed_pipeline(config, *ids) if config else None
            path, is_ours = f"/_ingest/pipeline/{one.name}", own and may_rewrite
        else:
            mapping = mappings.get(one.name) if own else None
            body = pointed_fields(mapping, *ids) if mapping else None
            path, is_ours = f"/{one.name}/_mapping", False
        changes.append(Change(one, "PUT", path, body, is_ours))
    return changes


@transaction.atomic
def point_pipeline(pipeline_id: str, old: Endpoint, new: Endpoint) -> IngestPipeline:
    """Let a pipeline of this installation name another endpoint. Done already is success.

    Raises NotFound, and what storing a pipeline raises.
    """
    named = IngestPipeline.objects.select_for_update().filter(pipeline_id=pipeline_id)
    stored = named.first()
    if stored is None:
        raise NotFound(f"pipeline [{pipeline_id}] is missing")
    config = pointed_pipeline(stored.config, old.inference_id, new.inference_id)
    if config == stored.config:
        return stored
    return pipelines.put(pipeline_id, config)
