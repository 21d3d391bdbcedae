"""People whom a directory vouches for: who they are here, and what their groups give them.

The groups decide in the teams for which somebody has one, and about the roles of the site that
they gave. What was given by hand elsewhere stays.
"""

import logging
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import IntegrityError, transaction

from endpoints import audit, people, teams
from endpoints.attempts import attempt
from endpoints.groups import NOTHING, Granted, granted
from endpoints.models import ApiKey, Membership, Team, TeamRole, User
from endpoints.models.user import BUILTIN_USERNAME
from endpoints.names import looks
from endpoints.privileges import SUPERUSER
from endpoints.revoking import revoke
from inference.errors import Conflict, InferenceError, NotFound

logger = logging.getLogger(__name__)

DIRECTORY = "directory"  # who acts, in the audit log
# Whom a first sign-in makes an account for.
EVERYBODY, MAPPED, NOBODY = "true", "mapped", "false"
# Names that stand for something else than a person.
RESERVED_NAMES = frozenset({BUILTIN_USERNAME, DIRECTORY, audit.SHELL})
NOT_IN_A_NAME = re.compile(r"[^\w.@+-]+", re.ASCII)
LONGEST_NAME = 64
TRIES = 5
LINKED_ALREADY = "Another account here is linked to that sign-in already."


class NotAdmitted(InferenceError):
    """The directory vouches for somebody who may not sign in here."""

    status, type = 403, "security_exception"


@dataclass(frozen=True)
class Identity:
    """Somebody as a provider tells who it is; issuer and subject are all they are known by.

    username: what they would like to be called. email: empty unless the provider confirmed it.
    """

    issuer: str
    subject: str
    username: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    groups: frozenset[str] = frozenset()

    @property
    def granted(self) -> Granted:
        return granted(self.groups, settings.OIDC_GROUPS)


def admit(identity: Identity, *, is_invited: bool = False) -> User:
    """Who this is here, with the rights of their groups. Raises NotAdmitted.

    is_invited: they get an account, whoever else does.
    Nobody is recognised by a name or an e-mail address: both can be chosen at some providers, so
    whoever chose those of another would get their account.
    """
    user = person_known_as(identity) or _newcomer(identity, is_invited)
    if not user.is_active:
        raise NotAdmitted("This account is switched off. Ask an administrator.")
    give(user, identity.granted)
    user.refresh_from_db()
    return user


def person_known_as(identity: Identity) -> User | None:
    known = SocialAccount.objects.filter(provider=identity.issuer, uid=identity.subject)
    account = known.select_related("user").first()
    return account.user if account else None


def _newcomer(identity: Identity, is_invited: bool) -> User:
    """Somebody who was never here. Two first sign-ins at once make one person."""
    is_expected = {EVERYBODY: True, MAPPED: bool(identity.granted), NOBODY: False}
    if not (is_invited or is_expected[settings.OIDC_CREATE]):
        raise NotAdmitted(
            "Nobody gave you access here yet. Ask an administrator of this console to invite you "
            "or to add one of your groups."
        )
    for number in range(1, 1 + TRIES):
        try:
            return create_person(identity, number)
        except IntegrityError:
            if user := person_known_as(identity):
                return user
    raise NotAdmitted("No account could be made for you just now. Try again.")


@transaction.atomic
def create_person(identity: Identity, number: int = 1) -> User:
    """An account that has no password, so that only the directory opens it.

    Raises IntegrityError where somebody else was given the name, or was this person, meanwhile.
    """
    email = identity.email
    user = User(
        username=free_name(identity, number),
        email="" if User.objects.filter(email__iexact=email).exists() else email,
        first_name=identity.first_name[:150],
        last_name=identity.last_name[:150],
    )
    user.set_unusable_password()
    user.save(force_insert=True)
    _connect(user, identity)
    audit.record("person.join", user.username, after=_told(identity))
    return user


def free_name(identity: Identity, number: int = 1) -> str:
    """What somebody is called here: their own name if it is free, with a number if it is not.

    number: the first to try; 1 stands for none.
    Only plain letters are taken over, so that no name looks like another that it is not.
    """
    plain = unicodedata.normalize("NFKD", identity.username).encode("ascii", "ignore").decode()
    name = NOT_IN_A_NAME.sub("-", plain.strip())[:LONGEST_NAME].strip("-.") or "person"
    candidate = name if number == 1 else f"{name}-{number}"
    while (
        candidate.lower() in RESERVED_NAMES or User.objects.filter(look=looks(candidate)).exists()
    ):
        number += 1
        candidate = f"{name}-{number}"
    return candidate


