"""How a request proves who sends it. Plain data: what has to be fetched is described, not done."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from google.auth import crypt, jwt
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SecretStr,
    ValidationError,
    field_validator,
)

from inference.errors import InvalidSettings
from inference.upstream.places import url_problem

# A token is renewed this long before it ends, so that none ends on its way.
EARLY_S = 300.0
GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
APIKEY_GRANT = "urn:ibm:params:oauth:grant-type:apikey"


def header_safe(key: SecretStr) -> SecretStr:
    """Raises ValueError for what no header can carry."""
    text = key.get_secret_value()
    if not (text.isascii() and text.isprintable() and text == text.strip()):
        raise ValueError("has a blank around it, a line break, or what is no ASCII character")
    return key


class Token(BaseModel):
    """The answer to a token request. expires_in: seconds; an hour where it is not told."""

    model_config = ConfigDict(frozen=True)

    access_token: Annotated[SecretStr, AfterValidator(header_safe)]
    expires_in: float = 3600.0

    @property
    def lasts_s(self) -> float:
        return max(self.expires_in - EARLY_S, self.expires_in / 2)


class Tokens(Protocol):
    """Whoever fetches tokens and remembers them until shortly before they end."""

    def get(self, grant: "Grant") -> str: ...


class Auth(Protocol):
    """Signs a finished request in place. Nothing about it may change afterwards."""

    def sign(self, request: httpx.Request, tokens: Tokens) -> None: ...


@dataclass(frozen=True)
class NoAuth:
    def sign(self, request: httpx.Request, tokens: Tokens) -> None:
        pass


@dataclass(frozen=True)
class HeaderKey:
    """A key in a header of its own: `x-api-key`, or `Authorization` with a word before it."""

    name: str
    key: SecretStr
    prefix: str = ""

    def sign(self, request: httpx.Request, tokens: Tokens) -> None:
        """Raises InvalidSettings."""
        try:
            key = header_safe(self.key)
        except ValueError as exc:
            raise InvalidSettings([f"[service_settings] The key {exc}"]) from None
        request.headers[self.name] = f"{self.prefix}{key.get_secret_value()}"


def bearer(key: SecretStr) -> HeaderKey:
    return HeaderKey("Authorization", key, "Bearer ")


@dataclass(frozen=True)
class QueryKey:
    """A key among the parameters of the address."""

    name: str
    key: SecretStr

    def sign(self, request: httpx.Request, tokens: Tokens) -> None:
        request.url = request.url.copy_merge_params({self.name: self.key.get_secret_value()})


class Grant(Protocol):
    """A request for a token. Equal grants share one."""

    @property
    def what(self) -> str:
        """What is asked for, for reasons of failures."""
        ...

    @property
    def refused_status(self) -> int | None:
        """What a caller is told when no token is given; None: what the giver said."""
        ...

    def request(self) -> httpx.Request: ...


@dataclass(frozen=True)
class TokenAuth:
    """A bearer token that has to be fetched first."""

    grant: Grant

    def sign(self, request: httpx.Request, tokens: Tokens) -> None:
        request.headers["Authorization"] = f"Bearer {tokens.get(self.grant)}"


@dataclass(frozen=True)
class ClientCredentials:
    """OAuth2, RFC 6749 section 4.4, with the credentials in the form."""

    token_url: str
    client_id: str
    client_secret: SecretStr
    scopes: tuple[str, ...]
    what: str = "an OAuth2 access token"
    refused_status: int | None = None

    def request(self) -> httpx.Request:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
            "scope": " ".join(self.scopes),
        }
        return httpx.Request("POST", self.token_url, data=form)


@dataclass(frozen=True)
class IamKey:
    """IBM Cloud: an API key for a token."""

    key: SecretStr
    url: str = "https://iam.cloud.ibm.com/identity/token"
    what: str = "Bearer Token"
    refused_status: int | None = None

    def request(self) -> httpx.Request:
        form = {"grant_type": APIKEY_GRANT, "apikey": self.key.get_secret_value()}
        return httpx.Request("POST", self.url, data=form)


class ServiceAccountKey(BaseModel):
    """What is needed of the key file of a Google service account."""

    model_config = ConfigDict(hide_input_in_errors=True)

    client_email: str
    private_key: SecretStr
    private_key_id: str | None = None
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address

    @field_validator("token_uri")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if why := url_problem(value):
            raise ValueError(why)
        return value


@dataclass(frozen=True)
class ServiceAccount:
    """A Google service account: a signed claim for a token."""

    key_file: SecretStr
    what: str = "an access token of the service account"
    # Google's own service answers nothing of use; Elasticsearch calls each failure forbidden.
    refused_status: int | None = 403

    def check(self, setting: str) -> None:
        """Raises InvalidSettings where the text is none of the key files that Google gives out."""
        try:
            self._signer()
        except (ValidationError, ValueError):
            raise InvalidSettings(
                [
                    f"[service_settings] [{setting}] must be the JSON key file of a Google "
                    "service account, with [client_email] and [private_key]"
                ]
            ) from None

    def request(self) -> httpx.Request:
        key, signer = self._signer()
        now = int(time.time())
        claim: Mapping[str, Any] = {
            "iss": key.client_email,
            "scope": GOOGLE_SCOPE,
            "aud": key.token_uri,
            "iat": now,
            "exp": now + 3600,
        }
        assertion = jwt.encode(signer, claim).decode()  # type: ignore[no-untyped-call]
        return httpx.Request(
            "POST", key.token_uri, data={"grant_type": JWT_BEARER, "assertion": assertion}
        )

    def _signer(self) -> tuple[ServiceAccountKey, Any]:
        key = ServiceAccountKey.model_validate(json.loads(self.key_file.get_secret_value()))
        signer = crypt.RSASigner.from_string(  # type: ignore[no-untyped-call]
            key.private_key.get_secret_value(), key.private_key_id
        )
        return key, signer


@dataclass(frozen=True)
class AwsSignature:
    """Signature Version 4, over the very bytes that are sent."""

    access_key: SecretStr
    secret_key: SecretStr
    region: str
    service: str
    headers: frozenset[str] = field(default=frozenset({"content-type", "accept"}))

    def sign(self, request: httpx.Request, tokens: Tokens) -> None:
        signed = {
            name: value
            for name, value in request.headers.items()
            if name in self.headers or name.startswith("x-amzn-")
        }
        request.read()
        asked = AWSRequest(request.method, str(request.url), headers=signed, data=request.content)
        credentials = Credentials(
            self.access_key.get_secret_value(), self.secret_key.get_secret_value()
        )
        SigV4Auth(credentials, self.service, self.region).add_auth(asked)
        for name, value in asked.headers.items():
            request.headers[name] = value
