"""What goes wrong on the way to a provider and back: told in plain words, and nothing is made."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from console.openid import asking
from endpoints.models import AuditEntry, User
from tests.openid.conftest import Browser
from tests.openid.running import CLIENT_SECRET, Provider, query
from tests.product.running import free_port

UNUSABLE = "Acme SSO gave an answer that cannot be used"
UNREACHABLE = "Acme SSO cannot be reached"
WRONG_TIME = "The clocks of Acme SSO and of this server differ too much"
NOT_OURS = "This sign-in was begun elsewhere, was used already or took too long"


def refused(browser: Browser, words: str) -> None:
    assert words in browser.told()
    assert not User.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ({"id_token": {"iss": "https://evil.example"}}, UNUSABLE),
        ({"id_token": {"aud": "another-client"}}, UNUSABLE),
        ({"id_token": {"aud": ["console", "another-client"]}}, UNUSABLE),
        ({"id_token": {"azp": "another-client"}}, UNUSABLE),
        ({"id_token": {"nonce": "of another sign-in"}}, UNUSABLE),
        ({"id_token": {"nonce": None}}, UNUSABLE),
        ({"id_token": {"exp": 1}}, WRONG_TIME),
        ({"id_token": {"exp": None}}, UNUSABLE),
        ({"id_token": {"iat": "+600", "exp": "+600"}}, WRONG_TIME),
        ({"id_token": {"exp": "soon"}}, UNUSABLE),
        ({"id_token": {"sub": ""}}, UNUSABLE),
        ({"id_token": {"sub": "s" * 192}}, UNUSABLE),
        ({"id_token": {"sub": 7}}, UNUSABLE),
        ({"id_token": {"sub": "\0"}}, UNUSABLE),
        ({"id_token": {"sub": "\u0430nna"}}, UNUSABLE),
        ({"signed": "by another"}, UNUSABLE),
        ({"signed": "by nobody"}, UNUSABLE),
        ({"signed": "with the secret", "secret": CLIENT_SECRET * 2}, UNUSABLE),
        ({"userinfo": {"sub": "sub-somebody-else"}}, UNUSABLE),
        ({"userinfo": {"sub": None}}, UNUSABLE),
    ],
    ids=str,
)
def test_a_token_that_does_not_hold_is_not_believed(
    browser: Browser, provider: Provider, orders: dict[str, Any], words: str
) -> None:
    provider.does(**orders)

    browser.sign_in()

    refused(browser, words)


def test_clocks_may_differ_a_little(browser: Browser, provider: Provider) -> None:
    provider.does(id_token={"iat": "+30", "exp": "+30"})

    browser.sign_in()

    assert browser.user is not None


@pytest.mark.parametrize("end", ["/token/", "/userinfo/", "/jwks.json"])
@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        (200, "<html>Hello", UNUSABLE),
        (200, "", UNUSABLE),
        (200, "[]", UNUSABLE),
        (200, '"access_token"', UNUSABLE),
        (200, '{"access_token": 7, "sub": [], "keys": 5}', UNUSABLE),
        (200, '{"access_token": "", "keys": [7, {"kty": "x"}]}', UNUSABLE),
        (302, "{}", UNUSABLE),
        (400, '{"error": "invalid_grant"}', UNUSABLE),
        (503, "busy", UNREACHABLE),
    ],
)
def test_an_answer_of_no_use_signs_nobody_in(
    browser: Browser, provider: Provider, end: str, status: int, text: str, words: str
) -> None:
    provider.does(answers={end: [status, text]})

    browser.sign_in()

    refused(browser, words)


def test_an_answer_without_end_is_not_read_to_its_end(browser: Browser, provider: Provider) -> None:
    provider.does(answers={"/userinfo/": [200, " " * (asking.MAX_REPLY_BYTES + 1)]})

    browser.sign_in()

    refused(browser, UNUSABLE)


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ({"discovery": {"issuer": "https://evil.example"}}, UNUSABLE),
        ({"discovery": {"issuer": None}}, UNUSABLE),
        ({"discovery": {"token_endpoint": None}}, UNUSABLE),
        ({"discovery": {"token_endpoint": "file:///etc/passwd"}}, UNUSABLE),
        ({"discovery": {"authorization_endpoint": ["http://x"]}}, UNUSABLE),
        ({"answers": {"/openid-configuration": [404, "{}"]}}, UNUSABLE),
        ({"answers": {"/openid-configuration": [200, "<html>"]}}, UNUSABLE),
        ({"answers": {"/openid-configuration": [502, ""]}}, UNREACHABLE),
    ],
    ids=str,
)
def test_a_provider_that_does_not_describe_itself_is_not_asked(
    browser: Browser, provider: Provider, orders: dict[str, Any], words: str
) -> None:
    provider.does(**orders)

    assert browser.begin() == reverse("sign-in")

    refused(browser, words)


def test_a_provider_that_is_down_is_told(browser: Browser, settings: Settings) -> None:
    settings.OIDC_ISSUER = f"http://127.0.0.1:{free_port()}/o"

    assert browser.begin() == reverse("sign-in")

    refused(browser, UNREACHABLE)


def test_a_provider_that_is_slow_is_not_waited_for(
    browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = browser.come_back()
    monkeypatch.setattr(asking, "TIMEOUT_S", 0.2)
    provider.does(slow="/token/")

    browser.client.get(back)

    refused(browser, UNREACHABLE)


def test_a_wrong_client_secret_is_told(browser: Browser, settings: Settings) -> None:
    settings.OIDC_CLIENT_SECRET = "another"

    browser.sign_in()

    refused(browser, UNUSABLE)


def test_an_answer_that_was_used_is_not_taken_again(browser: Browser) -> None:
    back = browser.come_back()
    browser.client.get(back)
    browser.client.logout()

    browser.client.get(back)

    assert NOT_OURS in browser.told()


def test_an_answer_to_another_browser_is_not_taken(browser: Browser, provider: Provider) -> None:
    back = browser.come_back()

    other = Browser(provider, Client())
    other.client.get(back)

    refused(other, NOT_OURS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "another"}, NOT_OURS),
        ({"state": None}, NOT_OURS),
        ({"code": "another"}, UNUSABLE),
        ({"code": None}, "Acme SSO refused to sign you in"),
        ({"iss": "https://evil.example"}, UNUSABLE),
        ({"code": None, "error": "access_denied"}, "You did not sign in with Acme SSO"),
        ({"code": None, "error": "server_error"}, "Acme SSO refused to sign you in"),
        ({"code": None, "error": "<script>"}, "Acme SSO refused to sign you in"),
    ],
    ids=str,
)
def test_an_answer_that_was_changed_on_its_way_is_not_taken(
    browser: Browser, changes: dict[str, str | None], words: str
) -> None:
    back = browser.come_back()
    said = {name: value for name, value in (query(back) | changes).items() if value is not None}

    browser.client.get(f"{reverse('service-callback')}?{urlencode(said)}")

    refused(browser, words)


def test_a_provider_that_says_who_it_is_must_do_so(browser: Browser, provider: Provider) -> None:
    provider.does(discovery={"authorization_response_iss_parameter_supported": True})

    browser.sign_in()

    refused(browser, UNUSABLE)


def test_without_a_provider_there_is_no_way_to_one(browser: Browser, settings: Settings) -> None:
    settings.OIDC_ISSUER = ""

    assert browser.client.get(reverse("service-sign-in")).status_code == 404
    assert browser.client.get(reverse("service-callback")).status_code == 404
    assert "Acme SSO" not in browser.client.get(reverse("sign-in")).content.decode()
