"""Who calls: Basic with a password, or ApiKey with a key.

A password's hash takes a tenth of a second to check. A password that was verified is remembered
for a while by a keyed digest, together with the hash it was verified against: a changed password
or a disabled user is refused from the next call on, in every process.

Whoever needs a second factor to sign in calls with a key: the password alone would go around it.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from threading import Lock

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from endpoints import lockout
from endpoints.access import Unauthenticated
from endpoints.addresses import client_address
from endpoints.models import (
    ApiKey,
    User,
    administrator,
    api_key_by_id,
    user_by_name,
    user_by_pk,
)
from inference.errors import InvalidRequest

CHALLENGES = ('Basic realm="security", charset="UTF-8"', 'Bearer realm="security"', "ApiKey")
SECURITY_ROUTES = "/_security/"
REMEMBER_S, REMEMBER_MOST = 300.0, 10_000


class SecurityOff(InvalidRequest):
    """A question about people, keys or privileges while there are none to tell apart."""


class HeaderAuthentication(BaseAuthentication):
    """Reads the Authorization header. Raises Unauthenticated for everything but success.

    With security off the header is not looked at, and everybody is the administrator.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiKey | None]:
        if not settings.SECURITY:
            return everybody(request.path_info), None
        scheme, _, credentials = request.headers.get("Authorization", "").strip().partition(" ")
        path = request.get_full_path()
        match scheme.lower():
            case "":
                raise Unauthenticated(
                    f"missing authentication credentials for REST request [{path}]"
                )
            case "basic":
                return basic_user(credentials, request._request), None
            case "apikey":
                key = api_key(credentials)
                return key.user, key
            case _:
                raise unusable_credentials()

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGES[0]


def everybody(path: str) -> User:
    """Raises SecurityOff on the routes that make sense only with security."""
    if path.startswith(SECURITY_ROUTES):
        raise SecurityOff(
            "Security must be explicitly enabled to use [_security]: set [CONSOLE_SECURITY] to "
            "[true] and start the server again"
        )
    return administrator()


def basic_user(credentials: str, request: HttpRequest) -> User:
    username, colon, password = _decode(credentials).partition(":")
    about = f"user [{username}] for REST request [{request.get_full_path()}]"
    if not colon:
        raise Unauthenticated(f"unable to authenticate {about}")
    if settings.OIDC_ONLY:
        raise Unauthenticated(f"unable to authenticate {about}: use an API key, not a password")
    user, address = user_by_name.find(username), client_address(request)
    if user is None or not verified_passwords.know(user, password, address):
        if minutes := lockout.minutes_left(request, username):
            raise Unauthenticated(
                f"unable to authenticate {about}: too many attempts failed from this address, "
                f"wait [{minutes}] minutes"
            )
        if user is None:
            make_password(password)  # as slow as for a known user, so that names cannot be guessed
        if user is None or not verified_passwords.verify(user, password, address):
            lockout.note_failure(request, username)
            raise Unauthenticated(f"unable to authenticate {about}")
    if not user.is_active:
        raise Unauthenticated(f"unable to authenticate {about}")
    if user.has_second_factor or user.needs_second_factor:
        raise Unauthenticated(
            f"unable to authenticate {about}: a second factor is needed to sign in as this user, "
            "so that a password is not enough; use an API key"
        )
    return user


def api_key(credentials: str) -> ApiKey:
    key_id, _, secret = _decode(credentials).partition(":")
    key = api_key_by_id.find(key_id)
    if key is None or not key.matches(secret):
        raise unusable_credentials(f"invalid credentials for API key [{key_id}]")
    if not key.is_valid:  # told only to who has the secret, so that ids cannot be guessed
        state = "is expired" if key.invalidated_at is None else "has been invalidated"
        raise unusable_credentials(f"api key [{key_id}] {state}")
    user = user_by_pk.find(key.user_id)
    if user is None or not user.is_active:
        raise unusable_credentials(f"the owner of api key [{key_id}] is disabled")
    key.user, user.acting_key = user, key
    return key


def unusable_credentials(of_key: str = "") -> Unauthenticated:
    """of_key: what is wrong with a key."""
    return Unauthenticated(
        "unable to authenticate with provided credentials and anonymous access is not allowed "
        "for this action",
        {"additional_unsuccessful_credentials": f"API key: {of_key}"} if of_key else None,
    )


def _decode(credentials: str) -> str:
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise unusable_credentials() from None


class VerifiedPasswords:
    """Passwords that were checked lately. Holds digests under a key that dies with the process.

    Who comes with a password that is being checked waits for that: fifty clients that start at
    once would else check it fifty times.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = Lock()
        self._checks = [Lock() for _ in range(256)]  # one for each first byte of a digest

    def know(self, user: User, password: str, address: str) -> bool:
        """Whether this was verified, from the same address: others wait while they are locked."""
        return self._knows(self._digest(user, password, address))

    def verify(self, user: User, password: str, address: str) -> bool:
        digest = self._digest(user, password, address)
        with self._checks[digest[0]]:
            if self._knows(digest):
                return True
            if not check_password(password, user.password):
                return False
            self._remember(digest)
        return True

    def _knows(self, digest: bytes) -> bool:
        return self._until.get(digest, 0.0) > time.monotonic()

    def _remember(self, digest: bytes) -> None:
        with self._lock:
            self._until[digest] = time.monotonic() + REMEMBER_S
            while len(self._until) > REMEMBER_MOST:
                self._until.popitem(last=False)

    def _digest(self, user: User, password: str, address: str) -> bytes:
        """Bound to the stored hash: a new password makes every digest of the old one worthless."""
        text = f"{user.pk}\0{user.password}\0{address}\0{password}"
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()


verified_passwords = VerifiedPasswords()
