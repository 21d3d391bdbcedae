"""Who may see, invite and change whom; the API and the pages ask here.

Who may do it everywhere sees everybody. Administrators of a team see who is in it and invite
into it, and nobody gives to others, or takes over by a new password, more than they have.
"""

from collections.abc import Collection

from django.db.models import QuerySet

from endpoints.access import (
    Forbidden,
    Unseen,
    forbidden,
    forbidden_in,
    forbidden_on_site,
    require,
)
from endpoints.models import Invitation, Membership, Team, User
from endpoints.models.link import InvitationQuerySet
from endpoints.permissions import Action
from endpoints.privileges import BUILTIN_ROLES, Rights, Roles, builtin_roles
from endpoints.scopes import scope_of, team_role
from endpoints.team_access import teams_where, unknown_team
from inference.errors import NotFound


def may_everywhere(user: User, action: Action) -> bool:
    return scope_of(user).site.allow(action, action.granted_by)


def administered_teams(user: User) -> QuerySet[Team]:
    """Those whose people somebody may see and to which they may invite."""
    return teams_where(user, Action.TEAM_PEOPLE)


def visible_people(user: User, to: Action = Action.PERSON_GET) -> QuerySet[User]:
    """Those whom somebody may see, to do something with them.

    Raises Forbidden for who may see nobody, in words for what they want.
    """
    if may_everywhere(user, Action.PERSON_GET):
        return User.objects.filter(service_team=None)
    teams = list(administered_teams(user).values_list("pk", flat=True))
    if not teams:
        raise forbidden(user, to)
    return User.objects.filter(
        service_team=None, pk__in=Membership.objects.filter(team__in=teams).values("user")
    )


def visible_memberships(user: User) -> QuerySet[Membership]:
    """What somebody may know of who is in which team."""
    memberships = Membership.objects.select_related("team", "user")
    if may_everywhere(user, Action.PERSON_GET):
        return memberships
    return memberships.filter(team__in=administered_teams(user))


def require_to_invite(user: User) -> None:
    """Let pass who may invite people here or into some team. Raises Forbidden."""
    if not may_everywhere(user, Action.PERSON_INVITE):
        require(user, Action.TEAM_PEOPLE)


def visible_invitations(user: User) -> InvitationQuerySet:
    """Those that somebody may withdraw and renew: all, or those to a role in a team of theirs."""
    invitations = Invitation.objects.select_related("team", "made_by")
    if may_everywhere(user, Action.PERSON_INVITE):
        return invitations
    return invitations.filter(team__in=administered_teams(user), roles=[])


def get_person(user: User, username: str, *, to: Action = Action.PERSON_GET) -> User:
    """Somebody by name, to do something with them.

    Raises NotFound where the user may not see them, Forbidden where they may not do this, or
    where it would give them what only the other one has.
    """
    people = visible_people(user, to)
    person = people.filter(username=username).first()
    if person is None:
        unknown = f"There is no user [{username}]"
        if User.objects.filter(username=username).exists():
            raise Unseen(unknown, to, None)
        raise NotFound(unknown)
    if to != Action.PERSON_GET:
        if not may_everywhere(user, to):
            raise forbidden_on_site(user, to)
        check_outranks(user, person)
    return person


def get_invitation(user: User, link_id: str) -> Invitation:
    """Raises Forbidden for who may not invite, NotFound for one that is not theirs to change."""
    require_to_invite(user)
    found = visible_invitations(user).filter(link_id=link_id).first() if link_id.isalnum() else None
    if found is None:
        raise NotFound(f"There is no invitation [{link_id}]")
    return found


def team_to_invite_to(user: User, name: str) -> Team:
    """Raises NotFound for a team that the user does not see, Forbidden where they only see it."""
    team = Team.objects.filter(name=name).first()
    is_seen = team is not None and (
        may_everywhere(user, Action.TEAM_PEOPLE) or team.pk in scope_of(user).teams
    )
    if team is None or not is_seen:
        raise unknown_team(name)
    if not scope_of(user).in_team(team.pk).allow(Action.TEAM_PEOPLE, Action.TEAM_PEOPLE.granted_by):
        raise forbidden_in(user, Action.TEAM_PEOPLE, team)
    return team


def check_may_invite(
    user: User, roles: Collection[str], team: Team | None = None, role: str = ""
) -> None:
    """Let pass who may let somebody in with these roles of the site and this one in a team.

    Raises Forbidden.
    """
    if roles or team is None:
        if not may_everywhere(user, Action.PERSON_INVITE):
            raise forbidden_on_site(user, Action.PERSON_INVITE)
    elif team not in administered_teams(user):
        raise forbidden_in(user, Action.TEAM_PEOPLE, team)
    check_may_give(user, roles)
    if team:
        check_may_give_in(user, team, role)


def check_may_give_in(user: User, team: Team, role: str) -> None:
    """Nobody gives a role in a team that allows more than they may do there. Raises Forbidden."""
    if not includes_all(scope_of(user).in_team(team.pk), team_role(role)):
        raise Forbidden(f"The role [{role}] allows more than [{user.username}] may do")


def check_may_give(user: User, roles: Collection[str]) -> None:
    """Nobody gives a role of the site that allows more than they may do. Raises Forbidden."""
    if more := set(roles).difference(givable_roles(user)):
        raise Forbidden(
            f"The roles [{','.join(sorted(more))}] allow more than [{user.username}] may do"
        )


def givable_roles(user: User) -> list[str]:
    """The roles of the site that somebody may give."""
    site = scope_of(user).site
    return [name for name in BUILTIN_ROLES if includes_all(site, builtin_roles([name]))]


def check_outranks(user: User, person: User) -> None:
    """Nobody takes over who may do more than they. Raises Forbidden."""
    check_may_give(user, person.role_names)
    for membership in Membership.objects.filter(user=person):
        held = scope_of(user).in_team(membership.team_id)
        if not includes_all(held, team_role(membership.role)):
            raise Forbidden(f"[{person.username}] may do more than [{user.username}]")


def includes_all(held: Rights, roles: Roles) -> bool:
    return all(held.include(one) for role in roles.values() for one in role["cluster"])
