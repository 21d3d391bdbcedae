"""Who there is and which roles they have."""

from collections.abc import Collection

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from endpoints import audit
from endpoints.attempts import attempt
from endpoints.models import User
from endpoints.names import looks, usable_name
from endpoints.privileges import BUILTIN_ROLES, SUPERUSER
from inference.errors import Conflict, InvalidArgument, NotFound

MAX_EMAIL_LENGTH = 254


@attempt("person.create", on="username")
@transaction.atomic
def create_user(username: str, password: str, roles: Collection[str]) -> User:
    """Raises Conflict for a name that is taken, InvalidArgument for what cannot be used."""
    user = add_user(username, password, roles)
    audit.record("person.create", user.username, after={"roles": user.role_names})
    return user


def add_user(username: str, password: str, roles: Collection[str], email: str = "") -> User:
    """The same for who writes down by themselves how somebody came here."""
    check_roles(roles)
    user = User(username=free_name(username), email=email, **_columns(roles))
    check_password(password, user)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # somebody else took it meanwhile
        raise name_is_taken(user.username) from None
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
    if SUPERUSER not in roles:
        check_keeps_superuser(username)
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None or user.is_service_account:
        raise NotFound(f"There is no user [{username}]")
    before = {"roles": user.role_names}
    let_have(user, roles)
    if (after := {"roles": user.role_names}) != before:
        audit.record("person.roles", username, before=before, after=after)
    return user


def let_have(user: User, roles: Collection[str]) -> None:
    """The same for who checked it and writes it down by themselves."""
    for name, value in _columns(roles).items():
        setattr(user, name, value)
    user.save(update_fields=["roles", "is_superuser"])


def check_keeps_superuser(without: str) -> None:
    """Somebody must be left who can do everything. To be asked within the change.

    Locks them, so that two who give up the role at once do not each count on the other.
    Raises Conflict.
    """
    superusers = User.objects.select_for_update().filter(is_superuser=True, is_active=True)
    if {user.username for user in superusers} == {without}:
        raise Conflict(
            f"[{without}] is the last one with the role [{SUPERUSER}]; "
            "give it to somebody else first"
        )


def free_name(text: str) -> str:
    """A name that somebody may take, in its one form.

    Raises InvalidArgument for none, and Conflict for one that is taken or looks like one that is.
    """
    name = usable_name(text)
    if User.objects.filter(username=name).exists():
        raise Conflict(f"There is a user [{name}] already")
    if User.objects.filter(look=looks(name)).exists():
        raise name_is_taken(name)
    return name


def name_is_taken(name: str) -> Conflict:
    """Does not tell whose it looks like, which not everybody may know."""
    return Conflict(f"The name [{name}] is taken, or looks too much like one that is")


def check_password(password: str, user: User) -> None:
    """Raises InvalidArgument with all that is wrong with it, in words."""
    try:
        validate_password(password, user)
    except ValidationError as exc:
        raise InvalidArgument(" ".join(exc.messages)) from exc


def usable_email(text: str) -> str:
    """An address as it is kept. Raises InvalidArgument."""
    email = text.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidArgument("[email] is no e-mail address") from None
    if len(email) > MAX_EMAIL_LENGTH:
        raise InvalidArgument(f"[email] has {MAX_EMAIL_LENGTH} characters at most")
    return email


def check_roles(roles: Collection[str]) -> None:
    if unknown := sorted(set(roles) - set(BUILTIN_ROLES)):
        raise InvalidArgument(
            f"Unknown roles [{', '.join(unknown)}]; there are [{', '.join(sorted(BUILTIN_ROLES))}]"
        )


def _columns(roles: Collection[str]) -> dict[str, object]:
    """The columns that hold the roles; the one that allows everything has its own."""
    return {"roles": sorted(set(roles) - {SUPERUSER}), "is_superuser": SUPERUSER in roles}
