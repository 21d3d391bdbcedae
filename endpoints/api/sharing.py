"""The `_console/endpoints/{id}` routes that say who else may use an endpoint, and whose it is."""

from typing import Any

from django.http import HttpResponse
from pydantic import StrictStr

from endpoints import sharing
from endpoints.access import get_endpoint, require_sight
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import Body, parse
from endpoints.models import EndpointShare
from endpoints.permissions import Action
from endpoints.teams import team_to_own


class ShareBody(Body):
    level: StrictStr


class MoveBody(Body):
    team: StrictStr


class ShareListView(ElasticView):
    def get(self, request: UserRequest, inference_id: str) -> HttpResponse:
        require_sight(request.user, Action.GET, Action.SHARE_GET)
        self.params(request)
        endpoint = get_endpoint(request.user, inference_id, to=Action.SHARE_GET)
        shares = [as_share(one) for one in sharing.shares_of(endpoint)]
        owner = endpoint.team.name if endpoint.team else None
        return self.answer({"owner": owner, "count": len(shares), "shares": shares})


class ShareView(ElasticView):
    """team: a name, or `_everyone`."""

    def get(self, request: UserRequest, inference_id: str, team: str) -> HttpResponse:
        require_sight(request.user, Action.GET, Action.SHARE_GET)
        self.params(request)
        endpoint = get_endpoint(request.user, inference_id, to=Action.SHARE_GET)
        return self.answer(as_share(sharing.get_share(endpoint, team)))

    def put(self, request: UserRequest, inference_id: str, team: str) -> HttpResponse:
        require_sight(request.user, Action.GET, Action.SHARE_PUT)
        self.params(request)
        endpoint = get_endpoint(request.user, inference_id, to=Action.SHARE_PUT)
        level = sharing.check_level(parse(ShareBody, request).level)
        others = sharing.team_to_share_with(team)
        return self.answer(as_share(sharing.share(endpoint, others, level)))

    def delete(self, request: UserRequest, inference_id: str, team: str) -> HttpResponse:
        require_sight(request.user, Action.GET, Action.SHARE_DELETE)
        self.params(request)
        endpoint = get_endpoint(request.user, inference_id, to=Action.SHARE_DELETE)
        sharing.unshare(endpoint, sharing.get_share(endpoint, team).team)
        return self.answer({"acknowledged": True})


class MoveView(ElasticView):
    def post(self, request: UserRequest, inference_id: str) -> HttpResponse:
        """Let an endpoint belong to another team, in which the caller could have created it."""
        require_sight(request.user, Action.GET, Action.ENDPOINT_MOVE)
        self.params(request)
        endpoint = get_endpoint(request.user, inference_id, to=Action.ENDPOINT_MOVE)
        team = team_to_own(request.user, Action.PUT, parse(MoveBody, request).team)
        sharing.move_endpoint(endpoint, team)
        return self.answer({"acknowledged": True, "team": team.name})


def as_share(share: EndpointShare) -> dict[str, Any]:
    return {"team": sharing.shared_as(share.team), "level": share.level}
