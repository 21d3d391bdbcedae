"""API keys: made, shown and revoked."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from pydantic import AliasChoices, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from endpoints.access import forbidden, require, teams_whose_keys
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.params import parse_duration_s
from endpoints.api.schemas import Body, parse
from endpoints.api.security.grants import ApplicationGrant, IndexGrant, Name
from endpoints.keys import (
    Narrowing,
    create_api_key,
    invalidate_api_keys,
    narrowing_of,
    visible_keys,
)
from endpoints.models import ApiKey, User
from endpoints.models.api_key import ApiKeyQuerySet
from endpoints.permissions import Action
from inference.errors import InvalidAction, InvalidArgument, shown

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


class ConsoleSettings(Body):
    """What a key has here beyond Elasticsearch's: whose it is, where it works, and how often.

    It travels below `metadata`, where Elasticsearch's clients let everything pass.
    """

    team: StrictStr | None = None
    service_account: StrictStr | None = None
    tasks: list[StrictStr] = Field(default_factory=list)
    endpoints: list[StrictStr] = Field(default_factory=list)
    requests_per_minute: StrictInt | None = None

    @property
    def narrowing(self) -> Narrowing:
        return Narrowing(tuple(self.tasks), tuple(self.endpoints), self.requests_per_minute)


class KeyMetadata(Body):
    model_config = ConfigDict(extra="allow")

    console: ConsoleSettings = Field(default_factory=ConsoleSettings)


class CreateKeyBody(Body):
    is_stored = True

    name: StrictStr | None = None
    expiration: StrictStr | StrictInt | None = None
    role_descriptors: dict[str, RoleDescriptor] | None = None
    metadata: KeyMetadata | None = None

    @property
    def console(self) -> ConsoleSettings:
        return self.metadata.console if self.metadata else ConsoleSettings()

    def team(self, in_query: str | None) -> str | None:
        """The team that the body or the query names. Raises InvalidArgument for two teams."""
        in_body = self.console.team
        if in_body is not None and in_query not in (None, in_body):
            raise InvalidArgument(
                f"the query parameter [team] names [{shown(in_query)}], and "
                f"[metadata.console.team] another"
            )
        return in_body if in_query is None else in_query

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
        params = self.params(request, "refresh", "team")
        body = parse(CreateKeyBody, request)
        key, secret = create_api_key(
            request.user,
            body.name or "",
            role_descriptors=body.roles(),
            metadata=(body.metadata and body.metadata.model_extra) or {},
            expires_at=body.expires_at(),
            team=body.team(params.text("team", None)),
            account=body.console.service_account,
            narrowing=body.console.narrowing,
        )
        return self.answer(with_secret(key, secret))

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
            "team",
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
        if team := query.get("team", ""):
            keys = keys.in_team(team)
        found = keys.select_related("user", "team")
        listed = [to_response(key, has_limits=has_limits) for key in found]
        return self.answer({"api_keys": listed}, 404 if key_id and not listed else 200)

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
        invalidated, before = invalidate_api_keys(keys)
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
    """The keys that are meant; where nothing says which, all that the caller may do this to.

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
    if not is_own(user, ids, is_owner_named=is_owned or username == user.username) and (
        teams_whose_keys(user, action) == []
    ):
        raise forbidden(user, action)
    keys = visible_keys(user, action)
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


def with_secret(key: ApiKey, secret: str) -> dict[str, Any]:
    """A new key as the API shows it, this once."""
    answer: dict[str, Any] = {"id": key.key_id, "name": key.name}
    if key.expires_at:
        answer["expiration"] = epoch_ms(key.expires_at)
    return answer | {"api_key": secret, "encoded": key.encoded(secret)}


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
        "metadata": {**key.metadata, **console_settings(key)},
        "role_descriptors": key.role_descriptors,
    }
    if has_limits:
        shown["limited_by"] = [key.limited_by]
    return shown


def console_settings(key: ApiKey) -> dict[str, Any]:
    """What was asked for below `metadata.console`, as far as there is something to tell."""
    told = narrowing_of(key).columns()
    if key.team:
        told["team"] = key.team.name
    if key.user.is_service_account:
        told["service_account"] = key.user.username
    known = {name: value for name, value in told.items() if value}
    return {"console": known} if known else {}


def epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
