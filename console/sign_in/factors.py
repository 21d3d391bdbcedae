"""Second factors: who must have one, and codes that work once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from console.sign_in.adapters import refuse_if_locked
from endpoints import lockout
from endpoints.models import User

# Longer than any code is taken.
USED_S = (2 * settings.MFA_TOTP_TOLERANCE + 2) * 30


def must_add_one(request: HttpRequest) -> bool:
    """Whether somebody who is signed in may do nothing before they have a second factor.

    Who came by a sign-in service proved there what the service asks for.
    """
    user = request.user
    if not isinstance(user, User) or user.has_second_factor or not user.needs_second_factor:
        return False
    records = get_authentication_records(request, user)
    return not any(record["method"] == "socialaccount" for record in records)


class OneTimeCode(forms.Form):
    """Checks a code of a person, whose wrong ones count as wrong passwords do."""

    user: User
    authenticator: Authenticator

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]
        field.label = "Code"
        field.help_text = "From your authenticator app, or one of your recovery codes."
        field.error_messages = {"required": "Write the code."}
        field.widget.attrs = {
            "class": "form-control font-monospace",
            "autocomplete": "one-time-code",
            "autofocus": True,
        }

    def clean_code(self) -> str:
        refuse_if_locked(context.request, self.user.username)
        try:
            code: str = super().clean_code()  # type: ignore[misc]  # of the form beside it
            self._use_up(code)
        except forms.ValidationError:
            lockout.note_failure(context.request, self.user.username)
            raise
        return code

    def _use_up(self, code: str) -> None:
        """A code of an app holds for longer than allauth remembers that it was used."""
        is_recovery_code = self.authenticator.type == Authenticator.Type.RECOVERY_CODES
        if not is_recovery_code and not cache.add(
            f"used-code:{self.user.pk}:{normalize_user_code(code)}", True, USED_S
        ):
            raise get_adapter().validation_error("incorrect_code")


class SignInCodeForm(OneTimeCode, AuthenticateForm):  # type: ignore[misc]  # it carries no types
    pass


class ConfirmCodeForm(OneTimeCode, ReauthenticateForm):  # type: ignore[misc]  # the same
    pass


@contextmanager
def making_sense() -> Iterator[None]:
    """What makes no sense as a passkey is as wrong as another; a browser may send anything."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise get_adapter().validation_error("incorrect_passkey") from exc
    except forms.ValidationError as exc:
        if getattr(exc, "code", None) != "incorrect_code":
            raise
        raise get_adapter().validation_error("incorrect_passkey") from exc


class CredentialField(forms.JSONField):
    """Numbers and depths that Python refuses to read are no JSON either."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (ValueError, RecursionError):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class PasskeyAnswer(forms.Form):
    credential = CredentialField(widget=forms.HiddenInput)

    def clean_credential(self) -> Any:
        with making_sense():
            return super().clean_credential()  # type: ignore[misc]  # of the form beside it


class SignInPasskeyForm(PasskeyAnswer, LoginWebAuthnForm):  # type: ignore[misc]  # the same
    pass


class SecondPasskeyForm(PasskeyAnswer, AuthenticateWebAuthnForm):  # type: ignore[misc]  # the same
    pass


class ConfirmPasskeyForm(PasskeyAnswer, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # the same
    pass
