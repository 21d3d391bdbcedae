"""What somebody who was refused lacks, and who can give it to them: for people, in words."""

from dataclasses import dataclass

from django.db.models import Q

from endpoints.access import Forbidden
from endpoints.models import Membership, TeamRole, User
from endpoints.roles import roles_that_allow, words_of

MOST_NAMED = 5


@dataclass(frozen=True)
class Missing:
    """words: what they cannot do, of a sentence that begins with "can".

    privileges: any of which would do, the narrowest first. team_role: the least in a team that has
    one; empty where no team can give it. site_roles: those that have one everywhere.
    askable: the names of some who can give it.
    """

    words: str
    privileges: tuple[str, ...]
    team_role: str
    site_roles: tuple[str, ...]
    askable: tuple[str, ...]


def missing(user: User, refusal: Forbidden) -> Missing | None:
    """None where no role would help, or it is not told what was wanted."""
    action = refusal.action
    if action is None:
        return None
    of_teams, of_site = roles_that_allow(action)
    team_role = "" if refusal.is_of_site else next(iter(of_teams), "")
    names = administrators_for(user, refusal.team_pk) if team_role else ()
    return Missing(
        words_of(action), action.granted_by, team_role, of_site, names or site_administrators()
    )


def administrators_for(user: User, team_pk: int | None) -> tuple[str, ...]:
    """Who administers this team, else any team that the user is in."""
    own = Membership.objects.filter(user=user.pk).values("team")
    administrators = Membership.objects.filter(
        Q(team=team_pk) if team_pk else Q(team__in=own),
        role=TeamRole.TEAM_ADMIN,
        user__is_active=True,
    ).exclude(user=user.pk)
    names = administrators.values_list("user__username", flat=True).order_by("user__username")
    return tuple(names.distinct()[:MOST_NAMED])


def site_administrators() -> tuple[str, ...]:
    found = User.objects.filter(is_superuser=True, is_active=True).order_by("username")
    return tuple(found.values_list("username", flat=True)[:MOST_NAMED])
