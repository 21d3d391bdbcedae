"""What the pages for signing in, and for one's own account, accept."""

from typing import Any, ClassVar

from allauth.account import forms as account
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts

from console.sign_in.factors import CredentialField, making_sense
from endpoints.models import User

LONGEST_NAME = 100  # of a passkey


class Dressed(forms.Form):
    """A form of django-allauth in the words and the look of this console."""

    labels: ClassVar[dict[str, str]] = {}
    hints: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = self.labels.get(name, field.label)
            field.help_text = self.hints.get(name, "")
            field.widget.attrs.pop("placeholder", None)
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "form-control"


# The base carries no types: every class below is of django-allauth and Dressed.


class SignInForm(Dressed, account.LoginForm):  # type: ignore[misc]  # it carries no types
    labels: ClassVar = {"login": "Name or e-mail", "password": "Password"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs |= {"autocomplete": "username", "autofocus": True}


class ConfirmPasswordForm(Dressed, account.ReauthenticateForm):  # type: ignore[misc]  # the same
    labels: ClassVar = {"password": "Your password"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs["autofocus"] = True


class NewPassword(Dressed):
    labels: ClassVar = {
        "oldpassword": "Present password",
        "password1": "New password",
        "password2": "New password once more",
    }
    hints: ClassVar = {"password1": " ".join(password_validators_help_texts())}


class ChangePasswordForm(NewPassword, account.ChangePasswordForm):  # type: ignore[misc]  # the same
    pass


class ResetPasswordForm(Dressed, account.ResetPasswordForm):  # type: ignore[misc]  # the same
    labels: ClassVar = {"email": "E-mail"}


class ResetPasswordKeyForm(NewPassword, account.ResetPasswordKeyForm):  # type: ignore[misc]  # the same
    pass


class EmailForm(Dressed, account.AddEmailForm):  # type: ignore[misc]  # the same
    labels: ClassVar = {"email": "New e-mail"}
    hints: ClassVar = {"email": "A mail with a link goes there. It holds once you follow the link."}


class AppForm(Dressed, ActivateTOTPForm):  # type: ignore[misc]  # the same
    labels: ClassVar = {"code": "Code"}
    hints: ClassVar = {"code": "The six digits that the app shows now."}


class PasskeyForm(Dressed, AddWebAuthnForm):  # type: ignore[misc]  # the same
    labels: ClassVar = {"name": "Name", "passwordless": "Sign in with it alone, without a password"}
    hints: ClassVar = {"name": "To know it by, such as “Work laptop”."}

    name = forms.CharField(required=False, max_length=LONGEST_NAME)
    credential = CredentialField(widget=forms.HiddenInput)

    def clean(self) -> Any:
        with making_sense():
            return super().clean()


class PasskeyNameForm(Dressed, EditWebAuthnForm):  # type: ignore[misc]  # the same
    labels: ClassVar = {"name": "Name"}

    name = forms.CharField(max_length=LONGEST_NAME)


class ProfileForm(forms.Form):
    full_name = forms.CharField(
        label="Full name",
        required=False,
        max_length=User._meta.get_field("first_name").max_length,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "name"}),
    )
