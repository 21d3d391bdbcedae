"""Accounts of this console that are linked to the provider, and sign-ins by it alone."""

import base64
from typing import Any, cast

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from endpoints.models import AuditEntry, Membership, User
from tests.factories import PASSWORD, make_admin, make_user
from tests.openid.conftest import Browser
from tests.openid.running import Provider, query

SIGN_IN = {"login": "bob", "password": PASSWORD}


def told(response: Any) -> str:
    return " | ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.fixture
def bob(browser: Browser) -> User:
    """Somebody with a password, who signed in with it a moment ago."""
    user = make_user("bob")
    assert browser.client.post(reverse("sign-in"), SIGN_IN).status_code == 302
    return user


def begin_to_link(browser: Browser) -> str:
    """The address at the provider on the page that leads there."""
    page = browser.client.post(reverse("service-link"))
    return str(page.context["address"])


def link(browser: Browser, name: str = "anna") -> HttpResponse:
    back = browser.provider.send_back(begin_to_link(browser), name)
    return cast(HttpResponse, browser.client.get(back))


def test_an_account_is_linked_by_who_is_signed_in_to_it(browser: Browser, bob: User) -> None:
    answer = link(browser)

    assert answer["Location"] == reverse("mfa_index")
    assert SocialAccount.objects.get().user == bob
    browser.client.logout()
    browser.sign_in("anna")
    assert browser.user == bob
    assert Membership.objects.get(user=bob).team.name == "search"


def test_nothing_is_linked_by_a_link(browser: Browser, bob: User) -> None:
    page = browser.client.get(reverse("service-link"))

    assert "Link your account to Acme SSO?" in page.content.decode()
    assert Client(enforce_csrf_checks=True).post(reverse("service-link")).status_code == 403


def test_linking_asks_first_who_it_is(browser: Browser) -> None:
    browser.client.force_login(make_user("bob"))  # long ago

    answer = browser.client.post(reverse("service-link"))

    assert answer["Location"].startswith(reverse("account_reauthenticate"))


def test_what_another_began_is_linked_to_nobody(
    browser: Browser, provider: Provider, bob: User
) -> None:
    back = provider.send_back(begin_to_link(browser), "anna")
    browser.client.post(reverse("sign-out"))
    browser.client.get(back)
    assert "begun elsewhere" in browser.told()

    other = Browser(provider, Client())
    other.client.force_login(make_user("mallory"))
    assert "begun elsewhere" in told(other.client.get(back))
    assert not SocialAccount.objects.exists()


def test_what_is_linked_to_another_is_told(browser: Browser, bob: User) -> None:
    issuer = browser.provider.issuer
    SocialAccount.objects.create(user=make_user("other"), provider=issuer, uid="sub-anna")

    assert "Another account here is linked" in told(link(browser))
    assert not SocialAccount.objects.filter(user=bob).exists()


def test_a_link_is_taken_back(browser: Browser, bob: User) -> None:
    link(browser)

    assert browser.client.get(reverse("service-unlink")).status_code == 200
    answer = browser.client.post(reverse("service-unlink"))

    assert answer["Location"] == reverse("mfa_index")
    assert not SocialAccount.objects.exists()
    assert list(AuditEntry.objects.values_list("verb", flat=True)[:2]) == [
        "person.unlink",
        "person.link",
    ]


def test_who_proves_it_again_is_asked_there(browser: Browser, provider: Provider) -> None:
    browser.sign_in()
    asked = browser.begin(f"{reverse('service-sign-in')}?again=1&next=/console/clusters")
    assert query(asked)["prompt"] == "login"

    answer = browser.client.get(provider.send_back(asked, "anna"))

    assert answer["Location"] == "/console/clusters"


def test_who_was_not_asked_again_has_proved_nothing(browser: Browser, provider: Provider) -> None:
    asked = browser.begin(f"{reverse('service-sign-in')}?again=1")
    back = provider.send_back(asked, "anna")
    provider.does(id_token={"auth_time": "-3600"})

    browser.client.get(back)

    assert "did not ask you again" in browser.told()


class TestAlone:
    """No password counts where the provider alone signs people in."""

    @pytest.fixture(autouse=True)
    def _alone(self, settings: Settings) -> None:
        settings.OIDC_ONLY = True

    def test_no_password_signs_in(self, browser: Browser) -> None:
        make_admin("bob")

        answer = browser.client.post(reverse("sign-in"), SIGN_IN)

        assert "Sign in with Acme SSO: no password counts here" in answer.content.decode()
        assert browser.user is None

    def test_the_page_asks_for_none(self, browser: Browser) -> None:
        page = browser.client.get(reverse("sign-in")).content.decode()

        assert 'type="password"' not in page
        assert "a passkey" not in page
        assert "Sign in with Acme SSO" in page

    def test_the_api_takes_keys_alone(self, browser: Browser) -> None:
        make_admin("bob")
        credentials = base64.b64encode(f"bob:{PASSWORD}".encode()).decode()

        answer = Client().get("/_inference", headers={"Authorization": f"Basic {credentials}"})

        assert answer.status_code == 401
        assert "use an API key, not a password" in answer.content.decode()

    def test_the_provider_does(self, browser: Browser) -> None:
        browser.sign_in()

        assert browser.user is not None
