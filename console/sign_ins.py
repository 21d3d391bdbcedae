"""Writes down who signed in on the pages, who was refused, and who signed out."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from endpoints import attempts, audit
from endpoints.addresses import address_of
from endpoints.audit import Who
from endpoints.models import User


@receiver(user_logged_in, dispatch_uid="audit")
def note_sign_in(request: HttpRequest, user: User, **_: Any) -> None:
    who = Who.of(user, address_of(request.META))
    audit.record(attempts.SIGN_IN, user.get_username(), who=who)


@receiver(user_logged_out, dispatch_uid="audit")
def note_sign_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        who = Who.of(user, address_of(request.META))
        audit.record("session.end", user.get_username(), who=who)


@receiver(user_login_failed, dispatch_uid="audit")
def note_refusal(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Gathered and written later, so that whoever guesses passwords does not slow the pages."""
    name = str(credentials.get("username") or credentials.get("email") or "")
    address = address_of(request.META) if request else ""
    attempts.note_sign_in_refused(name, "This name and this password do not go together", address)
