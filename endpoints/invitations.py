"""Letting people in: by a link that holds for some days and lets one of them in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from endpoints import audit, people, teams
from endpoints.access import Forbidden
from endpoints.access_to_people import check_may_invite, team_to_invite_to
from endpoints.attempts import attempt
from endpoints.models import Invitation, LinkState, Membership, Team, TeamRole, User
from endpoints.models.link import link_of
from endpoints.names import usable_name
from inference.errors import Conflict, InvalidArgument, NotFound

# Of one person, so that nobody floods mailboxes from here.
MOST_A_DAY = 200
ROLES = list(TeamRole)


class LinkUnusable(NotFound):
    """A link that does not let anybody in any more. state: None for one that never was."""

    def __init__(self, state: LinkState | None) -> None:
        super().__init__(f"The link is {state}" if state else "There is no such link")
        self.state = state


@dataclass(frozen=True)
class Wish:
    """Whom to invite, to what. team_role: of a team; without a team there is none."""

    username: str = ""
    email: str = ""
    team: str = ""
    team_role: str = ""
    roles: Collection[str] = ()

    def __str__(self) -> str:
        """For whom it is, as far as that is known."""
        return self.username or self.email or self.team


@attempt("person.invite", on="wish")
@transaction.atomic
def invite(actor: User, wish: Wish) -> tuple[Invitation, str]:
    """Store an invitation; the token returned beside it can never be read again.

    Raises InvalidArgument for what cannot be, Forbidden and NotFound for what the actor may not
    give or see, and Conflict for somebody who is here already.
    """
    team = checked_team(actor, wish)
    email = people.usable_email(wish.email) if wish.email else ""
    username = people.free_name(wish.username) if wish.username else ""
    since = timezone.now() - timedelta(days=1)
    if Invitation.objects.filter(made_by=actor, created_at__gt=since).count() >= MOST_A_DAY:
        raise Conflict(f"You made {MOST_A_DAY} invitations within a day: wait until tomorrow")
    invitation = Invitation(
        made_by=actor,
        email=email,
        username=username,
        team=team,
        team_role=wish.team_role if team else "",
        roles=sorted(set(wish.roles)),
    )
    token = invitation.fresh_token()
    invitation.save(force_insert=True)
    audit.record("person.invite", invitation.subject, team=team, after=what(invitation))
    return invitation, token


@attempt("member.put", on="wish")
@transaction.atomic
def add_member(actor: User, wish: Wish) -> Membership | None:
    """Put somebody who is here already into a team, who then needs no invitation.

    None where nobody has the name. Raises what an invitation raises, and Conflict for who is in
    the team already, or is deactivated.
    """
    team = checked_team(actor, wish)
    if team is None or not wish.username:
        return None
    name = usable_name(wish.username)
    person = User.objects.filter(username=name).first()
    if person is None:
        return None
    if wish.roles or wish.email:
        raise Conflict(f"There is a user [{name}] already: only add them to the team")
    if Membership.objects.filter(team=team, user=person).exists():
        raise Conflict(f"[{name}] is in team [{team.name}] already")
    if not person.is_active:
        raise Conflict(f"[{name}] is deactivated")
    return teams.put_member(team, person, TeamRole(wish.team_role))


def checked_team(actor: User, wish: Wish) -> Team | None:
    """The team of a wish that the actor may have. Raises as an invitation does."""
    people.check_roles(wish.roles)
    team = team_to_invite_to(actor, wish.team) if wish.team else None
    if team and wish.team_role not in ROLES:
        raise InvalidArgument(f"[team_role] must be one of [{', '.join(ROLES)}]")
    if wish.team_role and not team:
        raise InvalidArgument("[team_role] needs a [team]")
    check_may_invite(actor, wish.roles, team, wish.team_role)
    if not (team or wish.roles):
        raise InvalidArgument("Name a [team] or some [roles]: else nothing could be done with it")
    return team


@attempt("person.invite", on="invitation")
@transaction.atomic
def renew(actor: User, invitation: Invitation) -> str:
    """A new link in the place of the one before, from now on made by the actor.

    Raises Conflict for one that is used or withdrawn, Forbidden where the actor may not give
    what it gives.
    """
    stored = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if stored.state not in (LinkState.OPEN, LinkState.EXPIRED):
        raise Conflict(f"The invitation is {stored.state}")
    check_may_invite(actor, stored.roles, stored.team, stored.team_role)
    token = stored.fresh_token()
    stored.made_by, stored.was_mailed = actor, False
    stored.save()
    audit.record("person.invite", stored.subject, team=stored.team, after=what(stored))
    return token


@attempt("person.uninvite", on="invitation")
@transaction.atomic
def withdraw(invitation: Invitation) -> None:
    """Withdrawn already is success. Raises Conflict for one that was used."""
    stored = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if stored.state == LinkState.USED:
        raise Conflict("The invitation is used")
    if stored.withdrawn_at is None:
        stored.withdrawn_at = timezone.now()
        stored.save(update_fields=["withdrawn_at", "updated_at"])
        audit.record("person.uninvite", stored.subject, team=stored.team, before=what(stored))


def find(token_sha256: str) -> Invitation:
    """An invitation that lets somebody in. Raises LinkUnusable.

    It never gives more than who made it could give now.
    """
    invitation = link_of(Invitation, token_sha256)
    if invitation is None or not invitation.is_open:
        raise LinkUnusable(invitation.state if invitation else None)
    try:
        check_may_invite(
            invitation.made_by, invitation.roles, invitation.team, invitation.team_role
        )
    except Forbidden:
        raise LinkUnusable(LinkState.WITHDRAWN) from None
    if not invitation.made_by.is_active:
        raise LinkUnusable(LinkState.WITHDRAWN)
    return invitation


@attempt("person.join", on="username")
@transaction.atomic
def join(token_sha256: str, username: str, password: str) -> User:
    """Become somebody, as invited. Of two who try at once one does.

    Raises LinkUnusable, and what creating a user raises, after which the link can be used still.
    """
    invitation = _locked(token_sha256)
    # An address that somebody has already tells nothing of who comes now.
    is_known = User.objects.filter(email__iexact=invitation.email).exists()
    email = "" if is_known else invitation.email
    user = people.add_user(username, password, invitation.roles, email)
    _use(invitation, user)
    return user


@attempt("person.join", on="user")
@transaction.atomic
def accept(token_sha256: str, user: User) -> User:
    """Let somebody who is here already have what they are invited to, beside what they have."""
    invitation = _locked(token_sha256)
    user = User.objects.select_for_update().get(pk=user.pk)
    before = {"roles": user.role_names}
    people.let_have(user, {*user.role_names, *invitation.roles})
    _use(invitation, user, before)
    return user


def _locked(token_sha256: str) -> Invitation:
    found = find(token_sha256)
    Invitation.objects.select_for_update().get(pk=found.pk)
    return find(token_sha256)


def _use(invitation: Invitation, user: User, before: Mapping[str, object] | None = None) -> None:
    """before: the roles of who was here before; of all that they get one entry tells."""
    team, told = invitation.team, what(invitation) | {"roles": user.role_names}
    if team:
        held, given = teams.role_in(team, user), TeamRole(invitation.team_role)
        if held is None or ROLES.index(held) < ROLES.index(given):
            teams.let_in(team, user, given)
        else:
            told["team_role"] = held
        before = before and {**before, "team_role": held}
    if invitation.was_mailed:
        confirm_address(user, invitation.email)
    invitation.used_at, invitation.used_by = timezone.now(), user
    invitation.save(update_fields=["used_at", "used_by", "updated_at"])
    told |= {"invited_by": invitation.made_by.username}
    who = audit.of_this(user)
    audit.record("person.join", user.username, team=team, before=before, after=told, who=who)


def confirm_address(user: User, email: str) -> None:
    """Whoever has a link that was mailed has the mailbox: it need not be asked once more.

    Only where it is the address of the account, and nobody's yet.
    """
    is_theirs = user.email.lower() == email.lower()
    known = EmailAddress.objects.filter(email__iexact=email)
    if is_theirs and not known.filter(Q(verified=True) | Q(user=user)).exists():
        EmailAddress.objects.create(user=user, email=email.lower(), verified=True, primary=True)


def what(invitation: Invitation) -> dict[str, object]:
    """What an invitation gives, for the audit log."""
    told = invitation.to_response()
    return {name: told[name] for name in ("id", "email", "team", "team_role", "roles")}
