"""Switching an account off and on again, and what becomes of what its owner leaves behind.

What somebody made belongs to a team or to the site, and stays there. Who made it is history and
stays, too. What is theirs alone are their keys: a key acts with its owner's rights, so nobody
else can have it. It is refused from the next call on as long as its owner is deactivated, and
either ends for good or works again when the owner comes back. A program that has to go on needs a
key of somebody else.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from endpoints import audit, teams
from endpoints.attempts import attempt
from endpoints.models import (
    ApiKey,
    Cluster,
    Endpoint,
    Invitation,
    Membership,
    PasswordReset,
    Team,
    TeamRole,
    User,
)
from endpoints.people import check_keeps_superuser
from endpoints.revoking import revoke
from inference.errors import Conflict, InvalidArgument, NotFound


class Keys(StrEnum):
    """What becomes of somebody's keys: they end, or rest until the owner is back."""

    REVOKE = "revoke"
    KEEP = "keep"


@dataclass(frozen=True)
class Belongings:
    """What there is of somebody. left_alone: teams that would have no administrator any more."""

    keys: tuple[ApiKey, ...]
    endpoints: tuple[Endpoint, ...]
    clusters: tuple[Cluster, ...]
    invitations: tuple[Invitation, ...]
    left_alone: tuple[Team, ...]


def belongings_of(person: User, within: QuerySet[Team] | None = None) -> Belongings:
    """within: only what belongs to one of these teams."""
    of_teams = Q() if within is None else Q(team__in=within)
    invitations = Invitation.objects.pending().filter(of_teams, made_by=person)
    return Belongings(
        keys=tuple(ApiKey.objects.filter(of_teams, user=person).valid().select_related("team")),
        endpoints=tuple(
            Endpoint.objects.filter(of_teams, created_by=person).select_related("team")
        ),
        clusters=tuple(Cluster.objects.filter(of_teams, created_by=person).select_related("team")),
        invitations=tuple(invitations.filter(expires_at__gt=timezone.now())),
        left_alone=tuple(left_alone(person)) if within is None else (),
    )


def left_alone(person: User) -> list[Team]:
    """The teams of which somebody is the only administrator who is active."""
    administered = Membership.objects.filter(role=TeamRole.TEAM_ADMIN, user__is_active=True)
    others = administered.exclude(user=person).values("team")
    theirs = administered.filter(user=person).exclude(team__in=others)
    return list(Team.objects.filter(pk__in=theirs.values("team")))


@attempt("person.deactivate", on="person")
@transaction.atomic
def deactivate(
    actor: User,
    person: User,
    *,
    keys: Keys = Keys.REVOKE,
    hand_over_to: str = "",
    is_meant: bool = False,
) -> User:
    """Let somebody in no more: their sessions end, the API refuses them and their keys at once.

    hand_over_to: who administers the teams that would have no administrator any more.
    is_meant: whether the actor knows that it is their own account.
    Deactivated already is success. Raises Conflict where nobody could do everything any more, or
    a team has nobody to be handed over to, NotFound for an unknown heir, and InvalidArgument for
    an heir who cannot be one, or an actor who forgot who they are.
    """
    check_keeps_superuser(person.username)
    person = User.objects.select_for_update().get(pk=person.pk)
    if not person.is_active:
        return person
    if person.pk == actor.pk and not is_meant:
        raise InvalidArgument(f"[{person.username}] is your own account: say that you mean it")
    handed_over = hand_over(person, hand_over_to)
    now = timezone.now()
    person.is_active = False
    person.sessions_ended += 1
    person.save(update_fields=["is_active", "sessions_ended"])
    for link in (
        Invitation.objects.filter(made_by=person),
        PasswordReset.objects.filter(made_by=person),
        PasswordReset.objects.filter(user=person),
    ):
        link.filter(used_at=None, withdrawn_at=None).update(withdrawn_at=now, updated_at=now)
    if keys == Keys.REVOKE:
        revoke(ApiKey.objects.filter(user=person), "its owner was deactivated")
    told: dict[str, Any] = {"keys": keys}
    if handed_over:
        told |= {"hand_over_to": hand_over_to, "teams": [team.name for team in handed_over]}
    audit.record("person.deactivate", person.username, after=told)
    return person


def hand_over(person: User, to: str) -> list[Team]:
    """Give the teams that somebody leaves without an administrator to another, if there are any.

    Locks their memberships, so that two administrators who go at once do not count on each other.
    """
    mine = Membership.objects.filter(user=person, role=TeamRole.TEAM_ADMIN)
    teams_of_mine = list(mine.values_list("team", flat=True))
    list(Membership.objects.select_for_update().filter(team__in=teams_of_mine))
    alone = left_alone(person)
    heir = find_heir(person, to) if to else None
    if alone and heir is None:
        names = ", ".join(team.name for team in alone)
        raise Conflict(
            f"[{person.username}] is the last administrator of the teams [{names}]: "
            "name who takes over with [hand_over_to]"
        )
    for team in alone:
        if heir:
            teams.put_member(team, heir, TeamRole.TEAM_ADMIN)
    return alone


def find_heir(person: User, username: str) -> User:
    heir = User.objects.filter(username=username).first()
    if heir is None:
        raise NotFound(f"[hand_over_to] There is no user [{username}]")
    if heir.pk == person.pk or not heir.is_active:
        raise InvalidArgument(f"[hand_over_to] [{username}] must be somebody else who is active")
    return heir


@transaction.atomic
def activate(person: User) -> User:
    """Let somebody in again, with the roles they had. Active already is success."""
    person = User.objects.select_for_update().get(pk=person.pk)
    if not person.is_active:
        person.is_active = True
        person.save(update_fields=["is_active"])
        audit.record("person.activate", person.username)
    return person
