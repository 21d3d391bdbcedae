"""Teams: who is in them, with which role, and what of theirs is shared with whom."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from endpoints import audit, deleted
from endpoints.access import Forbidden, forbidden
from endpoints.attempts import attempt
from endpoints.indices import problem_with_name
from endpoints.models import (
    DEFAULT_TEAM,
    ApiKey,
    DeletedEndpoint,
    Endpoint,
    EndpointShare,
    EndpointTombstone,
    Membership,
    Team,
    TeamRole,
    User,
)
from endpoints.permissions import Action
from endpoints.revoking import revoke
from endpoints.scopes import scope_of
from endpoints.team_access import may_in, teams_where, unknown_team
from inference.errors import Conflict, InvalidArgument, NotFound, shown

MAX_NAME_LENGTH = 64
MAX_DESCRIPTION_LENGTH = 1000
# In the place of a team's name, which cannot begin like this.
EVERYONE = "_everyone"
# What belongs to a team and has to go to another before the team can go, with what names it.
HELD = {
    "endpoints": "inference_id",
    "models": "model_id",
    "deployments": "deployment_id",
    "clusters": "name",
    "api_keys": "name",
}
# What the audit log calls one of them.
KINDS = {
    "endpoints": "endpoint",
    "models": "model",
    "deployments": "deployment",
    "clusters": "cluster",
    "api_keys": "key",
}
MOST_NAMED = 20


def get_team(name: str) -> Team:
    """Raises NotFound."""
    found = Team.objects.filter(name=name).first()
    if found is None:
        raise unknown_team(name)
    return found


@dataclass(frozen=True)
class ListedTeam:
    """role: that of who looks, where they are a member."""

    team: Team
    member_count: int
    endpoint_count: int
    role: TeamRole | None


def listed(user: User, teams: Sequence[Team]) -> list[ListedTeam]:
    """Some of the teams that somebody sees, with what a list tells of them."""
    members = Membership.objects.filter(team__in=teams).order_by()
    endpoints = Endpoint.objects.filter(team__in=teams).order_by()
    of_all = dict(members.values_list("team").annotate(models.Count("pk")))
    theirs = dict(endpoints.values_list("team").annotate(models.Count("pk")))
    roles = dict(members.filter(user=user.pk).values_list("team", "role"))
    return [
        ListedTeam(
            team,
            of_all.get(team.pk, 0),
            theirs.get(team.pk, 0),
            TeamRole(roles[team.pk]) if team.pk in roles else None,
        )
        for team in teams
    ]


def team_to_own(user: User, action: Action, name: str | None = None) -> Team:
    """The team that something new is to belong to: the one that is named, else the obvious one.

    Obvious is the team of the key that a caller came with, the only team in which they may do
    this, or the first team of the installation for who may do it everywhere. Raises NotFound for
    a team that the caller does not see, Forbidden where they may not do it, and InvalidArgument
    where several teams come into question.
    """
    scope, granted_by = scope_of(user), action.granted_by
    everywhere = scope.site.allow(action, granted_by)
    allowed = [team for team, rights in scope.teams.items() if rights.allow(action, granted_by)]
    if name == DEFAULT_TEAM and everywhere:
        return default_team()
    if name is not None:
        team = get_team(name)
        if everywhere or team.pk in allowed:
            return team
        if team.pk in scope.teams:
            raise Forbidden(f"{forbidden(user, action)} in team [{name}]", action, team.pk)
        raise unknown_team(name)
    if len(allowed) == 1:
        return Team.objects.get(pk=allowed[0])
    if everywhere:
        return default_team()
    if not allowed:
        raise forbidden(user, action)
    names = Team.objects.filter(pk__in=allowed).values_list("name", flat=True)
    raise InvalidArgument(
        f"It could belong to any of the teams [{', '.join(names)}]: name one with the query "
        "parameter [team]"
    )


@transaction.atomic
def default_team() -> Team:
    """The first team of the installation, made when something needs it."""
    team, is_new = Team.objects.get_or_create(name=DEFAULT_TEAM)
    if is_new:
        audit.record("team.create", team.name, team=team)
    return team


@dataclass(frozen=True)
class Owners:
    """names: of the teams that something new may belong to.

    obvious: the one of them that gets it where nobody says; empty where somebody has to.
    """

    names: list[str]
    obvious: str


def owners_for(user: User, action: Action) -> Owners:
    """Whom somebody may make something for, as team_to_own decides it."""
    names = list(teams_where(user, action).values_list("name", flat=True))
    scope, granted_by = scope_of(user), action.granted_by
    allowed = [team for team, rights in scope.teams.items() if rights.allow(action, granted_by)]
    is_everywhere = scope.site.allow(action, granted_by)
    if is_everywhere and DEFAULT_TEAM not in names:
        names.append(DEFAULT_TEAM)  # made when something is to belong to it
    if len(allowed) == 1:
        return Owners(names, Team.objects.get(pk=allowed[0]).name)
    return Owners(names, DEFAULT_TEAM if is_everywhere else "")


def check_owner(what: str, owner: Team | None, name: str | None) -> None:
    """Raises InvalidArgument where a team is named for something that belongs to another."""
    if name is not None and (owner is None or owner.name != name):
        whose = f"team [{owner.name}]" if owner else "no team"
        raise InvalidArgument(f"{what} belongs to {whose}, not to team [{name}]")


@attempt("team.create", on="name")
def create_team(name: str, description: str = "") -> Team:
    """Raises InvalidArgument for what cannot be, Conflict for a name that is taken."""
    check_name(name)
    check_description(description)
    try:
        with transaction.atomic():
            team = Team.objects.create(name=name, description=description)
            audit.record("team.create", name, team=team, after={"description": description})
            return team
    except IntegrityError:
        raise Conflict(f"There is a team [{name}] already") from None


@attempt("team.update", on="team")
@transaction.atomic
def describe_team(team: Team, description: str) -> None:
    """Raises InvalidArgument for a description that is too long."""
    check_description(description)
    if team.description == description:
        return
    before, after = {"description": team.description}, {"description": description}
    team.description = description
    team.save(update_fields=["description", "updated_at"])
    audit.record("team.update", team.name, team=team, before=before, after=after)


def check_name(name: str) -> None:
    """A team is called by the rules for an index. Raises InvalidArgument."""
    problem = problem_with_name(name) if name else "must not be empty"
    if not problem and len(name) > MAX_NAME_LENGTH:
        problem = f"must not be longer than {MAX_NAME_LENGTH} characters"
    if problem:
        raise InvalidArgument(f"Invalid team name [{shown(name)}], {problem}")


def check_description(description: str) -> None:
    if len(description) > MAX_DESCRIPTION_LENGTH:
        raise InvalidArgument(
            f"[description] must not be longer than {MAX_DESCRIPTION_LENGTH} characters"
        )


@dataclass(frozen=True)
class Holding:
    """What a team has of one kind. kind: as in HELD. names: of the first few."""

    kind: str
    count: int
    names: list[str]

    def __str__(self) -> str:
        more = [f"{self.more} more"] if self.more else []
        return f"{self.kind} [{', '.join([*self.names, *more])}]"

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.names)


def things_of(team: Team) -> Iterator[tuple[str, models.QuerySet[Any]]]:
    """What belongs to a team, by kind. Keys that ended already belong to nobody any more."""
    for kind in HELD:
        things = getattr(team, kind)
        yield kind, things.valid() if kind == "api_keys" else things.all()


def counts_of(team: Team) -> dict[str, int]:
    return {kind: things.count() for kind, things in things_of(team)}


def holdings_of(team: Team) -> list[Holding]:
    """Of the kinds of which there is something."""
    found = []
    for kind, things in things_of(team):
        name = HELD[kind]
        if count := things.count():
            names = things.order_by(name).values_list(name, flat=True)[:MOST_NAMED]
            found.append(Holding(kind, count, list(names)))
    return found


@attempt("team.delete", on="team")
@transaction.atomic
def delete_team(team: Team, move_to: Team | None = None) -> None:
    """Remove a team with its memberships, after all that it has went to another one.

    Keys go along: they then act in the other team, as far as their owners may there. Raises
    NotFound where it is gone already, InvalidArgument for a move to itself, and Conflict where
    something belongs to it and is to go nowhere, or service accounts do, which cannot go.
    """
    # Locked, so that nothing can come to belong to it meanwhile.
    stored = Team.objects.select_for_update().filter(pk=team.pk).first()
    if stored is None:
        raise unknown_team(team.name)
    if move_to == stored:
        raise InvalidArgument(f"What belongs to team [{team.name}] cannot stay there")
    if accounts := list(stored.service_accounts.values_list("username", flat=True)):
        raise Conflict(
            f"Team [{team.name}] still has the service accounts [{', '.join(accounts)}], which are "
            "named after it. Delete them first",
            {"holds": {"service_accounts": accounts}},
        )
    if move_to is not None:
        move_everything(stored, move_to)
    elif held := holdings_of(stored):
        raise Conflict(
            f"Team [{team.name}] still has {'; '.join(map(str, held))}. "
            "Delete them, or move them with the query parameter [move_to]",
            {"holds": {holding.kind: holding.names for holding in held}},
        )
    deleted.forget_of(stored)
    before = {"description": stored.description, "members": roles_in(stored)}
    after = {"moved_to": move_to.name} if move_to else None
    audit.record("team.delete", stored.name, before=before, after=after)
    stored.delete()


def move_everything(team: Team, move_to: Team) -> None:
    """With what is left of its deleted endpoints: whose that is, nobody else is told of it."""
    before, after, now = {"team": team.name}, {"team": move_to.name}, timezone.now()
    moved = [(KINDS[kind], str(thing)) for kind, things in things_of(team) for thing in things]
    for kind in HELD:
        getattr(team, kind).update(team=move_to, updated_at=now)
    EndpointTombstone.objects.filter(team=team).update(team=move_to)
    DeletedEndpoint.objects.filter(team=team).update(team=move_to)
    EndpointShare.objects.filter(endpoint__team=move_to, team=move_to).delete()
    for kind, name in moved:
        audit.record(f"{kind}.move", name, team=move_to, before=before, after=after)


def roles_in(team: Team) -> dict[str, str]:
    """The role of each member, by name."""
    return dict(team.memberships.values_list("user__username", "role"))


def check_role(name: str) -> TeamRole:
    """A role that a team can give: none of the site's. Raises InvalidArgument."""
    if name not in TeamRole.values:
        raise InvalidArgument(
            f"Unknown [role] [{shown(name)}]; in a team there are [{', '.join(TeamRole.values)}]"
        )
    return TeamRole(name)


