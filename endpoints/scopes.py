"""Where a caller may do what: everywhere by their own roles, in a team by their role there."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from endpoints.models import ApiKey, Membership, User
from endpoints.privileges import ON_ENDPOINTS, TEAM_ROLES, Rights, Roles, builtin_roles


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
        return Rights(({},) if key.team_id else layers_of(key))

    @cached_property
    def teams(self) -> Mapping[int, Rights]:
        """What holds in each team, by its primary key: with what holds everywhere."""
        own, key = builtin_roles(self._user.role_names), self._user.acting_key
        if key and key.team_id is None:
            return {}
        roles = roles_by_team(self._user, key.team_id if key else None)
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


def roles_by_team(user: User, team: int | None = None) -> dict[int, str]:
    """The name of somebody's role in each team, or in this one only."""
    if (home := user.service_team_id) is not None:
        return {home: user.service_role} if team in (None, home) else {}
    memberships = Membership.objects.filter(user=user.pk)
    if team is not None:
        memberships = memberships.filter(team=team)
    return dict(memberships.values_list("team", "role"))


def roles_in(user: User, team: int | None) -> Roles:
    """The roles that somebody has everywhere and in this team, whatever key they came with."""
    own = builtin_roles(user.role_names)
    return own if team is None else {**own, **team_role(roles_by_team(user, team).get(team, ""))}


def team_role(name: str) -> Roles:
    """A role in a team as the API writes roles."""
    return {f"team:{name}": TEAM_ROLES[name]} if name in TEAM_ROLES else {}


def layers_of(key: ApiKey) -> tuple[Roles, ...]:
    """What a key's owner had when it was made, what it was given of that, and where it holds."""
    layers = [key.limited_by]
    if key.role_descriptors:
        layers.append(key.role_descriptors)
    if key.is_narrowed:
        layers.append(ON_ENDPOINTS)
    return tuple(layers)


def scope_of(user: User) -> Scope:
    """Kept with the user, which is read anew for every request."""
    found: Scope | None = getattr(user, "_scope", None)
    if found is None or found._user.acting_key is not user.acting_key:
        found = user._scope = Scope(user)  # type: ignore[attr-defined]  # ours alone
    return found
