"""What every page has: the palette, the shortcuts, notes, and forms that lose nothing."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from tests.console.browser.conftest import PHONE, Visitor
from tests.factories import make_endpoint

pytestmark = pytest.mark.usefixtures("admin")

NEW_TEAM = "/console/teams/_new"


def test_the_palette_leads_anywhere_by_the_keyboard_alone(visitor: Visitor) -> None:
    make_endpoint("books")
    make_endpoint("films")
    page = visitor.signed_in(at="/console/")

    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="What are you looking for?")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", name="Overview")).to_have_attribute("aria-selected", "true")
    page.keyboard.type("fil")
    expect(page.get_by_role("option", name="books")).to_have_count(0)
    expect(page.get_by_role("option", name="films")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/endpoints/films")

    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Overview")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="Endpoints g e")).to_have_attribute(
        "aria-selected", "true"
    )
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()

    page.goto("/console/endpoints/books")
    page.keyboard.press("Control+k")
    recent = page.get_by_role("group", name="Recent").get_by_role("option")
    expect(recent).to_have_count(1)
    expect(recent).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/endpoints/films")

    page.keyboard.press("Control+k")
    page.keyboard.type("books", delay=0)
    page.keyboard.press("Enter")  # before anything can have been found
    page.wait_for_url("**/console/endpoints/books")

    page.keyboard.press("Control+k")
    page.keyboard.type("dark")
    page.keyboard.press("Enter")
    expect(field).to_be_hidden()
    expect(page.locator("html.dark")).to_be_attached()

    page.route("**/console/find*", lambda route: route.abort())
    page.keyboard.press("Control+k")
    expect(page.get_by_role("listbox", name="Found")).to_contain_text("does not answer")
    assert visitor.complaints  # the browser says so, too
    visitor.complaints.clear()


def test_letters_lead_somewhere_unless_one_writes_or_wants_none(visitor: Visitor) -> None:
    page = visitor.signed_in(at="/console/")

    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_url("**/console/endpoints")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("gk?c")
    expect(page.get_by_role("searchbox")).to_have_value("gk?c")

    page.goto("/console/")
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help_).to_contain_text("Create endpoint")
    help_.get_by_label("Single letters lead somewhere").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(help_).to_be_hidden()


def test_on_a_phone_the_sections_are_a_drawer(visitor: Visitor) -> None:
    page = visitor.signed_in(at="/console/", viewport=PHONE)
    keys = page.get_by_role("navigation", name="Main").get_by_role("link", name="Keys")
    expect(keys).to_be_hidden()

    page.get_by_role("button", name="Menu").click()
    keys.click()

    page.wait_for_url("**/console/keys")
    expect(keys).to_be_hidden()


@pytest.fixture
def form(visitor: Visitor) -> Page:
    """A form in which something is typed."""
    page = visitor.signed_in(at=NEW_TEAM)
    page.get_by_label("Name", exact=True).fill("search")
    page.get_by_label("Description").fill("All that is found.")
    return page


def test_leaving_what_was_typed_asks_first(form: Page) -> None:
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    form.on("dialog", stay)
    form.get_by_role("link", name="Overview").click(no_wait_after=True)
    expect(form.get_by_label("Name", exact=True)).to_have_value("search")
    assert asked == ["beforeunload"]

    form.get_by_role("button", name="Create team").click()
    form.wait_for_url("**/console/teams/search")
    assert asked == ["beforeunload"]


def test_a_session_that_ends_loses_nothing_that_was_typed(form: Page) -> None:
    Session.objects.all().delete()

    form.get_by_role("button", name="Create team").click()
    form.wait_for_url("**/console/sign-in*")
    expect(form.get_by_text("What you typed is kept.")).to_be_visible()
    Visitor.answer(form)

    form.wait_for_url(f"**{NEW_TEAM}")
    expect(form.get_by_text("What you typed is back. It is not saved yet.")).to_be_visible()
    expect(form.get_by_label("Name", exact=True)).to_have_value("search")
    expect(form.get_by_label("Description")).to_have_value("All that is found.")
    form.get_by_role("button", name="Create team").click()
    form.wait_for_url("**/console/teams/search")
    form.goto(NEW_TEAM)
    expect(form.get_by_label("Name", exact=True)).to_have_value("")


def test_times_are_said_in_the_zone_of_who_looks(visitor: Visitor) -> None:
    page = visitor.signed_in(timezone_id="Asia/Tokyo", at="/console/account/sessions")

    expect(page.locator("time").first).to_have_attribute("title", re.compile(r"GMT\+9$"))