def person_to_add(username: str) -> User:
    """Who can be a member of a team. Raises NotFound."""
    people = User.objects.filter(is_active=True)
    found = people.filter(username=username).first()
    if found is None:
        raise NotFound(f"There is no user [{shown(username)}]")
    return found


def get_membership(team: Team, username: str) -> Membership:
    """Raises NotFound for who is no member, whether there is such a person or not."""
    members = team.memberships.select_related("user")
    found = members.filter(user__username=username).first()
    if found is None:
        raise NotFound(f"[{shown(username)}] is not in team [{team.name}]")
    return found


@attempt("member.put", on="user")
@transaction.atomic
def put_member(team: Team, user: User, role: TeamRole) -> Membership:
    """Let somebody be in a team with this role, whether they were before or not.

    Raises InvalidArgument for a service account, whose team and role are its own, and Conflict
    where nobody would be left to administer the team.
    """
    known = role_in(team, user)
    membership = let_in(team, user, role)
    if known != role:
        before = {"role": known} if known else None
        audit.record("member.put", user.username, team=team, before=before, after={"role": role})
    return membership


def let_in(team: Team, user: User, role: TeamRole) -> Membership:
    """The same for who writes down by themselves how somebody came into the team."""
    if user.is_service_account:
        raise InvalidArgument(f"[{user.username}] is a service account, and no member of any team")
    if role != TeamRole.TEAM_ADMIN:
        check_keeps_administrator(team, user)
    known = Membership.objects.filter(team=team, user=user).first()
    if known and known.role == role:
        return known
    return Membership.objects.update_or_create(team=team, user=user, defaults={"role": role})[0]


