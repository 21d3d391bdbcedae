"""Signing in by a provider of OpenID Connect: django-allauth's way, with what it leaves unchecked.

It sends people there with a state and a PKCE challenge, and takes them back. Here: a nonce, the
ID token's signature, issuer and times, that the answers are about the same person, and limits.
"""

import time
from typing import Any

from allauth.account.internal.emailkit import valid_email_or_none
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest

from console.http import absolute
from console.openid.asking import ask, discovered, unusable
from console.openid.tokens import nonce_of, verified
from endpoints.directory import Identity
from endpoints.groups import groups_in
from endpoints.models import User

LONGEST_TEXT = 150


class Exchange(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # it carries no types
    """Turns the code that somebody comes back with into who it is."""

    def get_provider(self) -> "Service":
        return Service.configured(self.request)

    @property
    def openid_config(self) -> dict[str, Any]:
        return discovered()

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return absolute(request, "service-callback")

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str = ""
    ) -> dict[str, Any]:
        """The token endpoint's reply. Raises SignInFailed."""
        self._check_sender(request.GET.get("iss"))
        self._verifier = pkce_code_verifier
        sent = {
            "grant_type": "authorization_code",
            "code": request.GET["code"],
            "redirect_uri": self.get_callback_url(request, app),
            "code_verifier": pkce_code_verifier,
        }
        proof: dict[str, Any] = {}
        if self.basic_auth and app.secret:
            proof["auth"] = (app.client_id, app.secret)
        else:
            secret = {"client_secret": app.secret} if app.secret else {}
            sent |= {"client_id": app.client_id} | secret
        status, reply = ask("POST", self.access_token_url, data=sent, **proof)
        if status != 200:
            raise unusable(f"the code was refused with status {status}: {reply.get('error')}")
        if not isinstance(reply.get("access_token"), str):
            raise unusable("there is no access token for the code")
        return reply

    def _check_sender(self, issuer: str | None) -> None:
        """Whether it is the provider that sent somebody back. Source: RFC 9207, section 2.4."""
        says_so = self.openid_config.get("authorization_response_iss_parameter_supported") is True
        if issuer != settings.OIDC_ISSUER and (says_so or issuer is not None):
            raise unusable(f"somebody was sent back by [{issuer}]")

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        return SocialToken(token=data["access_token"])  # used once, and kept nowhere

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        keys = ask("GET", self.openid_config["jwks_uri"])[1]
        claims = verified(kwargs["response"].get("id_token"), keys, self._verifier)
        return self.get_provider().login_of(claims | self._userinfo(token.token, claims["sub"]))

    def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        """What else the provider says of the same person. Raises SignInFailed."""
        url = self.openid_config.get("userinfo_endpoint")
        if not isinstance(url, str):
            return {}
        status, said = ask("GET", url, headers={"Authorization": f"Bearer {access_token}"})
        if status != 200:
            raise unusable(f"who it is was refused with status {status}")
        if said.get("sub") != subject:
            raise unusable("the ID token and the userinfo are about different people")
        # What says whom a token is for is believed where it is signed only.
        return {name: value for name, value in said.items() if name not in ("iss", "aud")}


class ServiceLogin(SocialLogin):  # type: ignore[misc]  # it carries no types
    """Somebody whom the provider vouches for. proved_at: when it last asked, if it says so."""

    identity: Identity
    proved_at: object = None

    def was_proved_within(self, seconds: float) -> bool:
        """So it is where the provider does not say: not all do, though they were asked to."""
        if not isinstance(self.proved_at, int | float):
            return True
        return time.time() - self.proved_at < seconds


class Service(OpenIDConnectProvider):  # type: ignore[misc]  # it carries no types
    """The one provider of this installation; people are known there by its issuer."""

    oauth2_adapter_class = Exchange

    @classmethod
    def configured(cls, request: HttpRequest) -> "Service":
        """Raises SocialApp.DoesNotExist where there is none."""
        if not settings.OIDC_ISSUER:
            raise SocialApp.DoesNotExist
        app = SocialApp(
            provider=cls.id,
            provider_id=settings.OIDC_ISSUER,
            name=settings.OIDC_NAME,
            client_id=settings.OIDC_CLIENT_ID,
            secret=settings.OIDC_CLIENT_SECRET,
            settings={
                "server_url": settings.OIDC_ISSUER,
                "scope": settings.OIDC_SCOPES,
                "oauth_pkce_enabled": True,
            },
        )
        return cls(request, app=app)

    def get_pkce_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_pkce_params()
        return params | {"nonce": nonce_of(params["code_verifier"])}

    def login_of(self, claims: dict[str, Any]) -> ServiceLogin:
        """Nothing of the claims is kept but who it is; a login that is not stored yet."""
        login = ServiceLogin(
            provider=self,
            user=User(),
            account=SocialAccount(provider=self.sub_id, uid=claims["sub"]),
        )
        login.identity, login.proved_at = identity_of(claims), claims.get("auth_time")
        login.account.extra_data = {"preferred_username": login.identity.username}
        return login


def identity_of(claims: dict[str, Any]) -> Identity:
    email = valid_email_or_none(_text(claims, "email")) or ""
    return Identity(
        issuer=settings.OIDC_ISSUER,
        subject=claims["sub"],
        username=_text(claims, "preferred_username") or email.partition("@")[0],
        email=email if claims.get("email_verified") is True else "",
        first_name=_text(claims, "given_name"),
        last_name=_text(claims, "family_name"),
        groups=groups_in(claims, settings.OIDC_GROUPS_CLAIM),
    )


def _text(claims: dict[str, Any], name: str) -> str:
    """A claim that is text, as far as it can be stored; empty where it is something else."""
    said = claims.get(name)
    if not isinstance(said, str):
        return ""
    return said.encode(errors="ignore").decode().replace("\0", "").strip()[:LONGEST_TEXT]
