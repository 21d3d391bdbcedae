"""What helps people back in, also from the shell, where nobody can sign in any more."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from endpoints import audit, lockout, people
from endpoints.attempts import attempt
from endpoints.models import User
from endpoints.privileges import SUPERUSER
from inference.errors import Conflict, InvalidArgument, NotFound


@attempt("person.roles", on="username")
@transaction.atomic
def make_administrator(username: str, password: str | None) -> User:
    """Let somebody do everything, new or known, active or not.

    password: None for who keeps theirs. Raises InvalidArgument for what cannot be used, and
    Conflict for who cannot sign in at all.
    """
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        if password is None:
            raise InvalidArgument(f"[{username}] is new here, and needs a password")
        return people.create_user(username, password, [SUPERUSER])
    before = {"roles": user.role_names, "is_active": user.is_active}
    user.is_superuser = user.is_active = True
    _save(user, "is_superuser", "is_active")
    if password is not None:
        reset_password(username, password)
    after = {"roles": user.role_names, "is_active": user.is_active}
    if after != before:
        audit.record("person.roles", username, before=before, after=after)
    return user


@attempt("person.password.reset", on="username")
@transaction.atomic
def reset_password(username: str, password: str) -> User:
    """Give somebody another password, sign them out everywhere, and let them try at once.

    Raises NotFound, InvalidArgument for a password that cannot be used, and Conflict for who
    cannot sign in at all.
    """
    user = get_person(username)
    try:
        validate_password(password, user)
    except ValidationError as exc:
        raise InvalidArgument(" ".join(exc.messages)) from exc
    user.set_password(password)
    _save(user, "password")
    end_sessions(user)
    lockout.unlock(username=username)
    audit.record("person.password.reset", username)
    return user


@attempt("factor.reset", on="username")
@transaction.atomic
def reset_second_factor(username: str) -> int:
    """Forget the second factors of somebody, with their recovery codes, and sign them out.

    For who lost their phone and their codes; the password goes on. Returns how many factors there
    were. Raises NotFound.
    """
    user = get_person(username)
    factors = Authenticator.objects.filter(user=user)
    kinds = list(factors.order_by("pk").values_list("type", flat=True))
    factors._raw_delete(factors.db)  # unheard by what notes each: one entry tells of all
    User.objects.filter(pk=user.pk).update(has_second_factor=False)
    end_sessions(user)
    lockout.unlock(username=username)
    audit.record("factor.reset", username, before={"factors": kinds}, after={"factors": []})
    return sum(kind != Authenticator.Type.RECOVERY_CODES for kind in kinds)


def end_sessions(user: User) -> None:
    """Sign somebody out everywhere, from their next request on."""
    User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
    for session in UserSession.objects.filter(user=user):
        session.end()


def get_person(username: str) -> User:
    """Raises NotFound."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound(f"There is no user [{username}]")
    return user


def _save(user: User, *columns: str) -> None:
    """Raises Conflict for an account that only programs use, of which the database knows."""
    try:
        with transaction.atomic():
            user.save(update_fields=columns)
    except IntegrityError:
        raise Conflict(f"[{user.username}] is nobody who can sign in") from None
