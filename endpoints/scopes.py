"""Where a caller may do what: everywhere by their own roles, in a team by their role there."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from endpoints.models import ApiKey, Membership, User
from endpoints.privileges import TEAM_ROLES, Rights, Roles, builtin_roles

NOTHING = Rights(({},))


class Scope:
    """Of one caller, for one request. Memberships are read when something asks for them."""

    def __init__(self, user: User) -> None:
        self._user = user

    @cached_property
    def site(self) -> Rights:
        """What holds everywhere."""
        key = self._user.acting_key
        if key is None:
            return Rights((builtin_roles(self._user.role_names),))
        return NOTHING if key.team_id else Rights(layers_of(key))

    @cached_property
    def teams(self) -> Mapping[int, Rights]:
        """What holds in each team, by its primary key: with what holds everywhere."""
        own, key = builtin_roles(self._user.role_names), self._user.acting_key
        if key and key.team_id is None:
            return {}
        memberships = Membership.objects.filter(user=self._user.pk)
        if key:
            memberships = memberships.filter(team=key.team_id)
        roles = dict(memberships.values_list("team", "role"))
        if key and key.team_id and own:
            roles.setdefault(key.team_id, "")
        layers = layers_of(key) if key else ()
        return {team: Rights((*layers, {**own, **team_role(role)})) for team, role in roles.items()}

    def rights(self) -> Iterator[Rights]:
        """All that there are, those that cost nothing first."""
        yield self.site
        yield from self.teams.values()

    def shared_with(self, team: int | None) -> Iterator[Rights]:
        """What holds by a share with a team, or with everybody."""
        if team is None:
            yield from self.rights()
        elif team in self.teams:
            yield self.teams[team]

    def in_team(self, team: int | None) -> Rights:
        """What holds for what belongs to a team, or to nobody."""
        return self.site if team is None else self.teams.get(team, self.site)


def team_role(name: str) -> Roles:
    """A role in a team as the API writes roles."""
    return {f"team:{name}": TEAM_ROLES[name]} if name in TEAM_ROLES else {}


def layers_of(key: ApiKey) -> tuple[Roles, ...]:
    """What a key had when it was made, and what it was given of that."""
    if key.role_descriptors:
        return key.limited_by, key.role_descriptors
    return (key.limited_by,)


def scope_of(user: User) -> Scope:
    """Kept with the user, which is read anew for every request."""
    found: Scope | None = getattr(user, "_scope", None)
    if found is None or found._user.acting_key is not user.acting_key:
        found = user._scope = Scope(user)  # type: ignore[attr-defined]  # ours alone
    return found