@attempt("person.link", on="user")
@transaction.atomic
def link(user: User, identity: Identity) -> None:
    """Let somebody who has an account sign in by the directory, too.

    Raises Conflict where the account or the identity is linked to another.
    """
    known = person_known_as(identity)
    if known == user:
        return
    if known:
        raise Conflict(LINKED_ALREADY)
    if SocialAccount.objects.filter(user=user, provider=identity.issuer).exists():
        raise Conflict("Your account is linked to another sign-in there. Unlink that one first.")
    try:
        with transaction.atomic():
            _connect(user, identity)
    except IntegrityError:  # another account was faster
        raise Conflict(LINKED_ALREADY) from None
    audit.record("person.link", user.username, after=_told(identity))


@attempt("person.unlink", on="user")
@transaction.atomic
def unlink(user: User) -> None:
    """The directory vouches no longer: what it gave goes. Not linked is success.

    Raises Conflict where nothing else would open the account.
    """
    accounts = SocialAccount.objects.filter(user=user)
    before = [{"issuer": one.provider, "subject": one.uid} for one in accounts]
    if not before:
        return
    if settings.OIDC_ONLY or not user.has_usable_password():
        raise Conflict(
            "Nothing else would open your account: it needs a password that counts here."
        )
    accounts.delete()
    give(user, NOTHING)
    audit.record("person.unlink", user.username, before={"linked": before})


def _connect(user: User, identity: Identity) -> None:
    SocialAccount.objects.create(
        user=user,
        provider=identity.issuer,
        uid=identity.subject,
        extra_data={"preferred_username": identity.username},
    )


def _told(identity: Identity) -> dict[str, str]:
    return {"issuer": identity.issuer, "subject": identity.subject}


@transaction.atomic
def give(user: User, granted: Granted) -> None:
    """Let somebody have what their groups give, and take away what only other groups gave.

    Who alone administers a team or the site keeps that; the log and the audit log say so.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    held = {
        membership.team.name: membership
        for membership in Membership.objects.filter(user=user).select_related("team")
    }
    for name, role in granted.teams.items():
        membership = held.get(name)
        if membership is None or membership.role != role or not membership.is_managed:
            _put(user, membership.team if membership else _team(name), TeamRole(role))
    for name, membership in held.items():
        if membership.is_managed and name not in granted.teams:
            _remove(user, membership.team)
    _give_site_roles(user, granted.roles)


def _team(name: str) -> Team:
    """The team of this name, made if need be: whoever wrote the settings wants it."""
    try:
        return teams.get_team(name)
    except NotFound:
        return teams.create_team(name)


def _put(user: User, team: Team, role: TeamRole) -> None:
    try:
        membership = teams.put_member(team, user, role)
    except Conflict as exc:
        _kept(user, exc)
        return
    Membership.objects.filter(pk=membership.pk).update(is_managed=True)


def _remove(user: User, team: Team) -> None:
    try:
        teams.remove_member(team, user)
    except Conflict as exc:
        _kept(user, exc)


def _give_site_roles(user: User, wanted: Collection[str]) -> None:
    had = set(user.role_names)
    by_hand = had - set(user.managed_roles)
    roles = by_hand | set(wanted)
    if roles != had:
        try:
            people.set_roles(user.username, roles)
        except Conflict as exc:
            _kept(user, exc)
            roles.add(SUPERUSER)
            people.set_roles(user.username, roles)
    managed = sorted(roles - by_hand)
    if managed != user.managed_roles:
        User.objects.filter(pk=user.pk).update(managed_roles=managed)
    if lost := had - roles:
        _end_keys_with(user, lost)


def _end_keys_with(user: User, lost: set[str]) -> None:
    """A key of the whole site keeps what it was made with, so it ends with the role."""
    keys = ApiKey.objects.filter(user=user, team=None).not_invalidated()
    ended = [key.pk for key in keys if lost.intersection(key.limited_by)]
    revoke(ApiKey.objects.filter(pk__in=ended), "its owner's groups no longer give it")


def _kept(user: User, exc: Conflict) -> None:
    """What the groups no longer give is not taken from who is the last one to have it."""
    logger.warning("The groups of [%s] give less than before, which stays: %s", user.username, exc)
