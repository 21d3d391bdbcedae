"""API keys: made, found, rotated and revoked, for the API and the pages alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from endpoints import audit
from endpoints.access import (
    ALL_KEYS,
    Forbidden,
    Unseen,
    forbidden,
    may,
    teams_whose_keys,
    visible_endpoints,
)
from endpoints.accounts import get_account
from endpoints.attempts import attempt
from endpoints.models import ApiKey, Endpoint, Team, User
from endpoints.models.api_key import ApiKeyQuerySet
from endpoints.models.base import iso
from endpoints.permissions import Action
from endpoints.privileges import (
    Roles,
    check_cluster_privileges,
    check_index_privileges,
    granted,
    is_empty,
)
from endpoints.revoking import revoke
from endpoints.scopes import roles_in, scope_of
from endpoints.teams import team_to_own
from inference.errors import Conflict, InvalidAction, InvalidArgument, NotFound, shown
from inference.types import TaskType

MAX_NAME_LENGTH = 256
MOST_PATTERNS, MAX_PATTERN_LENGTH = 100, 256
MOST_REQUESTS_PER_MINUTE = 1_000_000
PATTERN = re.compile(r"[a-z0-9_.\-*?]+")
# What a key is most often for, by the roles that it is then given.
PRESETS: dict[str, Roles] = {
    "call": {"call_endpoints": granted("monitor_inference")},
    "manage": {"manage_endpoints": granted("manage_inference")},
}
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)


@dataclass(frozen=True)
class Narrowing:
    """What a key works for, where that is less than its rights allow.

    tasks: task types; endpoints: patterns of ids, in which `*` stands for any characters and `?`
    for one. Empty for all of them. requests_per_minute: None for as many as there are.
    """

    tasks: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    requests_per_minute: int | None = None

    def check(self) -> None:
        """Raises InvalidArgument."""
        known = [str(task) for task in TaskType]
        if unknown := [task for task in self.tasks if task not in known]:
            raise InvalidArgument(
                f"[tasks] has unknown task types [{shown(', '.join(unknown))}]; "
                f"there are [{', '.join(known)}]"
            )
        if len(self.endpoints) > MOST_PATTERNS:
            raise InvalidArgument(f"[endpoints] may have {MOST_PATTERNS} patterns at most")
        for pattern in self.endpoints:
            if not PATTERN.fullmatch(pattern) or len(pattern) > MAX_PATTERN_LENGTH:
                raise InvalidArgument(
                    f"[endpoints] has [{shown(pattern)}], which fits no endpoint: a pattern is "
                    f"made of a-z, 0-9, hyphens, underscores, dots, * and ?, "
                    f"{MAX_PATTERN_LENGTH} at most"
                )
        limit = self.requests_per_minute
        if limit is not None and not 1 <= limit <= MOST_REQUESTS_PER_MINUTE:
            raise InvalidArgument(
                f"[requests_per_minute] must be from 1 to {MOST_REQUESTS_PER_MINUTE}, not [{limit}]"
            )

    def columns(self) -> dict[str, Any]:
        return {
            "tasks": list(dict.fromkeys(self.tasks)),
            "endpoints": list(dict.fromkeys(self.endpoints)),
            "requests_per_minute": self.requests_per_minute,
        }


@attempt("key.create", on="name")
@transaction.atomic
def create_api_key(
    user: User,
    name: str,
    *,
    role_descriptors: Roles | None = None,
    metadata: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
    team: str | None = None,
    account: str | None = None,
    narrowing: Narrowing | None = None,
) -> tuple[ApiKey, str]:
    """Make a key that can do what its owner can do now, or less where roles are given for it.

    account: the service account that it is for; None: for the user. team: where it is to work;
    None: where the account is, else everywhere for whoever may have such a key, else in the only
    team that comes into question. A key of a team never does more than its owner may do there at
    the time. Raises InvalidAction for a bad name or bad metadata, InvalidArgument for an unknown
    privilege, a bad narrowing, and a key made with a key that would be able to do something, and
    NotFound or Forbidden for a team or an account that is not the user's to give a key to.
    """
    roles, narrowing = role_descriptors or {}, narrowing or Narrowing()
    check_key(name, metadata or {})
    check_roles(roles)
    narrowing.check()
    maker = user.acting_key
    if maker and not (roles and all(is_empty(role) for role in roles.values())):
        raise is_derived()
    owner, of_team = _owner(user, team, account)
    key, secret = ApiKey.issue(
        owner,
        name,
        limited_by=maker.limited_by if maker else roles_in(owner, of_team.pk if of_team else None),
        role_descriptors=roles,
        metadata=metadata or {},
        expires_at=expires_at,
        team=of_team,
        made_by=user if user.pk else None,
        **narrowing.columns(),
    )
    audit.record("key.create", key.key_id, team=of_team, after=told_of(key))
    return key, secret


def is_derived() -> InvalidArgument:
    return InvalidArgument(
        "creating derived api keys requires an explicit role descriptor that is empty "
        "(has no privileges)"
    )


def _owner(user: User, team: str | None, account: str | None) -> tuple[User, Team | None]:
    """Whose a new key is to be, and where it is to work."""
    if account is not None:
        found = get_account(user, account)
        home = found.service_team
        if not scope_of(user).in_team(found.service_team_id).allow(Action.API_KEY_CREATE, ALL_KEYS):
            raise Forbidden(f"{forbidden(user, Action.API_KEY_CREATE)} in team [{home}]")
        if team is not None and home is not None and team != home.name:
            raise InvalidArgument(f"The service account [{account}] is in team [{home}] only")
        return found, home
    action = Action.API_KEY_CREATE
    # For people who may make no key themselves the shell makes them one.
    has_site_key = scope_of(user).site.allow(action, action.granted_by) or not may(user, action)
    if team is None and has_site_key:
        return user, None
    return user, team_to_own(user, action, team)


def check_key(name: str, metadata: Mapping[str, Any]) -> None:
    problems = []
    if not name.strip():
        problems.append("api key name is required")
    if len(name) > MAX_NAME_LENGTH:
        problems.append(f"api key name may not be more than {MAX_NAME_LENGTH} characters long")
    if name.strip() and name != name.strip():
        problems.append("api key name may not begin or end with whitespace")
    if name.startswith("_"):
        problems.append("api key name may not begin with an underscore")
    if any(field.startswith("_") for field in metadata):
        problems.append("API key metadata keys may not start with [_]")
    if problems:
        raise InvalidAction(problems)


def check_roles(roles: Roles) -> None:
    """Raises InvalidArgument for a privilege that does not exist."""
    for role in roles.values():
        check_cluster_privileges(role.get("cluster", ()))
        for grant in role.get("indices", ()):
            check_index_privileges(grant["privileges"])


def visible_keys(user: User, action: Action = Action.API_KEY_GET) -> ApiKeyQuerySet:
    """Keys that somebody may do this to: their own, and those of teams that they administer.

    Who comes with a key has no other as their own.
    """
    teams, key = teams_whose_keys(user, action), user.acting_key
    if teams is None:
        return ApiKey.objects.all()
    own = models.Q(pk=key.pk) if key else models.Q(user=user)
    return ApiKey.objects.filter(own | models.Q(team__in=teams))


def get_key(user: User, key_id: str, action: Action = Action.API_KEY_GET) -> ApiKey:
    """A key that somebody may do this to. Raises NotFound."""
    keys = visible_keys(user, action).select_related("user", "team", "made_by", "replaces")
    found = keys.filter(key_id=key_id).first()
    if found is None:
        unknown = f"There is no API key [{shown(key_id)}]"
        hidden = ApiKey.objects.filter(key_id=key_id).first()
        raise Unseen(unknown, action, hidden.team_id) if hidden else NotFound(unknown)
    return found


def may_rotate(user: User, key: ApiKey) -> bool:
    """Whether somebody may have the secret of a key's successor.

    That of a person only they themselves: whoever had it would act in their name.
    """
    if user.acting_key:
        return False
    if key.user_id == user.pk:
        return True
    teams = teams_whose_keys(user, Action.API_KEY_ROTATE)
    return key.user.is_service_account and (teams is None or key.team_id in teams)


def check_may_rotate(user: User, key: ApiKey) -> None:
    """Raises Forbidden."""
    if not may_rotate(user, key):
        raise Forbidden(
            f"{forbidden(user, Action.API_KEY_ROTATE)}; API key [{key.key_id}] is that of "
            f"[{key.user.username}], who alone can rotate it"
        )


@attempt("key.rotate", on="key_id")
@transaction.atomic
def rotate_api_key(
    user: User, key_id: str, overlap: timedelta = OVERLAP
) -> tuple[ApiKey, str, ApiKey]:
    """Make a key with the same rights and the same lifetime, and let the old one end.

    Returns the new one, its secret, and the old one, which works until the overlap is over. Raises
    NotFound, Forbidden for a key of somebody else, InvalidArgument for an overlap that is too long
    and for who comes with a key, and Conflict where the key works no longer, was rotated before,
    or was made when its owner could do more than now.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise InvalidArgument(f"[overlap] may be {LONGEST_OVERLAP.days}d at most")
    found = get_key(user, key_id, Action.API_KEY_ROTATE)
    if user.acting_key:
        raise is_derived()
    check_may_rotate(user, found)
    old = (
        ApiKey.objects.select_for_update(of=("self",))
        .select_related("user", "team")
        .get(pk=found.pk)
    )
    check_can_rotate(old)
    now = timezone.now()
    key, secret = ApiKey.issue(
        old.user,
        old.name,
        limited_by=old.limited_by,
        role_descriptors=old.role_descriptors,
        metadata=old.metadata,
        expires_at=old.expires_at and now + (old.expires_at - old.created_at),
        team=old.team,
        made_by=user if user.pk else None,
        replaces=old,
        **narrowing_of(old).columns(),
    )
    before = told_of(old)
    ends_at = now + overlap
    old.expires_at = min(old.expires_at, ends_at) if old.expires_at else ends_at
    old.save(update_fields=["expires_at", "updated_at"])
    audit.record("key.rotate", old.key_id, team=old.team, before=before, after=told_of(old))
    audit.record("key.create", key.key_id, team=key.team, after=told_of(key))
    return key, secret, old


