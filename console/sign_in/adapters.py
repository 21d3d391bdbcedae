"""How this console wants what django-allauth does."""

import logging
from threading import Thread
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import get_user_by_username
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from axes.backends import AxesStandaloneBackend
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from pydantic import SecretStr

from console.sign_in.freshness import is_fresh
from endpoints import audit, lockout, secrets
from endpoints.addresses import address_of
from endpoints.links import absolute
from endpoints.models import User

logger = logging.getLogger(__name__)

WAYS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}


class LockoutBackend(AxesStandaloneBackend):  # type: ignore[misc]  # it carries no types
    """Lets nobody pass who is locked; without a request there is no address to lock."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        if request is not None:
            super().authenticate(request, **credentials)


class PasswordBackend(AuthenticationBackend):  # type: ignore[misc]  # it carries no types
    """Checks one password against one account, so an unknown name takes as long as a known one."""

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        account = account_named(str(credentials.get("username") or ""))
        found: User | None = self._check_password(account, credentials["password"])
        return found


def account_named(text: str) -> User | None:
    """The account of this name in any case, or of this confirmed e-mail address."""
    if "\0" in text:
        return None
    user = User.objects.filter(username=text).first() or get_user_by_username(text)
    if user is None and "@" in text:
        confirmed = EmailAddress.objects.filter(email=text.lower(), verified=True)
        user = next((address.user for address in confirmed.select_related("user")), None)
    return user if isinstance(user, User) else None


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # it carries no types
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "That name and password do not go together. Check both and "
        "try again.",
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not your password.",
        "too_many_login_attempts": "Too many wrong codes. Wait five minutes and try again.",
        "rate_limited": "That was tried too often. Wait a few minutes and try again.",
        "email_taken": "Another account has this address.",
        "same_as_current": "This is your address already.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited, or come by a sign-in service."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        return url_has_allowed_host_and_scheme(url, allowed_hosts={self.request.get_host()})

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request.META) or "0.0.0.0"  # noqa: S104 - stands for none

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        refuse_if_locked(request, str(credentials.get("username") or ""))
        if settings.OIDC_ONLY:
            raise ValidationError(f"Sign in with {settings.OIDC_NAME}: no password counts here.")

    def pre_login(self, request: HttpRequest, user: User, **hooks: Any) -> HttpResponse | None:
        """Whatever else would let somebody in does not where the sign-in service alone may."""
        if settings.OIDC_ONLY and "sociallogin" not in (hooks.get("signal_kwargs") or {}):
            messages.error(request, f"Sign in with {settings.OIDC_NAME}: nothing else counts here.")
            return redirect("sign-in")
        refused: HttpResponse | None = super().pre_login(request, user, **hooks)
        return refused

    @transaction.atomic
    def set_password(self, user: User, password: str) -> None:
        user.set_password(password)
        user.save(update_fields=["password"])
        # By a link that was mailed it is set before anybody is signed in.
        audit.record("person.password.change", user.username, who=audit.of_this(user))

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [method | {"description": WAYS[method["id"]]} for method in methods]

    def is_reauthentication_required(self, *, app: str) -> bool:
        return not is_fresh(self.request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """From a thread of its own: how long that takes would tell who has an account."""
        message = self.render_mail(template_prefix, email, {"email": email} | context)
        Thread(target=deliver, args=(message,), daemon=True).start()

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Whose password is a sign-in service's to check gets none here."""
        if user.has_usable_password():
            super().send_password_reset_mail(user, email, context)

    def get_reset_password_from_key_url(self, key: str) -> str:
        return absolute(self.request, "account_reset_password_from_key", *key.split("-", 1))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return absolute(request, "account_confirm_email", emailconfirmation.key)


def deliver(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError as exc:  # all that SMTP fails with
        logger.error("A mail could not be sent: %s", exc)


def refuse_if_locked(request: HttpRequest, username: str) -> None:
    """Raises ValidationError for who tried too often."""
    if minutes := lockout.minutes_left(request, username):
        some = "a minute" if minutes == 1 else f"{minutes} minutes"
        raise ValidationError(
            f"There were too many wrong attempts from your address. Wait {some}, then try again.",
            code="locked",
        )


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # it carries no types
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code is wrong, or it was used already.",
        "incorrect_passkey": "This passkey is not known here. Use another, or another way.",
    }

    def encrypt(self, text: str) -> str:
        return secrets.encrypt(SecretStr(text))

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.decrypt(encrypted_text).get_secret_value()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {count + 1}"

    def _get_user_identifier(self, user: User) -> str:
        return user.username

    def _get_site_name(self) -> str:
        return "Inference Console"
