"""Second factors as people have them, and signing in with them."""

import base64
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP as App
from django.test import Client

from endpoints.models import User
from tests.factories import PASSWORD

SIGN_IN = "/console/sign-in"
CODE = f"{SIGN_IN}/code"


def code_of(secret: str, at: float | None = None) -> str:
    """What an authenticator app shows."""
    app = App(base64.b32decode(secret), 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303 - what apps do
    return app.generate(int(time.time() if at is None else at)).decode()


def add_app(user: User) -> str:
    """Give somebody an app; returns its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def add_codes(user: User) -> list[str]:
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    return codes


def factors_of(user: User) -> list[str]:
    return list(Authenticator.objects.filter(user=user).values_list("type", flat=True))


def password(client: Client, username: str, text: str = PASSWORD, **sent: str) -> str:
    """Send the first form; returns where it leads, or the page that refuses."""
    answer = client.post(SIGN_IN, {"login": username, "password": text, **sent})
    return answer.headers.get("Location") or answer.content.decode()


def is_in(client: Client) -> bool:
    return client.get("/console/account/security").status_code == 200
