"""Service accounts: what programs of a team act as, whoever of its people made them."""

import re

from django.db import IntegrityError, models, transaction

from endpoints import audit
from endpoints.access import Unseen, allowed_teams, forbidden_in
from endpoints.attempts import attempt
from endpoints.models import ApiKey, TeamRole, User
from endpoints.permissions import Action
from endpoints.revoking import revoke
from endpoints.scopes import scope_of
from endpoints.teams import team_to_own
from inference.errors import Conflict, InvalidArgument, NotFound, shown

NAME = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,63}")
# A program does not administer people.
ROLES = (TeamRole.INFERENCE_USER, TeamRole.INFERENCE_ADMIN)


def visible_accounts(user: User, action: Action = Action.ACCOUNT_GET) -> models.QuerySet[User]:
    """Service accounts that somebody may do this to."""
    teams = allowed_teams(user, action)
    accounts = User.objects.exclude(service_team=None).select_related("service_team")
    accounts = accounts.order_by("username")
    return accounts if teams is None else accounts.filter(service_team__in=teams)


def get_account(user: User, username: str, to: Action = Action.ACCOUNT_GET) -> User:
    """The service account of this name, to do something with it.

    Raises NotFound where the user does not see it, Forbidden where they may not do this with it.
    """
    accounts = User.objects.exclude(service_team=None).select_related("service_team")
    found = accounts.filter(username=username).first()
    unknown = f"There is no service account [{shown(username)}]"
    if found is None:
        raise NotFound(unknown)
    rights, sees = scope_of(user).in_team(found.service_team_id), Action.ACCOUNT_GET
    if not rights.allow(sees, sees.granted_by):
        raise Unseen(unknown, to, found.service_team_id)
    if not rights.allow(to, to.granted_by):
        raise forbidden_in(user, to, found.service_team)
    return found


def account_role(name: str) -> TeamRole:
    """Raises InvalidArgument for a role that no service account can have."""
    if name not in ROLES:
        raise InvalidArgument(
            f"[role] must be one of [{', '.join(ROLES)}] for a service account, not [{shown(name)}]"
        )
    return TeamRole(name)


@attempt("account.create", on="name")
@transaction.atomic
def create_account(
    user: User, name: str, role: str, *, description: str = "", team: str | None = None
) -> User:
    """Make an account that only keys can act for. It is called `team/name` for good.

    Raises InvalidArgument for a name or a role that cannot be, Conflict for a name that is taken,
    and what `team_to_own` raises.
    """
    if not NAME.fullmatch(name):
        raise InvalidArgument(
            f"[name] may have 64 lowercase letters, digits, hyphens, underscores and dots, and "
            f"begins with a letter or a digit; [{shown(name)}] does not fit"
        )
    checked = account_role(role)
    owner = team_to_own(user, Action.ACCOUNT_PUT, team)
    account = User(
        username=f"{owner.name}/{name}",
        service_team=owner,
        service_role=checked,
        description=description,
    )
    account.set_unusable_password()
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError:
        raise Conflict(f"There is a service account [{account.username}] already") from None
    audit.record("account.create", account.username, team=owner, after=told_of(account))
    return account


@attempt("account.update", on="account")
@transaction.atomic
def update_account(account: User, *, role: str, description: str) -> User:
    """Its keys can do at most what the new role allows, from their next call on."""
    before, team = told_of(account), account.service_team
    account.service_role, account.description = account_role(role), description
    account.save(update_fields=["service_role", "description"])
    if (after := told_of(account)) != before:
        audit.record("account.update", account.username, team=team, before=before, after=after)
    return account


@transaction.atomic
def delete_account(account: User) -> None:
    """Remove it with its keys, which stop working at once. What it made stays."""
    before = told_of(account)
    revoke(ApiKey.objects.filter(user=account), "its service account was deleted")
    audit.record("account.delete", account.username, team=account.service_team, before=before)
    account.delete()


def told_of(account: User) -> dict[str, str]:
    return {"role": account.service_role, "description": account.description}
