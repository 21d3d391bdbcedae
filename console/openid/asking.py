"""Questions to the provider of a sign-in, all of which are answered in time or not at all."""

import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.core.cache import cache

TIMEOUT_S = 10.0
MAX_REPLY_BYTES = 1024 * 1024
REMEMBER_S = 600
ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class SignInFailed(OAuth2Error):  # type: ignore[misc]  # it carries no types
    """Why nobody was signed in, in words for whoever tried; the log says more.

    detail: for the log, without secrets.
    """

    def __init__(self, words: str, detail: str = "") -> None:
        super().__init__(words)
        self.detail = detail


def ask(method: str, url: str, **sent: Any) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer. Raises SignInFailed.

    The address may be a private one: it comes from the settings of this installation.
    """
    host = urlsplit(url).netloc
    deadline = time.monotonic() + TIMEOUT_S
    body = bytearray()
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S) as client,
            client.stream(method, url, **sent) as response,
        ):
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_REPLY_BYTES or time.monotonic() > deadline:
                    raise unusable(f"[{host}] answered too much or too slowly")
    except httpx.TimeoutException as exc:
        raise unreachable(f"[{host}] did not answer within {TIMEOUT_S:g} s") from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise unreachable(f"[{host}]: {exc}") from exc
    if response.status_code >= 500:
        raise unreachable(f"[{host}] answered with status {response.status_code}")
    try:
        reply = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise unusable(f"[{host}] answered {response.status_code} and no JSON") from exc
    if not isinstance(reply, dict):
        raise unusable(f"[{host}] answered with JSON that is no object")
    return response.status_code, reply


def discovered() -> dict[str, Any]:
    """What the provider says of itself, asked anew every ten minutes. Raises SignInFailed.

    Source: OpenID Connect Discovery 1.0, sections 3 and 4.
    """
    issuer = settings.OIDC_ISSUER
    key = f"openid:{issuer}"
    if isinstance(kept := cache.get(key), dict):
        return kept
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    status, found = ask("GET", url)
    if status != 200:
        raise unusable(f"[{url}] answered with status {status}")
    if found.get("issuer") != issuer:
        raise unusable(f"[{url}] is of the issuer [{found.get('issuer')}], not of [{issuer}]")
    for name in ADDRESSES:
        if not _is_as_safe(found.get(name), issuer):
            raise unusable(f"[{url}] gives no [{name}] that can be used")
    cache.set(key, found, REMEMBER_S)
    return found


def _is_as_safe(url: object, issuer: str) -> bool:
    """Whether it is an address, and is encrypted wherever the issuer's own is."""
    schemes = ("https",) if urlsplit(issuer).scheme == "https" else ("https", "http")
    return isinstance(url, str) and urlsplit(url).scheme in schemes and bool(urlsplit(url).netloc)


def unreachable(detail: str) -> SignInFailed:
    return SignInFailed(f"{settings.OIDC_NAME} cannot be reached. Try again in a moment.", detail)


def unusable(detail: str) -> SignInFailed:
    return SignInFailed(
        f"{settings.OIDC_NAME} gave an answer that cannot be used. Tell an administrator; the log "
        "says more.",
        detail,
    )
