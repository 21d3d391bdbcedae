"""Whether an ID token says what it says to us, now, and by whom it should."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import jwt
from django.conf import settings

from console.openid.asking import SignInFailed, unusable

LEEWAY_S = 60  # by which the clocks may differ
SUBJECT = re.compile(r"[ -~]{1,191}")
# With a secret that both know, whoever knows it could write tokens; unsigned, everybody could.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
MUST_SAY = ["iss", "sub", "aud", "exp", "iat"]


def nonce_of(verifier: str) -> str:
    """What an ID token must repeat, made of the secret that only this sign-in knows."""
    return hashlib.sha256(f"nonce of {verifier}".encode()).hexdigest()


def verified(id_token: object, keys: Mapping[str, Any], verifier: str) -> dict[str, Any]:
    """The claims of an ID token. Raises SignInFailed.

    keys: those the provider signs with. Source: OpenID Connect Core 1.0, section 3.1.3.7.
    """
    client_id = settings.OIDC_CLIENT_ID
    if not isinstance(id_token, str):
        raise unusable("there is no ID token beside the access token")
    try:
        claims: dict[str, Any] = jwt.decode(
            id_token,
            _key(jwt.get_unverified_header(id_token), keys),
            algorithms=ALGORITHMS,
            audience=client_id,
            issuer=settings.OIDC_ISSUER,
            leeway=LEEWAY_S,
            options={"require": MUST_SAY, "enforce_minimum_key_length": True},
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as exc:
        raise SignInFailed(
            f"The clocks of {settings.OIDC_NAME} and of this server differ too much, or it took "
            "too long to sign in. Try again.",
            f"the ID token is of another time: {exc}",
        ) from exc
    except jwt.PyJWTError as exc:
        raise unusable(f"the ID token cannot be trusted: {exc}") from exc
    is_for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if is_for_several else client_id) != client_id:
        raise unusable(f"the ID token was given to [{claims.get('azp')}]")
    if not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce_of(verifier).encode()):
        raise unusable("the ID token is of another sign-in: its nonce differs")
    if not SUBJECT.fullmatch(claims["sub"]):
        raise unusable(f"the ID token's sub is none: {claims['sub']!a:.250}")
    return claims


def _key(header: Mapping[str, Any], keys: Mapping[str, Any]) -> jwt.PyJWK:
    """The key that a token names, or the only one there is. Raises PyJWTError."""
    found = [
        key
        for key in jwt.PyJWKSet.from_dict(dict(keys)).keys
        if key.public_key_use in (None, "sig") and header.get("kid") in (None, key.key_id)
    ]
    if len(found) != 1:
        raise jwt.InvalidKeyError(f"it names the key [{header.get('kid')}]; {len(found)} fit")
    return found[0]
