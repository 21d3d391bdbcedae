"""A console that people sign in to by a provider, and the provider."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from endpoints.groups import read_mapping
from endpoints.models import User
from tests.openid.running import CLIENT_ID, CLIENT_SECRET, Provider

CONSOLE = "http://testserver"
MAPPING = """{
    "ml-team": {"team": "search", "role": "inference_admin"},
    "ml-leads": {"team": "search", "role": "team_admin"},
    "ops": {"roles": ["superuser"]}
}"""


@pytest.fixture(scope="session")
def running_provider() -> Iterator[Provider]:
    with Provider() as provider:
        provider.knows_console_at(CONSOLE)
        yield provider


@pytest.fixture
def provider(running_provider: Provider, settings: Settings, db: None) -> Provider:
    """The provider, behaving, as the settings of the console name it."""
    settings.OIDC_ISSUER = running_provider.issuer
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    settings.OIDC_NAME = "Acme SSO"
    settings.OIDC_GROUPS = read_mapping(MAPPING)
    running_provider.does()
    cache.clear()  # of what it said of itself before
    running_provider.knows("anna", groups=["ml-team"], given_name="Anna", family_name="Ash")
    return running_provider


@dataclass
class Browser:
    """Somebody's browser: the console by Django's client, the provider over HTTP."""

    provider: Provider
    client: Client

    def begin(self, where: str = "/console/sign-in/service") -> str:
        """The address at the provider that the console leads to."""
        response = self.client.get(where)
        assert response.status_code == 302, response.content
        return str(response["Location"])

    def come_back(self, name: str = "anna") -> str:
        """Where the provider leads back to, after a sign-in there."""
        return self.provider.send_back(self.begin(), name)

    def sign_in(self, name: str = "anna") -> HttpResponse:
        """The answer to who comes back from the provider."""
        return cast(HttpResponse, self.client.get(self.come_back(name)))

    @property
    def user(self) -> User | None:
        """Who is signed in."""
        pk = self.client.session.get("_auth_user_id")
        return User.objects.get(pk=pk) if pk else None

    def told(self) -> str:
        """What the sign-in page says went wrong."""
        assert self.user is None
        page = self.client.get("/console/sign-in")
        return " | ".join(str(message) for message in page.context["messages"])


@pytest.fixture
def browser(provider: Provider) -> Browser:
    return Browser(provider, Client())
