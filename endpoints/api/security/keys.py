"""API keys: made, shown and revoked."""

import base64
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from pydantic import AliasChoices, Field, StrictBool, StrictInt, StrictStr

from endpoints import actions
from endpoints.access import Action, require, require_all_keys
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.params import parse_duration_s
from endpoints.api.schemas import Body, parse
from endpoints.api.security.grants import ApplicationGrant, IndexGrant, Name
from endpoints.models import ApiKey, User
from endpoints.models.api_key import ApiKeyQuerySet
from inference.errors import InvalidAction, InvalidArgument

MAX_IDS = 10_000
NUL = "\0"


class Restriction(Body):
    workflows: list[StrictStr] = Field(min_length=1)


class RoleDescriptor(Body):
    """One role of a key. What the rest of Elasticsearch would use is kept and shown again."""

    cluster: list[Name] = Field(default_factory=list)
    indices: list[IndexGrant] = Field(
        default_factory=list, validation_alias=AliasChoices("indices", "index")
    )
    applications: list[ApplicationGrant] = Field(default_factory=list)
    run_as: list[StrictStr] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)
    transient_metadata: dict[str, Any] = Field(default_factory=lambda: {"enabled": True})
    restriction: Restriction | None = None
    description: StrictStr | None = None


class CreateKeyBody(Body):
    is_stored = True

    name: StrictStr | None = None
    expiration: StrictStr | StrictInt | None = None
    role_descriptors: dict[str, RoleDescriptor] | None = None
    metadata: dict[str, Any] | None = None

    def roles(self) -> dict[str, Any]:
        described = (self.role_descriptors or {}).items()
        return {name: role.model_dump(exclude_none=True) for name, role in described}

    def expires_at(self) -> datetime | None:
        """Raises InvalidArgument for what is no duration, or ends after the last of the years."""
        if self.expiration is None:
            return None
        text = str(self.expiration)
        if text == "-1":
            return None
        try:
            return timezone.now() + timedelta(seconds=parse_duration_s(text, "expiration"))
        except (OverflowError, ValueError):
            raise InvalidArgument(
                f"failed to parse setting [expiration] with value [{text}] as a time value: "
                "it is too far away"
            ) from None


class InvalidateBody(Body):
    ids: list[StrictStr] | None = Field(None, max_length=MAX_IDS)
    id: StrictStr | None = None
    name: StrictStr | None = None
    owner: StrictBool = False
    username: StrictStr | None = None
    realm_name: StrictStr | None = None

    def selected_ids(self) -> list[str]:
        if self.ids is not None and self.id is not None:
            raise InvalidArgument("Must use either [id] or [ids], not both at the same time")
        if self.ids is not None and not all(self.ids):
            raise InvalidAction(["Field [ids] must not contain blank id"])
        return self.ids or ([self.id] if self.id else [])


class ApiKeyView(ElasticView):
    def post(self, request: UserRequest) -> HttpResponse:
        require(request.user, Action.API_KEY_CREATE)
        self.params(request, "refresh")
        body = parse(CreateKeyBody, request)
        key, secret = actions.create_api_key(
            request.user,
            body.name or "",
            role_descriptors=body.roles(),
            metadata=body.metadata or {},
            expires_at=body.expires_at(),
        )
        answer: dict[str, Any] = {"id": key.key_id, "name": key.name}
        if key.expires_at:
            answer["expiration"] = epoch_ms(key.expires_at)
        encoded = base64.b64encode(f"{key.key_id}:{secret}".encode()).decode()
        return self.answer(answer | {"api_key": secret, "encoded": encoded})

    put = post

    def get(self, request: UserRequest) -> HttpResponse:
        query = request.query_params
        key_id, has_limits = query.get("id", ""), query.get("with_limited_by") in ("", "true")
        # A key may look at itself, whatever else it may do, but not at what its owner may do.
        if not is_itself(request.user, [key_id]) or has_limits:
            require(request.user, Action.API_KEY_GET)
        params = self.params(
            request,
            "id",
            "name",
            "owner",
            "realm_name",
            "username",
            "with_limited_by",
            "active_only",
            "with_profile_uid",
        )
        params.flag("with_profile_uid")
        has_limits, only_active = params.flag("with_limited_by"), params.flag("active_only")
        keys = select(
            request.user,
            Action.API_KEY_GET,
            ids=[key_id] if key_id else [],
            name=query.get("name", ""),
            is_owned=params.flag("owner"),
            username=query.get("username", ""),
            realm=query.get("realm_name", ""),
        )
        if only_active:
            keys = keys.valid()
        shown = [to_response(key, has_limits=has_limits) for key in keys.select_related("user")]
        return self.answer({"api_keys": shown}, 404 if key_id and not shown else 200)

    def delete(self, request: UserRequest) -> HttpResponse:
        require(request.user, Action.API_KEY_INVALIDATE)
        self.params(request)
        body = parse(InvalidateBody, request)
        ids = body.selected_ids()
        username, realm = body.username or "", body.realm_name or ""
        if not (ids or body.name or body.owner or username or realm):
            raise InvalidAction(
                [
                    "One of [api key id(s), api key name, username, realm name] must be specified "
                    "if [owner] flag is false"
                ]
            )
        keys = select(
            request.user,
            Action.API_KEY_INVALIDATE,
            ids=ids,
            name=body.name or "",
            is_owned=body.owner,
            username=username,
            realm=realm,
        )
        if not ids:
            keys = keys.not_invalidated()
        invalidated, before = actions.invalidate_api_keys(keys)
        answer = {
            "invalidated_api_keys": invalidated,
            "previously_invalidated_api_keys": before,
            "error_count": 0,
        }
        is_unknown = bool(ids) and not (invalidated or before)
        return self.answer(answer, 404 if is_unknown else 200)


