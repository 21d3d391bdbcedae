"""Signing in and out, as django-allauth does it, on pages of this console."""

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.webauthn import views as passkeys
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

sign_in = account.LoginView.as_view(template_name="session/sign_in.html")
sign_out = require_POST(account.LogoutView.as_view())
second_factor = factors.AuthenticateView.as_view(template_name="session/second_factor.html")
sign_in_by_passkey = never_cache(passkeys.LoginWebAuthnView.as_view())


def _told(**words: Any) -> Any:
    """A page that says one thing."""
    view = account.AccountInactiveView.as_view(
        template_name="session/told.html", extra_context=words
    )
    return never_cache(view)


inactive = _told(
    title="This account is switched off",
    text="Ask an administrator of this installation.",
)
forgot = never_cache(account.PasswordResetView.as_view(template_name="session/forgot.html"))
forgot_sent = _told(
    title="Look at your mail",
    text="If an account has this address, a mail with a link is on its way there. The link works "
    "once, for a day. Nothing comes? Your administrator can make a link for you.",
)
new_password = never_cache(
    account.PasswordResetFromKeyView.as_view(template_name="session/new_password.html")
)
new_password_set = _told(title="Your password is changed", text="Sign in with it.", is_good=True)
confirm_email = never_cache(
    account.ConfirmEmailView.as_view(template_name="session/confirm_email.html")
)
email_sent = _told(
    title="Look at your mail", text="The link in it confirms that the address is yours."
)
