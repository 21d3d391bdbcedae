"""What the pages for signing in accept."""

from typing import Any

from allauth.account.forms import LoginForm


class SignInForm(LoginForm):  # type: ignore[misc]  # it carries no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label, password.label = "Name or e-mail", "Password"
        password.help_text = ""
        login.widget.attrs = {"autocomplete": "username webauthn", "autofocus": True}
        password.widget.attrs = {"autocomplete": "current-password"}
        for field in (login, password):
            field.widget.attrs["class"] = "form-control"
