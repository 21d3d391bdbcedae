"""Who there is and which roles they have."""

from collections.abc import Collection

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from endpoints import audit
from endpoints.attempts import attempt
from endpoints.models import User
from endpoints.privileges import BUILTIN_ROLES, SUPERUSER
from inference.errors import Conflict, InvalidArgument, NotFound


@attempt("person.create", on="username")
@transaction.atomic
def create_user(username: str, password: str, roles: Collection[str]) -> User:
    """Raises Conflict for a name that is taken, InvalidArgument for what cannot be used."""
    check_roles(roles)
    if User.objects.filter(username=username).exists():
        raise Conflict(f"There is a user [{username}] already")
    user = User(username=username, **_columns(roles))
    try:
        validate_password(password, user)
        user.set_password(password)
        user.full_clean()
    except ValidationError as exc:
        raise InvalidArgument(" ".join(exc.messages)) from exc
    user.save()
    audit.record("person.create", username, after={"roles": user.role_names})
    return user


@attempt("person.roles", on="username")
@transaction.atomic
def set_roles(username: str, roles: Collection[str]) -> User:
    """Give somebody these roles instead of those they had. Holds from their next request on.

    Their API keys keep what they were made with until they are invalidated.
    Raises NotFound for an unknown user, InvalidArgument for an unknown role, and Conflict where
    nobody would be left who can do everything.
    """
    check_roles(roles)
    # Locked, so that two who give up the role at once do not each count on the other.
    superusers = User.objects.select_for_update().filter(is_superuser=True, is_active=True)
    left = {user.username for user in superusers}
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound(f"There is no user [{username}]")
    if SUPERUSER not in roles and left == {username}:
        raise Conflict(
            f"[{username}] is the last one with the role [{SUPERUSER}]; "
            "give it to somebody else first"
        )
    before = {"roles": user.role_names}
    for name, value in _columns(roles).items():
        setattr(user, name, value)
    user.save(update_fields=["roles", "is_superuser"])
    audit.record("person.roles", username, before=before, after={"roles": user.role_names})
    return user


def check_roles(roles: Collection[str]) -> None:
    if unknown := sorted(set(roles) - set(BUILTIN_ROLES)):
        raise InvalidArgument(
            f"Unknown roles [{', '.join(unknown)}]; there are [{', '.join(sorted(BUILTIN_ROLES))}]"
        )


def _columns(roles: Collection[str]) -> dict[str, object]:
    """The columns that hold the roles; the one that allows everything has its own."""
    return {"roles": sorted(set(roles) - {SUPERUSER}), "is_superuser": SUPERUSER in roles}
