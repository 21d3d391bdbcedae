"""Pointing what names an endpoint to another one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
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
    """How something is pointed to the replacement.

    request: what to send, as the consoles of Elasticsearch write it; empty where the user may not
    read it. can_be_done: whether it is a pipeline of this installation, which is changed here.
    """

    reference: Reference
    request: str
    can_be_done: bool = False


def changes_for(
    user: User, references: Sequence[Reference], old: Endpoint, new: Endpoint
) -> list[Change]:
    """How each of these is changed, in two queries at most."""
    here = [one for one in references if not one.cluster]
    names = {kind: [one.name for one in here if one.kind == kind] for kind in Kind}
    ids = old.inference_id, new.inference_id
    requests: dict[Reference, str] = {}
    if names[Kind.PIPELINE] and may(user, Action.PIPELINE_GET):
        stored = IngestPipeline.objects.filter(pipeline_id__in=names[Kind.PIPELINE])
        for pipeline in stored:
            one = Reference(Kind.PIPELINE, pipeline.pipeline_id)
            body = as_text(pointed_pipeline(pipeline.config, *ids))
            requests[one] = f"PUT {path_of(one)}\n{body}"
    if names[Kind.INDEX] and may(user, Action.INDEX_GET):
        for index in IndexMapping.objects.filter(name__in=names[Kind.INDEX]):
            one = Reference(Kind.INDEX, index.name)
            body = as_text(pointed_fields(index.mappings, *ids))
            requests[one] = f"PUT {path_of(one)}\n{body}"
    may_put = may(user, Action.PIPELINE_PUT)
    return [
        Change(
            one,
            in_cluster(one, new) if one.cluster else requests.get(one, ""),
            can_be_done=may_put and not one.cluster and one.kind == Kind.PIPELINE,
        )
        for one in references
    ]


def path_of(reference: Reference) -> str:
    name = quote(reference.name, safe="")
    return f"/{name}/_mapping" if reference.kind == Kind.INDEX else f"/_ingest/pipeline/{name}"


def in_cluster(reference: Reference, new: Endpoint) -> str:
    """What to send to a cluster, of which only names are known here."""
    path = path_of(reference)
    if reference.kind == Kind.PIPELINE:
        told = f'write "model_id": "{new.inference_id}" into what it holds, and put it back'
        return f"# In {reference.cluster}: {told}.\nGET {path}\n\nPUT {path}"
    field = {"type": "semantic_text", "inference_id": new.inference_id}
    body = as_text({"properties": {"FIELD": field}})
    told = "put the name of the field that you find in the place of FIELD"
    return f"# In {reference.cluster}: {told}.\nGET {path}\n\nPUT {path}\n{body}"


def as_text(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()


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
