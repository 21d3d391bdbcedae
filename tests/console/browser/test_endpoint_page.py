"""The page of an endpoint, from tab to tab."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from endpoints.models import Deployment, Heartbeat, UsageHour, User
from tests.console.browser.conftest import PHONE, Visitor
from tests.factories import make_endpoint

HERE = "/console/endpoints/my-endpoint"


@pytest.fixture(autouse=True)
def _somebody(admin: User) -> None:
    for part in ("worker", "runner"):
        Heartbeat.objects.create(part=part, instance=part, seen_at=timezone.now())


def make_called() -> None:
    """An endpoint that was called in this hour, and more often five days ago."""
    endpoint = make_endpoint(stats={"current_allocations": 1})
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for ago, requests in ((timedelta(0), 12), (timedelta(days=5), 3000)):
        UsageHour.objects.create(
            endpoint=endpoint, hour=hour - ago, requests=requests, latencies={"20": requests}
        )


def test_the_keyboard_goes_from_tab_to_tab_and_changes_what_runs(visitor: Visitor) -> None:
    make_called()
    page = visitor.signed_in(at=HERE, timezone_id="Asia/Kathmandu")
    tabs = page.get_by_role("navigation", name="About this endpoint")
    here = tabs.locator("[aria-current=page]")

    expect(here).to_have_text("Playground")
    here.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{HERE}/usage")
    expect(here).to_have_text("Usage")
    expect(page).to_have_title(re.compile(r"^\s*my-endpoint · Usage"))
    requests = page.locator(".tiles > div", has_text="Requests").locator("dd")
    expect(requests).to_have_text("12")
    # The hours are the viewer's: those of Kathmandu are three quarters apart from those of UTC.
    hour = page.locator(".chart-sheet").first.locator("title").last
    expect(hour).to_have_text(re.compile(r":45: 12 requests"))
    expect(page.locator(".chart-labels time").first).to_have_text(re.compile(r":45$"))

    week = page.get_by_role("link", name="7 days")
    week.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{HERE}/usage?range=7d")
    expect(requests).to_have_text("3,012")
    expect(week).to_have_attribute("aria-current", "page")
    page.get_by_text("The same in figures").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("cell", name="3,000")).to_be_visible()
    page.go_back()
    page.wait_for_url(f"**{HERE}/usage")
    expect(requests).to_have_text("12")

    tabs.get_by_role("link", name="Deployment").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{HERE}/deployment")
    at_work = page.locator(".allocations-now")
    expect(at_work).to_contain_text("1 of 1 at work")
    number = page.get_by_role("spinbutton", name="Number")
    number.fill("2")
    number.press("Enter")
    expect(page.get_by_text("my-endpoint gets what you asked for.")).to_be_visible()
    expect(at_work).to_contain_text("1 of 2 at work")
    assert Deployment.objects.get().num_allocations == 2

    # What is written meanwhile stays while the figures above it look again.
    page.get_by_label("As many as the calls need").check()
    page.get_by_label("At most").fill("7")
    expect(number).to_be_hidden()
    Deployment.objects.update(stats={"current_allocations": 2, "throughput_last_minute": 90})
    expect(at_work).to_contain_text("2 of 2 at work")
    expect(page.get_by_label("At most")).to_have_value("7")
    # Once nothing moves, it is asked less often.
    expect(page.locator("#allocations")).to_have_attribute("hx-trigger", "every 5s")

    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_text("from 0 to 7.")).to_be_visible()

    page.get_by_role("radio", name="Bytes (int8)").check()
    page.get_by_role("button", name="Change precision").click()
    expect(page.locator("#precision-now")).to_contain_text("Bytes (int8)")
    assert Deployment.objects.get().precision == "int8"


def test_each_tab_fits_a_phone_and_needs_no_script(visitor: Visitor) -> None:
    make_called()
    page = visitor.signed_in(at=HERE, viewport=PHONE, java_script_enabled=False)
    tabs = page.get_by_role("navigation", name="About this endpoint").get_by_role("link")

    names = tabs.all_text_contents()
    assert names == ["Playground", "Usage", "Settings", "Deployment", "References", "History"]
    for name in names:
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.locator(".tabs [aria-current=page]")).to_have_text(name)
        wide = page.locator("main").bounding_box()
        assert wide
        assert wide["width"] <= PHONE["width"]
        assert page.locator(".tab-body").bounding_box()["width"] <= PHONE["width"]  # type: ignore[index]  # it is there
    page.goto(f"{HERE}/deployment")
    page.get_by_role("spinbutton", name="Number").fill("0")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator("#id_number_of_allocations_error")).to_be_visible()
    page.get_by_role("spinbutton", name="Number").fill("3")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator(".allocations-now")).to_contain_text("1 of 3 at work")
