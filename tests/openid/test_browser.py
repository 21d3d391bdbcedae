"""A person who signs in by a provider in a real browser, and comes again without their group."""

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from endpoints.models import Membership
from tests.console.browser.conftest import Visitor, visitor
from tests.factories import PASSWORD as CONSOLE_PASSWORD
from tests.factories import make_admin
from tests.openid.conftest import CONSOLE
from tests.openid.running import PASSWORD, Provider

__all__ = ["visitor"]


@pytest.mark.browser
@pytest.mark.usefixtures("transactional_db")
def test_a_group_lets_somebody_in_and_out(
    provider: Provider, live_server: LiveServer, visitor: Visitor
) -> None:
    provider.knows_console_at(CONSOLE, live_server.url)
    page = visitor.window()

    page.goto("/console/clusters")
    page.get_by_role("link", name="Sign in with Acme SSO").click()
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()

    page.wait_for_url("**/console/clusters")
    expect(page.get_by_role("link", name="Connect cluster")).to_be_visible()
    membership = Membership.objects.get(user__username="anna")
    assert (membership.team.name, membership.role) == ("search", "inference_admin")

    provider.knows("anna", groups=[])
    page.get_by_label("Account of anna").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in with Acme SSO").click()  # it still knows them

    expect(page.get_by_role("heading", name="No access yet")).to_be_visible()
    assert not Membership.objects.exists()


@pytest.mark.browser
@pytest.mark.usefixtures("transactional_db")
def test_an_account_is_linked_on_the_way_there(
    provider: Provider, live_server: LiveServer, visitor: Visitor
) -> None:
    make_admin()
    provider.knows_console_at(CONSOLE, live_server.url)
    page = visitor.window()

    page.goto("/console/account/security")
    page.get_by_label("Name").fill("elastic")
    page.get_by_label("Password").fill(CONSOLE_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Link your account").click()
    page.get_by_role("button", name="Go on to Acme SSO").click()
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_text("You can sign in with Acme SSO from now on.")).to_be_visible()
    expect(page.get_by_role("link", name="Unlink")).to_be_visible()
