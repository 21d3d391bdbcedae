"""People come by a link and go when they are told to, each in a browser of their own."""

import re

import pytest
from playwright.sync_api import Page, expect

from endpoints import people, teams
from endpoints.models import Membership, User
from tests.console.browser.conftest import PHONE, Visitor
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.usefixtures("admin")
CHOSEN = "a-long-one-4-bob"


def test_a_link_leads_to_a_password_and_the_console_and_works_once(visitor: Visitor) -> None:
    teams.create_team("search")
    page = visitor.signed_in()
    page.get_by_role("link", name="People").click()
    page.get_by_role("link", name="Invite somebody").first.click()
    page.get_by_label("Name").fill("bob")
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.locator("#link").inner_text()

    guest = visitor.window(viewport=PHONE)
    guest.goto(link)
    expect(guest).to_have_url(re.compile("/console/join$"))
    expect(guest.get_by_label("Name")).to_have_value("bob")
    join(guest, "short")
    expect(guest.get_by_text("This password is too short.")).to_be_visible()
    expect(guest.get_by_label("Name")).to_have_value("bob")
    join(guest, CHOSEN)
    guest.wait_for_url("**/console/")
    expect(guest.get_by_text("Welcome, bob.")).to_be_visible()

    late = visitor.window()
    assert late.goto(link)
    expect(late.get_by_text("It was used already, and works only once.")).to_be_visible()
    assert Membership.objects.get().user.username == "bob"
    # Chromium tells in its console of every answer that is an error, as this one is to be.
    visitor.complaints[:] = [said for said in visitor.complaints if "410" not in said]


def join(page: Page, password: str) -> None:
    page.get_by_label("Password").fill(password)
    page.get_by_label("The same again").fill(password)
    page.get_by_role("button", name="Join").click()


def test_who_is_deactivated_is_out_in_the_other_browser(visitor: Visitor) -> None:
    make_user("bob")
    people.set_roles("bob", ["inference_user"])
    other = visitor.window()
    other.goto("/console/")
    other.get_by_label("Name").fill("bob")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.wait_for_url("**/console/")

    page = visitor.signed_in()
    page.goto("/console/people/bob")
    page.get_by_role("link", name="Deactivate").click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("bob is deactivated.")).to_be_visible()

    other.reload()
    expect(other).to_have_url(re.compile("/console/sign-in"))
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("bob is active again.")).to_be_visible()
    other.goto("/console/")
    expect(other).to_have_url(re.compile("/console/sign-in"))
    assert User.objects.get(username="bob").is_active
