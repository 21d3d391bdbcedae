"""Deleted endpoints: which there are, bring one back, wipe it. Not of Elasticsearch's API."""

from typing import Any

from django.http import HttpResponse

from endpoints import deleted
from endpoints.access import require, visible_deleted
from endpoints.api.http import ElasticView, UserRequest
from endpoints.models import DeletedEndpoint
from endpoints.models.base import iso
from endpoints.permissions import Action
from endpoints.references import visible_names
from endpoints.restoring import restore_endpoint
from inference.errors import InvalidArgument

USUAL_SIZE, MOST_SHOWN = 100, 1000


class DeletedListView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        """The last deleted first."""
        require(request.user, Action.DELETED_GET)
        size = self.params(request, "size").integer("size")
        size = USUAL_SIZE if size is None else size
        if not 1 <= size <= MOST_SHOWN:
            raise InvalidArgument(f"Parameter [size] must be from 1 to {MOST_SHOWN}, was [{size}]")
        found = visible_deleted(request.user)
        clusters = visible_names(request.user)
        shown = [
            as_deleted(one, clusters) for one in found.select_related("team", "deleted_by")[:size]
        ]
        return self.answer({"count": found.count(), "deleted": shown})


class DeletedView(ElasticView):
    def delete(self, request: UserRequest, inference_id: str) -> HttpResponse:
        """Wipe the last one of this id before its time."""
        require(request.user, Action.DELETED_FORGET)
        self.params(request)
        found = deleted.get_deleted(request.user, inference_id, to=Action.DELETED_FORGET)
        deleted.forget(found)
        return self.answer({"acknowledged": True})


class RestoreView(ElasticView):
    def post(self, request: UserRequest, inference_id: str) -> HttpResponse:
        """Bring the last one of this id back; a model that runs here is not ready yet then."""
        require(request.user, Action.RESTORE)
        self.params(request)
        found = deleted.get_deleted(request.user, inference_id, to=Action.RESTORE)
        return self.answer(restore_endpoint(request.user, found).to_response())


def as_deleted(one: DeletedEndpoint, clusters: frozenset[str]) -> dict[str, Any]:
    return {
        "inference_id": one.inference_id,
        "task_type": one.task_type,
        "service": one.service,
        "team": one.team.name if one.team else None,
        "deleted_at": iso(one.deleted_at),
        "deleted_by": one.deleted_by.username if one.deleted_by else None,
        "restorable_until": iso(one.until),
        "used_by": deleted.uses_of(one, clusters).by_kind(),
    }
