"""Coming by an invitation with the account of one's organisation."""

import pytest
from django.utils import timezone
from pytest_django import Settings

from endpoints import invitations, teams
from endpoints.invitations import Wish
from endpoints.models import Invitation, Membership, TeamRole, User
from tests.console.conftest import text
from tests.factories import make_admin
from tests.openid.conftest import Browser
from tests.openid.running import Provider

JOIN = "/console/join"
BY_LINK = f"/console/sign-in/service?next={JOIN}"


@pytest.fixture
def token(provider: Provider, settings: Settings) -> str:
    """Of an invitation to another team than one's groups lead to; nobody comes in without."""
    settings.OIDC_CREATE, settings.OIDC_GROUPS = "false", {}
    teams.create_team("guests")
    wish = Wish(team="guests", team_role=TeamRole.INFERENCE_ADMIN)
    return invitations.invite(make_admin(), wish)[1]


def come_by_link(browser: Browser, name: str = "anna") -> str:
    """Where somebody is led who chooses to come with the provider on the page of the link."""
    back = browser.provider.send_back(browser.begin(BY_LINK), name)
    return browser.client.get(back).headers["Location"]


def test_an_invitation_lets_in_whom_nothing_else_does(browser: Browser, token: str) -> None:
    browser.sign_in()
    assert "Nobody gave you access here yet" in browser.told()
    browser.client.get(f"{JOIN}/{token}")
    assert f'href="{BY_LINK}"' in text(browser.client.get(JOIN))

    assert come_by_link(browser) == "/console/"

    assert "Welcome, anna." in text(browser.client.get("/console/"))
    member = Membership.objects.get()
    assert (member.user, member.team.name, member.role) == (
        browser.user,
        "guests",
        TeamRole.INFERENCE_ADMIN,
    )
    assert not member.is_managed
    assert browser.client.get(JOIN).status_code == 410


def test_it_lets_in_one(browser: Browser, provider: Provider, token: str) -> None:
    browser.client.get(f"{JOIN}/{token}")
    come_by_link(browser)
    browser.client.logout()
    provider.knows("bob", groups=[])
    browser.client.get(f"{JOIN}/{token}")

    assert come_by_link(browser, "bob") == "/console/sign-in"

    assert browser.user is None
    assert not User.objects.filter(username="bob").exists()


def test_one_that_ended_meanwhile_lets_nobody_in(browser: Browser, token: str) -> None:
    browser.client.get(f"{JOIN}/{token}")
    address = browser.begin(BY_LINK)
    Invitation.objects.update(expires_at=timezone.now())

    browser.client.get(browser.provider.send_back(address, "anna"))

    assert "Nobody gave you access here yet" in browser.told()
    assert not User.objects.filter(username="anna").exists()


def test_who_has_an_account_is_asked_whether_to_accept_with_it(
    browser: Browser, token: str, settings: Settings
) -> None:
    settings.OIDC_CREATE = "true"
    browser.sign_in()
    browser.client.logout()
    browser.client.get(f"{JOIN}/{token}")

    assert come_by_link(browser) == JOIN

    assert "Accept as anna" in text(browser.client.get(JOIN))
    assert not Membership.objects.exists()
    assert browser.client.post(JOIN)["Location"] == "/console/"
    assert Membership.objects.get().team.name == "guests"


def test_a_link_that_was_opened_before_is_not_used_by_another_way_in(
    browser: Browser, token: str, settings: Settings
) -> None:
    settings.OIDC_CREATE = "true"
    browser.client.get(f"{JOIN}/{token}")

    browser.sign_in()

    assert not Membership.objects.exists()
    assert Invitation.objects.get().is_open


def test_they_need_no_password_to_be_invited_where_none_counts(
    browser: Browser, token: str, settings: Settings
) -> None:
    settings.OIDC_ONLY = True
    browser.client.get(f"{JOIN}/{token}")

    assert come_by_link(browser) == "/console/"
    assert browser.user is not None
    assert not browser.user.has_usable_password()