def select(
    user: User,
    action: Action,
    *,
    ids: list[str],
    name: str,
    is_owned: bool,
    username: str,
    realm: str,
) -> ApiKeyQuerySet:
    """The keys that are meant; all of them where nothing says which.

    Raises InvalidAction for selectors that exclude each other, and Forbidden where keys of
    somebody else could be among those meant and the caller may only see their own.
    """
    if ids and name:
        raise InvalidAction(["only one of [api key id(s), api key name] can be specified"])
    if (ids or name) and (username or realm):
        raise InvalidAction(
            [
                "username or realm name must not be specified when the api key id(s) or "
                "api key name are specified"
            ]
        )
    if is_owned and (username or realm):
        raise InvalidAction(
            ["neither username nor realm-name may be specified when asking for owned API keys"]
        )
    keys: ApiKeyQuerySet = ApiKey.objects.all()
    if NUL in "".join((*ids, name, username, realm)):
        keys = keys.none()  # no column can hold it, and PostgreSQL refuses to compare it
    if is_owned:
        keys = keys.filter(user=user)
    if ids:
        keys = keys.filter(key_id__in=ids)
    if name:
        keys = keys.named(name)
    if username:
        keys = keys.filter(user__username=username)
    if realm:
        keys = keys.of_realm(realm)
    if not is_own(user, ids, is_owner_named=is_owned or username == user.username):
        require_all_keys(user, action)
    return keys


def is_own(user: User, ids: list[str], *, is_owner_named: bool) -> bool:
    """Whether what is asked for can only be the caller's. A key owns no key but itself."""
    if user.acting_key:
        return is_itself(user, ids)
    if is_owner_named:
        return True
    theirs = set(user.api_keys.values_list("key_id", flat=True)) if ids else set()
    return bool(ids) and theirs.issuperset(ids)


def is_itself(user: User, ids: list[str]) -> bool:
    return user.acting_key is not None and ids == [user.acting_key.key_id]


def to_response(key: ApiKey, *, has_limits: bool) -> dict[str, Any]:
    """A key as the API shows it. Its secret is known to nobody."""
    realm, realm_type = key.user.realm
    shown: dict[str, Any] = {
        "id": key.key_id,
        "name": key.name,
        "type": "rest",
        "creation": epoch_ms(key.created_at),
    }
    if key.expires_at:
        shown["expiration"] = epoch_ms(key.expires_at)
    shown["invalidated"] = key.invalidated_at is not None
    if key.invalidated_at:
        shown["invalidation"] = epoch_ms(key.invalidated_at)
    shown |= {
        "username": key.user.username,
        "realm": realm,
        "realm_type": realm_type,
        "metadata": key.metadata,
        "role_descriptors": key.role_descriptors,
    }
    if has_limits:
        shown["limited_by"] = [key.limited_by]
    return shown


def epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
