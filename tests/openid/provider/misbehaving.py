"""What the provider does wrong, when it is told to."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import jwt
from django.http import HttpRequest, HttpResponse, JsonResponse
from oauth2_provider.utils import jwk_from_pem

from tests.openid.provider.settings import ANOTHER_PRIVATE_KEY, OIDC_RSA_PRIVATE_KEY

DISCOVERY, TOKEN, USERINFO = "/.well-known/openid-configuration", "/token/", "/userinfo/"
SLOW_S = 3.0


@dataclass
class Orders:
    """What is said instead of the truth; None takes a claim away.

    answers: status and text of an answer, by the end of its path. slow: the end of the path that
    is answered late. signed: `by another`, `by nobody`, `with the secret`; else as it should be.
    """

    discovery: dict[str, Any] = field(default_factory=dict)
    id_token: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    slow: str = ""
    signed: str = ""
    secret: str = ""


orders = Orders()


def misbehave(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        path = request.path
        if orders.slow and path.endswith(orders.slow):
            Event().wait(SLOW_S)
        for end, (status, text) in orders.answers.items():
            if path.endswith(end):
                return HttpResponse(text, status=status, content_type="application/json")
        response = get_response(request)
        if response.status_code != 200:
            return response
        if path.endswith(DISCOVERY):
            return changed(response, orders.discovery)
        if path.endswith(USERINFO):
            return changed(response, orders.userinfo)
        if path.endswith(TOKEN) and (orders.id_token or orders.signed):
            reply = json.loads(response.content)
            return JsonResponse(reply | {"id_token": forged(reply["id_token"])})
        return response

    return middleware


def changed(response: HttpResponse, changes: dict[str, Any]) -> HttpResponse:
    return JsonResponse(patched(json.loads(response.content), changes)) if changes else response


def patched(claims: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A change that begins with + is added to what is there."""
    moved = {
        name: claims[name] + int(value) if str(value).startswith(("+", "-")) else value
        for name, value in changes.items()
    }
    return {name: value for name, value in (claims | moved).items() if value is not None}


def forged(id_token: str) -> str:
    claims = jwt.decode(id_token, options={"verify_signature": False})
    header = {"kid": jwk_from_pem(OIDC_RSA_PRIVATE_KEY).thumbprint()}
    claims = patched(claims, orders.id_token)
    match orders.signed:
        case "by nobody":
            return jwt.encode(claims, "", algorithm="none", headers=header)
        case "with the secret":
            return jwt.encode(claims, orders.secret, algorithm="HS256", headers=header)
        case "by another":
            return jwt.encode(claims, ANOTHER_PRIVATE_KEY, "RS256", headers=header)
    return jwt.encode(claims, OIDC_RSA_PRIVATE_KEY, "RS256", headers=header)
