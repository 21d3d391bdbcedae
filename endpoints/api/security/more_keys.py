"""The `_console/api_keys` routes: what Elasticsearch's API has no place for."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from pydantic import StrictStr

from endpoints.access import require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.params import parse_duration_s
from endpoints.api.schemas import Body, parse_optional
from endpoints.api.security.keys import epoch_ms, to_response, with_secret
from endpoints.keys import OVERLAP, get_key, rotate_api_key, visible_keys
from endpoints.models import ApiKey
from endpoints.permissions import Action
from inference.errors import InvalidArgument


class RotateBody(Body):
    """overlap: how long the old key goes on working."""

    overlap: StrictStr | None = None

    def duration(self) -> timedelta:
        """Raises InvalidArgument."""
        if self.overlap is None:
            return OVERLAP
        try:
            return timedelta(seconds=parse_duration_s(self.overlap, "overlap"))
        except OverflowError:
            raise InvalidArgument(f"[overlap] is too long: [{self.overlap}]") from None


class KeyListView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        """The keys that the caller may see, of one team where one is named."""
        require(request.user, Action.API_KEY_GET)
        params = self.params(request, "team", "active_only")
        keys = visible_keys(request.user)
        if params.flag("active_only"):
            keys = keys.valid()
        if team := params.text("team", ""):
            keys = keys.in_team(team)
        return self.answer({"api_keys": [shown_key(key) for key in keys.select_related(*BESIDE)]})


class KeyView(ElasticView):
    def get(self, request: UserRequest, key_id: str) -> HttpResponse:
        require(request.user, Action.API_KEY_GET)
        self.params(request)
        return self.answer(shown_key(get_key(request.user, key_id)))


class RotateView(ElasticView):
    def post(self, request: UserRequest, key_id: str) -> HttpResponse:
        require(request.user, Action.API_KEY_ROTATE)
        self.params(request)
        body = parse_optional(RotateBody, request)
        key, secret, old = rotate_api_key(request.user, key_id, body.duration())
        replaced = {"id": old.key_id, "expiration": old.expires_at and epoch_ms(old.expires_at)}
        return self.answer({**with_secret(key, secret), "replaces": replaced})


BESIDE = ("user", "team", "made_by", "replaces", "replaced_by")


def shown_key(key: ApiKey) -> dict[str, Any]:
    """A key as Elasticsearch's API shows it, and what else is known of it."""
    told = to_response(key, has_limits=False)
    if key.made_by:
        told["made_by"] = key.made_by.username
    if key.last_used_at:
        told["last_used"] = epoch_ms(key.last_used_at)
        told["last_used_from"] = key.last_used_from
    if key.replaces:
        told["replaces"] = key.replaces.key_id
    if successor := successor_of(key):
        told["replaced_by"] = successor.key_id
    return told


def successor_of(key: ApiKey) -> ApiKey | None:
    """The key that replaces this one, where it was rotated."""
    successor: ApiKey | None = getattr(key, "replaced_by", None)
    return successor
