"""What the sign-in page accepts."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    error_messages = {  # noqa: RUF012 - declared so by Django
        "invalid_login": "That name and password do not go together. Check both and try again.",
        "inactive": "This account is switched off. Ask an administrator.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (("username", "Name"), ("password", "Password")):
            self.fields[name].label = label
            self.fields[name].widget.attrs |= {"class": "form-control"}
