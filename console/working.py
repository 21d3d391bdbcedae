"""The team that somebody works in: chosen in the head of each page, and kept in the session.

It only filters and suggests: what somebody may do is asked of endpoints.access all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from console.http import HtmxRequest
from endpoints.access import allowed_teams
from endpoints.models import Team
from endpoints.permissions import Action
from endpoints.team_access import get_visible_team, teams_where
from endpoints.teams import Owners, owners_for

SESSION_KEY = "team"


@dataclass(frozen=True)
class Working:
    """teams: those that somebody sees. chosen: the one they work in; None for all of them.

    is_alone: there is no second team, and whoever looks would see it.
    """

    teams: tuple[Team, ...] = ()
    chosen: Team | None = None
    is_alone: bool = False

    @property
    def choices(self) -> list[tuple[str, bool]]:
        """The names of these teams, each with whether it is the chosen one."""
        return [(team.name, team == self.chosen) for team in self.teams]

    @property
    def has_choice(self) -> bool:
        return len(self.teams) > 1


def working(request: HtmxRequest) -> Working:
    """Asked once a request. A team that is gone, or that somebody left, is chosen no more."""
    known: Working | None = getattr(request, "_working", None)
    if known is None:
        teams = tuple(teams_where(request.user).only("name"))
        wanted = request.session.get(SESSION_KEY)
        chosen = next((team for team in teams if team.pk == wanted), None)
        is_alone = len(teams) < 2 and allowed_teams(request.user, Action.TEAM_GET) is None
        known = request._working = Working(teams, chosen, is_alone)  # type: ignore[attr-defined]  # ours
    return known


def work_in(request: HtmxRequest, name: str) -> None:
    """Choose a team, or all of them by an empty name. Raises NotFound for one that is not seen."""
    if name:
        request.session[SESSION_KEY] = get_visible_team(request.user, name).pk
    else:
        request.session.pop(SESSION_KEY, None)


def owners(request: HtmxRequest) -> Owners:
    """Whom a new endpoint may belong to, first of all the team that somebody works in."""
    found = owners_for(request.user, Action.PUT)
    chosen = working(request).chosen
    if chosen and chosen.name in found.names:
        return replace(found, obvious=chosen.name)
    return found


def working_team(request: HttpRequest) -> Mapping[str, Any]:
    """What every template knows; the database is asked by those that use it."""

    def found() -> Working:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return Working()
        return working(request)  # type: ignore[arg-type]  # of somebody who is signed in

    return {"working": SimpleLazyObject(found)}
