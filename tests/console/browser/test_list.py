"""The list of endpoints with many of them: by mouse, by keyboard alone, and without scripts."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from endpoints.models import Deployment, DeploymentState, Endpoint, LatestUsage
from inference.types import TaskType
from tests.console.browser.conftest import PHONE, Visitor
from tests.factories import make_endpoint, make_remote_endpoint

pytestmark = pytest.mark.usefixtures("admin", "many")


@pytest.fixture
def many(transactional_db: None) -> None:
    """Thirty endpoints of two services; the last of them is the busiest."""
    make_endpoint("local", state=DeploymentState.STARTING)
    settings = {"model_id": "gpt-4o", "api_key": "sk-planted"}
    for number in range(29):
        make_remote_endpoint("openai", TaskType.COMPLETION, settings, f"gpt-{number:02}")
    LatestUsage.objects.create(
        endpoint=Endpoint.objects.get(inference_id="gpt-28"),
        day=timezone.now().date(),
        called_at=timezone.now(),
        requests=1234,
        errors=5,
        p95_ms=48.0,
    )


def answer(route: Route) -> None:
    """In place of the page that asks before it deletes: only its address is looked at here."""
    route.fulfill(body="")


def first_row(page: Page) -> str:
    return page.locator("tbody .list-id a").first.inner_text()


def test_filters_groups_and_orders_keep_the_address_and_the_rows_that_are_picked(
    visitor: Visitor,
) -> None:
    page = visitor.signed_in()
    count = page.locator(".count")
    expect(count).to_contain_text("30 endpoints · 2 models")

    page.get_by_role("button", name="Service").click()
    page.get_by_role("checkbox", name="OpenAI").check()
    expect(count).to_contain_text("29 endpoints")
    expect(page).to_have_url(re.compile(r"endpoints\?service=openai$"))
    # What is open stays open, and counts what each more would show.
    page.get_by_role("checkbox", name="Elasticsearch").check()
    expect(count).to_contain_text("30 endpoints")
    page.keyboard.press("Escape")
    expect(page.get_by_role("checkbox", name="OpenAI")).to_have_count(0)

    page.get_by_role("link", name="Requests today").click()
    expect(page).to_have_url(re.compile("sort=requests$"))
    expect(page.locator("tbody .list-id a").first).to_have_text("gpt-28")
    expect(page.get_by_role("row", name=re.compile("gpt-28"))).to_contain_text("1,234")
    expect(page.get_by_label("Order", exact=True)).to_have_value("requests")

    page.get_by_label("Group", exact=True).select_option("By service")
    expect(page.get_by_role("rowheader", name="OpenAI 29 endpoints")).to_be_visible()
    page.get_by_role("link", name="Remove Service: OpenAI").click()
    expect(count).to_contain_text("1 endpoint ")
    page.get_by_role("button", name=re.compile("^Service")).click()
    expect(page.get_by_role("checkbox", name="OpenAI")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="Elasticsearch")).to_be_checked()
    page.keyboard.press("Escape")

    # Rows change by themselves, and what was picked or opened stays as it was.
    page.get_by_role("checkbox", name="Select local").check()
    expect(page.get_by_role("button", name="Delete selected (1)")).to_be_enabled()
    page.get_by_role("button", name="Actions for local").click()
    Deployment.objects.update(state=DeploymentState.STARTED)
    expect(page.get_by_role("row", name=re.compile("local"))).to_contain_text("Ready")
    expect(page.get_by_role("checkbox", name="Select local")).to_be_checked()
    expect(page.get_by_role("link", name="History")).to_be_visible()

    page.goto("/console/endpoints?size=25")
    expect(page.get_by_role("button", name="Delete selected")).to_be_disabled()
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(page.get_by_role("button", name="Delete selected (25)")).to_be_enabled()
    page.get_by_role("checkbox", name="Select gpt-00").uncheck()
    page.route("**/_delete?*", answer)
    page.get_by_role("button", name="Delete selected (24)").click()
    expect(page).to_have_url(re.compile(r"/endpoints/_delete\?id=gpt-01&id=gpt-02&"))


def test_the_keyboard_alone_filters_sorts_and_turns_pages(visitor: Visitor) -> None:
    page = visitor.signed_in(at="/console/endpoints?size=25")
    page.get_by_role("searchbox").focus()
    tab_to(page, "Service")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator(".count")).to_contain_text("29 endpoints")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Service")).to_be_focused()

    tab_to(page, "Model")
    tab_to(page, "Requests today")
    page.keyboard.press("Enter")
    expect(page.locator("tbody .list-id a").first).to_have_text("gpt-28")
    assert page.evaluate("document.activeElement.textContent").strip() == "Requests today"

    page.get_by_role("link", name="Next").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    expect(page).to_have_url(re.compile(r"service=openai&sort=requests&size=25&page=2$"))

    page.get_by_role("button", name="Actions for").first.focus()
    page.keyboard.press("Enter")
    menu = page.locator(":popover-open")
    expect(menu).to_be_visible()
    tab_to(page, "Delete")
    page.keyboard.press("Tab")
    expect(menu).to_be_hidden()

    page.get_by_role("link", name="Remove Service: OpenAI").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".count")).to_contain_text("30 endpoints")
    expect(page.locator("#rows :focus")).to_be_visible()


def tab_to(page: Page, name: str) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == name:
            return
    raise AssertionError(f"{name} cannot be reached with Tab")


def test_a_phone_without_scripts_filters_sorts_and_groups(visitor: Visitor) -> None:
    page = visitor.signed_in(java_script_enabled=False, viewport=PHONE)

    page.get_by_role("button", name="Service").click()
    page.get_by_role("checkbox", name="OpenAI").check()
    page.keyboard.press("Escape")
    page.get_by_label("Order", exact=True).select_option("Most requests today")
    page.get_by_label("Group", exact=True).select_option("By model")
    page.get_by_role("button", name="Show").click()

    expect(page.locator(".count")).to_contain_text("29 endpoints")
    assert first_row(page) == "gpt-28"
    expect(page.get_by_role("rowheader", name="gpt-4o 29 endpoints")).to_be_visible()
    page.get_by_role("link", name="Remove Service: OpenAI").click()
    expect(page.locator(".count")).to_contain_text("30 endpoints")
    page.get_by_role("checkbox", name="Select gpt-28").check()
    page.route("**/_delete?*", answer)
    page.get_by_role("button", name="Delete selected").click()
    expect(page).to_have_url(re.compile(r"/endpoints/_delete\?id=gpt-28$"))
