"""Signing in by a provider of OpenID Connect, which is a process of its own."""

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.urls import reverse
from pytest_django import Settings

from endpoints.models import AuditEntry, Membership, User
from tests.factories import make_admin, make_user
from tests.openid.conftest import Browser
from tests.openid.running import Provider, query


def test_who_is_vouched_for_gets_an_account_and_the_rights_of_their_groups(
    browser: Browser,
) -> None:
    answer = browser.sign_in()

    assert answer["Location"] == reverse("overview")
    anna = browser.user
    assert anna is not None
    assert (anna.username, anna.get_full_name()) == ("anna", "Anna Ash")
    assert not anna.has_usable_password()
    membership = Membership.objects.get(user=anna)
    assert (membership.team.name, membership.role) == ("search", "inference_admin")
    assert membership.is_managed
    assert browser.client.get("/console/").status_code == 200


def test_it_goes_on_to_the_page_that_was_open(browser: Browser) -> None:
    back = browser.provider.send_back(
        browser.begin("/console/sign-in/service?next=/console/clusters"), "anna"
    )

    assert browser.client.get(back)["Location"] == "/console/clusters"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/"])
def test_it_leads_nowhere_else(browser: Browser, elsewhere: str) -> None:
    back = browser.provider.send_back(
        browser.begin(f"/console/sign-in/service?next={elsewhere}"), "anna"
    )

    assert browser.client.get(back)["Location"] == reverse("overview")


def test_what_is_asked_of_the_provider_is_the_consoles_to_say(browser: Browser) -> None:
    asked = query(
        browser.begin("/console/sign-in/service?scope=admin&auth_params=redirect_uri%3Dhttp://evil")
    )

    assert asked["redirect_uri"] == "http://testserver/console/sign-in/service/callback"
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["state"] != asked["nonce"] != asked["code_challenge"]


def test_the_next_sign_in_finds_the_same_person(browser: Browser, provider: Provider) -> None:
    browser.sign_in()
    first = browser.user
    provider.knows("anna", groups=["ml-team"], preferred_username="elastic", email="e@acme.test")

    browser.client.logout()
    browser.sign_in()

    assert browser.user == first
    assert User.objects.count() == 1


def test_the_session_changes_and_ends(browser: Browser) -> None:
    back = browser.come_back()
    before = browser.client.session.session_key

    browser.client.get(back)

    assert browser.client.session.session_key != before
    assert 11.9 < browser.client.session.get_expiry_age() / 3600 <= 12


def test_nothing_is_kept_of_what_the_provider_says(browser: Browser, provider: Provider) -> None:
    provider.knows("anna", groups=["ml-team", "secret-project"], salary=1)

    browser.sign_in()

    account = SocialAccount.objects.get()
    assert (account.provider, account.uid) == (provider.issuer, "sub-anna")
    assert account.extra_data == {"preferred_username": "anna"}
    assert not SocialToken.objects.exists()
    assert "secret-project" not in str(dict(browser.client.session))


def test_nobody_is_recognised_by_a_name_or_an_address(browser: Browser, provider: Provider) -> None:
    local = make_admin("elastic")
    User.objects.filter(pk=local.pk).update(email="boss@acme.test")
    said = {"preferred_username": "elastic", "email": "boss@acme.test", "email_verified": True}
    provider.knows("mallory", groups=["ml-team"], **said)

    browser.sign_in("mallory")

    mallory = browser.user
    assert mallory is not None
    assert mallory != local
    assert (mallory.username, mallory.email, mallory.is_superuser) == ("elastic-2", "", False)


@pytest.mark.parametrize(
    "odd",
    [
        {"preferred_username": "x" * 100_000, "given_name": "y" * 1000, "family_name": "\t"},
        {"preferred_username": ["anna"], "email": {"a": 1}, "given_name": 7, "groups": "ml-team"},
        {"preferred_username": None, "email": "a" * 300 + "@acme.test", "email_verified": True},
        {"preferred_username": "\0\0", "email": "a\n@acme.test", "email_verified": "yes"},
    ],
)
def test_odd_claims_are_survived(
    browser: Browser, provider: Provider, odd: dict[str, object]
) -> None:
    provider.knows("anna", **{"groups": ["ml-team"]} | odd)

    browser.sign_in()

    assert browser.user is not None
    assert len(browser.user.username) <= 64
    assert browser.user.email == ""


def test_the_same_subject_at_another_provider_is_somebody_else(
    browser: Browser, provider: Provider
) -> None:
    local = make_user("anna-here")
    SocialAccount.objects.create(user=local, provider="https://old.example", uid="sub-anna")

    browser.sign_in()

    assert browser.user != local


def test_who_has_no_group_here_is_not_let_in(browser: Browser, provider: Provider) -> None:
    provider.knows("bob", groups=["sales"])

    answer = browser.sign_in("bob")

    assert answer["Location"] == reverse("sign-in")
    assert "Nobody gave you access here yet" in browser.told()
    assert not User.objects.exists()
    entry = AuditEntry.objects.exclude(verb="session.start").get()
    assert (entry.verb, entry.subject, entry.outcome) == ("session.refuse", "bob", "refused")


def test_where_everybody_may_come_in_it_says_whom_to_ask(
    browser: Browser, provider: Provider, settings: Settings
) -> None:
    settings.OIDC_CREATE = "true"
    make_admin("root")
    provider.knows("bob", groups=["sales"])

    answer = browser.sign_in("bob")

    assert answer["Location"] == reverse("no-access")
    page = browser.client.get(answer["Location"]).content.decode()
    assert "<strong>bob</strong>" in page
    assert "<strong>root</strong>" in page
    provider.knows("bob", groups=["ml-team"])
    browser.sign_in("bob")
    assert browser.client.get(answer["Location"])["Location"] == reverse("overview")


def test_where_nobody_new_may_come_in_a_group_does_not_help(
    browser: Browser, settings: Settings
) -> None:
    settings.OIDC_CREATE = "false"

    browser.sign_in()

    assert "Nobody gave you access" in browser.told()
    assert not User.objects.exists()


def test_a_group_that_is_taken_away_takes_its_role_with_it(
    browser: Browser, provider: Provider
) -> None:
    provider.knows("anna", groups=["ml-team", "ops"])
    browser.sign_in()
    assert browser.user is not None
    assert browser.user.is_superuser
    make_admin("another")
    provider.knows("anna", groups=[])

    answer = browser.sign_in()

    assert answer["Location"] == reverse("no-access")
    assert browser.user is not None
    assert not browser.user.is_superuser
    assert not Membership.objects.exists()


def test_who_was_deactivated_here_stays_out(browser: Browser) -> None:
    browser.sign_in()
    User.objects.update(is_active=False)
    browser.client.logout()

    browser.sign_in()

    assert "switched off" in browser.told()
    assert browser.user is None


def test_whoever_is_signed_in_becomes_who_signs_in(browser: Browser, provider: Provider) -> None:
    browser.client.force_login(make_user("somebody"))

    browser.sign_in()

    assert browser.user is not None
    assert browser.user.username == "anna"
