"""What is to be known of an id while it is written."""

from dataclasses import dataclass
from difflib import get_close_matches

from console.forms.local import CreateForm
from console.forms.refusable import problems_of
from endpoints import actions, tombstones
from endpoints.access import may_with, visible_endpoints
from endpoints.models import EndpointTombstone, User
from endpoints.permissions import Action
from inference.errors import InferenceError
from inference.services.base import Service

# Ids are compared with those that begin alike, so many at most.
ALIKE_AT_FIRST, MOST_COMPARED, MOST_ALIKE, LEAST_LIKENESS = 3, 500, 3, 0.85


@dataclass(frozen=True)
class IdTold:
    """problem: why it cannot be used; empty for one that can, or that is not written yet.

    deleted: the tombstone of an endpoint that had it, for who may see it. used_by: what still
    names it, by kind. alike: ids that are easily taken for it.
    """

    problem: str = ""
    deleted: EndpointTombstone | None = None
    used_by: tuple[tuple[str, str], ...] = ()
    alike: tuple[str, ...] = ()


def id_told(reader: User, form: CreateForm, service: Service) -> IdTold:
    """form: of whichever service; it may be half filled in."""
    wished = form.wished_id
    if not wished:
        return IdTold()
    if problem := problem_with(reader, form, service):
        return IdTold(problem)
    # Of the id that is suggested nobody needs to hear what it was numbered after.
    alike = tuple(ids_like(reader, wished)) if form.is_bound else ()
    tombstone = EndpointTombstone.objects.filter(inference_id=wished).first()
    if tombstone is None or not may_with(reader, Action.GET, tombstone):
        return IdTold(alike=alike)
    consumers = tombstones.known_consumers(reader, tombstone)
    used_by = tuple((kind, ", ".join(names)) for kind, names in consumers.items())
    return IdTold(deleted=tombstone, used_by=used_by, alike=alike)


def problem_with(actor: User, form: CreateForm, service: Service) -> str:
    """Why an id cannot be used; of settings that are not whole yet nothing is said."""
    try:
        actions.check_inference_id(form.wished_id)
        if service.is_hosted:
            actions.check_is_no_model(form.wished_id, form.config)
        actions.check_id_is_free(form.wished_id)
    except InferenceError as exc:
        return " ".join(problems_of(exc))
    if form.is_forced:
        return ""
    try:
        config = service.parse(form.task_type, form.config)
    except InferenceError:
        return ""
    try:
        tombstones.check(actor, form.wished_id, config)
    except InferenceError as exc:
        return " ".join(problems_of(exc))
    return ""


def ids_like(reader: User, wished: str) -> list[str]:
    """Ids that somebody sees and may take for this one; itself is none of them."""
    seen = visible_endpoints(reader).filter(inference_id__startswith=wished[:ALIKE_AT_FIRST])
    ids = seen.exclude(inference_id=wished).values_list("inference_id", flat=True)
    return get_close_matches(wished, ids[:MOST_COMPARED], MOST_ALIKE, LEAST_LIKENESS)