def check_can_rotate(key: ApiKey) -> None:
    """Raises Conflict."""
    if not key.is_valid:
        raise Conflict(f"API key [{key.key_id}] works no longer; make a new one")
    if successor := ApiKey.objects.filter(replaces=key).first():
        raise Conflict(f"API key [{key.key_id}] was rotated already; [{successor}] replaces it")
    # The rights of a key in a team are held against its owner's at every call.
    if key.team_id is None and not set(key.limited_by) <= set(roles_in(key.user, None)):
        raise Conflict(
            f"API key [{key.key_id}] was made when [{key.user.username}] could do more than now; "
            "make a new one"
        )


def invalidate_api_keys(keys: ApiKeyQuerySet) -> tuple[list[str], list[str]]:
    """Revoke these keys at once. Returns the ids of those, and of those that were before."""
    found = list(keys.values_list("key_id", flat=True))
    with transaction.atomic():
        revoked = revoke(keys)
    return revoked, [key_id for key_id in found if key_id not in revoked]


def endpoints_within(
    user: User, team: str | None, narrowing: Narrowing, most: int
) -> tuple[list[Endpoint], int]:
    """The first of what somebody sees and a key would work for, in a team or everywhere.

    And how many there are of it in all.
    """
    endpoints = visible_endpoints(user)
    if team is not None:
        named = Team.objects.filter(name=team).values_list("pk", flat=True)
        endpoints = endpoints.of_teams(list(named))
    endpoints = endpoints.own_first()
    key = ApiKey(tasks=list(narrowing.tasks), endpoints=list(narrowing.endpoints))
    if not key.is_narrowed:
        return list(endpoints[:most]), endpoints.count()
    known = endpoints.values_list("pk", "inference_id", "task_type")
    reached = [pk for pk, *names in known if key.reaches(*names)]
    return list(endpoints.filter(pk__in=reached[:most])), len(reached)


def narrowing_of(key: ApiKey) -> Narrowing:
    return Narrowing(tuple(key.tasks), tuple(key.endpoints), key.requests_per_minute)


def told_of(key: ApiKey) -> dict[str, Any]:
    """What the audit log tells of a key."""
    return {
        "name": key.name,
        "owner": key.user.username,
        "expires_at": key.expires_at and iso(key.expires_at),
        "role_descriptors": key.role_descriptors,
        **narrowing_of(key).columns(),
    }