def role_in(team: Team, user: User) -> TeamRole | None:
    """None for who is no member."""
    known = Membership.objects.filter(team=team, user=user).first()
    return TeamRole(known.role) if known else None


@attempt("member.remove", on="user")
@transaction.atomic
def remove_member(team: Team, user: User) -> None:
    """Gone already is success. The keys that somebody has in the team end with it.

    Raises Conflict where nobody would be left to administer the team.
    """
    check_keeps_administrator(team, user)
    known = role_in(team, user)
    Membership.objects.filter(team=team, user=user).delete()
    revoke(ApiKey.objects.filter(team=team, user=user), "its owner is no longer in the team")
    if known:
        audit.record("member.remove", user.username, team=team, before={"role": known})


def check_keeps_administrator(team: Team, without: User) -> None:
    """A team that had an administrator keeps one. Locks them, so that two cannot go at once."""
    administrators = Membership.objects.select_for_update(of=("self",)).filter(
        team=team, role=TeamRole.TEAM_ADMIN, user__is_active=True
    )
    left = {membership.user_id for membership in administrators}
    if left == {without.pk}:
        raise Conflict(
            f"[{without.username}] is the last administrator of team [{team.name}]; "
            "let somebody else administer it first"
        )


def may_remove(actor: User, membership: Membership) -> bool:
    """Whether somebody may end this membership: their own in person, but not by a key of theirs."""
    is_own = membership.user_id == actor.pk and actor.acting_key is None
    return is_own or may_in(actor, Action.MEMBER_REMOVE, membership.team)
