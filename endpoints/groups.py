"""What the groups of a directory are worth here. Plain, without the database."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from endpoints.privileges import BUILTIN_ROLES, TEAM_ROLES

logger = logging.getLogger(__name__)

RANKS = tuple(TEAM_ROLES)  # each includes those before it


def _known_in(roles: Collection[str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in roles:
            raise ValueError(f"there are the roles {', '.join(roles)}")
        return name

    return AfterValidator(check)


class Grant(BaseModel):
    """A role in a team, roles of the site, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    team: str | None = Field(default=None, min_length=1, max_length=64)
    role: Annotated[str, _known_in(TEAM_ROLES)] | None = None
    roles: list[Annotated[str, _known_in(BUILTIN_ROLES)]] = []

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.team is None) != (self.role is None):
            raise ValueError("team and role come together")
        if self.team is None and not self.roles:
            raise ValueError("it grants nothing: give team and role, or roles")
        return self


@dataclass(frozen=True)
class Granted:
    """What somebody's groups give them: a role in each of some teams, and roles of the site."""

    teams: Mapping[str, str]
    roles: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.teams or self.roles)


NOTHING = Granted({}, frozenset())
GroupMap = Mapping[str, Sequence[Grant]]
_one_or_more = BeforeValidator(lambda given: given if isinstance(given, list) else [given])
_mapping = TypeAdapter(dict[str, Annotated[list[Grant], Field(min_length=1), _one_or_more]])


def read_mapping(text: str) -> GroupMap:
    """Read a JSON object that maps groups to what they give: one grant, or a list of them.

    Raises ValueError, with the place.
    """
    try:
        return _mapping.validate_json(text or "{}")
    except ValidationError as exc:
        problem = exc.errors()[0]
        place = ", ".join(part for part in problem["loc"] if isinstance(part, str))
        what = problem["msg"].removeprefix("Value error, ")
        raise ValueError(f"[{place}]: {what}" if place else what) from exc


def granted(groups: Collection[str], mapping: GroupMap) -> Granted:
    """What these groups give together: in each team the highest role. Names must be the same."""
    teams: dict[str, str] = {}
    roles: set[str] = set()
    for group, grants in mapping.items():
        if group not in groups:
            continue
        for grant in grants:
            roles.update(grant.roles)
            if grant.team and grant.role:
                held = teams.get(grant.team, grant.role)
                teams[grant.team] = max(held, grant.role, key=RANKS.index)
    return Granted(teams, frozenset(roles))


def groups_in(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    """The groups that a claim names; none where it is missing or of no use.

    claim: its name, or a path with dots between the names, such as `realm_access.roles`.
    """
    said = claims.get(claim)
    if said is None:
        said = _at_path(claims, claim)
    if isinstance(said, str):
        said = [said]
    if said is not None and not isinstance(said, list):
        logger.warning("The claim [%s] is no list of groups, but %s", claim, type(said).__name__)
    if not isinstance(said, list):
        return frozenset()
    return frozenset(group for group in said if isinstance(group, str))


def _at_path(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
