"""Signing in and out, as django-allauth does it, on pages of this console."""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.webauthn import views as passkeys
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

sign_in = account.LoginView.as_view(template_name="session/sign_in.html")
sign_out = require_POST(account.LogoutView.as_view())
second_factor = factors.AuthenticateView.as_view(template_name="session/second_factor.html")
sign_in_by_passkey = never_cache(passkeys.LoginWebAuthnView.as_view())
