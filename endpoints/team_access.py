"""Who sees which team, and what they may do in it."""

from django.db.models import QuerySet

from endpoints.access import Unseen, allowed_teams, forbidden_in, require_sight
from endpoints.models import Team, User
from endpoints.permissions import Action
from endpoints.scopes import scope_of
from inference.errors import NotFound, shown


def may_in(user: User, action: Action, team: Team) -> bool:
    """Whether somebody may do this with what belongs to a team, or with the team itself."""
    scope = scope_of(user)
    rights = scope.in_team(team.pk) if action.is_of_teams else scope.site
    return rights.allow(action, action.granted_by)


def teams_where(user: User, action: Action = Action.TEAM_GET) -> QuerySet[Team]:
    """The teams in which somebody may do this; those that they may see unless told otherwise."""
    allowed = allowed_teams(user, action)
    return Team.objects.all() if allowed is None else Team.objects.filter(pk__in=allowed)


def get_visible_team(user: User, name: str, *, to: Action = Action.TEAM_GET) -> Team:
    """The team of this name, to do something with it.

    Raises NotFound where the user may not see it, Forbidden where they may not do this with it.
    """
    found = get_seen_team(user, name, to)
    if not may_in(user, to, found):
        raise forbidden_in(user, to, found)
    return found


def get_seen_team(user: User, name: str, to: Action) -> Team:
    """The same where whether the user may do this is for the caller to find out."""
    require_sight(user, Action.TEAM_GET, to)
    found = Team.objects.filter(name=name).first()
    if found is None:
        raise unknown_team(name)
    if not may_in(user, Action.TEAM_GET, found):
        raise Unseen(str(unknown_team(name)), to, found.pk)
    return found


def unknown_team(name: str) -> NotFound:
    return NotFound(f"There is no team [{shown(name)}]")
