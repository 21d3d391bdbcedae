"""People delete endpoints, are warned in time, and get back what they did not mean to lose."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from endpoints.models import (
    CallerDay,
    DeletedEndpoint,
    Endpoint,
    IngestPipeline,
    LatestUsage,
    ScanState,
    User,
)
from endpoints.scanning import scan_wanted
from inference.references.pipelines import referenced_models
from tests.console.browser.conftest import PHONE, Visitor
from tests.elastic import Elastic, inferring, semantic
from tests.factories import make_cluster, make_endpoint, make_index, make_user

pytestmark = pytest.mark.usefixtures("admin")
MINE, WRITE = "/console/endpoints/my-endpoint", "To delete it all the same, write its id"
IS_WIDER = "document.documentElement.scrollWidth > innerWidth"


def called_by(user: User, endpoint: Endpoint) -> None:
    at = timezone.now() - timedelta(hours=3)
    LatestUsage.objects.create(endpoint=endpoint, day=at.date(), requests=9, called_at=at)
    CallerDay.objects.create(endpoint=endpoint, user=user, day=at.date(), requests=9, called_at=at)


def test_what_is_used_is_replaced_deleted_and_brought_back(
    visitor: Visitor, admin: User, elastic: Elastic
) -> None:
    elastic.indexes = {"logs": semantic("my-endpoint")}
    now = timezone.now()
    cluster = make_cluster(url=elastic.url, scan_state=ScanState.SCANNED, scanned_at=now)
    called_by(admin, endpoint := make_endpoint())
    for number in range(10):
        user = make_user(f"user-{number}")
        CallerDay.objects.create(endpoint=endpoint, user=user, day=now.date(), called_at=now)
    make_endpoint("new-vectors")
    for number in range(12):
        make_index(f"docs-{number:02}", "my-endpoint")
    IngestPipeline.objects.create(pipeline_id="embed", config=inferring("my-endpoint"))
    page = visitor.signed_in(at=MINE)
    page.get_by_role("link", name="Delete").click()

    expect(page.get_by_role("heading", name="12 indices and 1 pipeline")).to_be_visible()
    expect(page.locator("#dry-run-said")).to_contain_text("12 indices and 1 pipeline")
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    expect(page.get_by_text("9 calls")).to_be_visible()
    page.get_by_role("searchbox", name="Search indices").fill("docs-07")
    expect(page.locator("#uses li")).to_have_count(1)
    expect(page.get_by_role("searchbox", name="Search indices")).to_be_focused()
    page.get_by_role("searchbox", name="Search people").fill("USER-7")
    expect(page.locator("#callers li")).to_have_count(1)
    expect(page.locator("#uses li")).to_have_count(1)
    expect(page.get_by_role("searchbox", name="Search people")).to_be_focused()

    page.get_by_role("link", name="new-vectors").click()
    expect(page.get_by_text("Same vectors.")).to_be_visible()
    page.get_by_text("Pipeline embed", exact=True).click()
    expect(page.get_by_text('"model_id": "new-vectors"')).to_be_visible()
    page.get_by_role("button", name="Change this pipeline now").click()
    expect(page.get_by_text("Pipeline embed names new-vectors from now on.")).to_be_visible()
    expect(page.get_by_role("heading", name="It is used by 12 indices")).to_be_visible()
    assert referenced_models(IngestPipeline.objects.get().config) == {"new-vectors"}

    page.get_by_label(WRITE).fill("my-endpiont")
    page.get_by_role("button", name="Scan now: prod").press("Enter")
    expect(page.get_by_role("button", name="Scanning prod")).to_be_focused()
    cluster.refresh_from_db()
    assert cluster.scan_started_at
    scan_wanted(cluster.pk, cluster.scan_started_at)
    expect(page.get_by_text("prod:logs").first).to_be_visible()
    expect(page.get_by_role("button", name="Scan now: prod")).to_be_focused()
    expect(page.get_by_label(WRITE)).to_have_value("my-endpiont")

    page.get_by_role("button", name="Delete all the same").click()
    expect(page.get_by_text("This is not its id. Nothing was deleted.")).to_be_visible()
    expect(page.get_by_label(WRITE)).to_be_focused()
    page.get_by_label(WRITE).fill("my-endpoint")
    page.keyboard.press("Enter")
    expect(page.get_by_text("my-endpoint is deleted.")).to_be_visible()
    assert not Endpoint.objects.filter(inference_id="my-endpoint").exists()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("my-endpoint is restored.")).to_be_visible()
    expect(page.get_by_role("heading", name="my-endpoint")).to_be_visible()


def test_by_keyboard_alone_one_is_deleted_and_restored_later(visitor: Visitor) -> None:
    make_endpoint()
    page = visitor.signed_in(at=f"{MINE}/delete", viewport=PHONE)

    expect(page.get_by_role("heading", name="Nothing uses it")).to_be_visible()
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Delete endpoint")).to_be_focused()
    assert not page.evaluate(IS_WIDER)
    page.keyboard.press("Enter")
    expect(page.get_by_text("my-endpoint is deleted.")).to_be_visible()

    page.goto("/console/endpoints/_deleted")
    expect(page.get_by_text("7 days left.")).to_be_visible()
    assert not page.evaluate(IS_WIDER)
    page.get_by_role("link", name="Delete my-endpoint for good").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Restore my-endpoint").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("my-endpoint is restored.")).to_be_visible()


def test_several_are_deleted_at_once_with_one_question(visitor: Visitor) -> None:
    for name in ("busy", "free-a", "free-b"):
        make_endpoint(name)
    make_index("docs", "busy")
    page = visitor.signed_in(at="/console/endpoints/_delete?id=busy&id=free-a&id=free-b")

    expect(page.get_by_role("heading", name="1 of 3 may be in use")).to_be_visible()
    expect(page.get_by_text("2 of 3 ticked")).to_be_visible()
    expect(page.get_by_label("write how many")).to_be_hidden()
    page.get_by_role("checkbox", name="busy").check()
    expect(page.get_by_label("write how many")).to_be_visible()
    page.get_by_role("checkbox", name="free-b").uncheck()
    page.get_by_role("checkbox", name="free-b").check()
    expect(page.get_by_text("3 of 3 ticked")).to_be_visible()
    page.get_by_role("button", name="Delete what is ticked").click()
    expect(page.get_by_text("Write how many endpoints you delete.")).to_be_visible()
    assert Endpoint.objects.own().count() == 3
    page.get_by_label("write how many").fill("3")
    page.get_by_role("button", name="Delete what is ticked").click()

    expect(page.get_by_text("3 endpoints are deleted.")).to_be_visible()
    page.goto("/console/endpoints/_deleted")
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("checkbox", name="Select free-a").uncheck()
    page.get_by_role("button", name="Restore selected (2)").click()
    expect(page.get_by_text("2 endpoints are restored.")).to_be_visible()
    assert [one.inference_id for one in DeletedEndpoint.objects.all()] == ["free-a"]


def test_without_scripts_the_findings_come_with_the_page(visitor: Visitor) -> None:
    make_endpoint()
    make_index("docs", "my-endpoint")
    page = visitor.signed_in(at=MINE, java_script_enabled=False)
    page.get_by_role("link", name="Delete").click()

    page.wait_for_url("**/delete?look=1")
    expect(page.get_by_role("heading", name="It is used by 1 index")).to_be_visible()
    page.get_by_label(WRITE).fill("my-endpiont")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is not its id. Nothing was deleted.")).to_be_visible()
    page.get_by_label(WRITE).fill("my-endpoint")
    page.get_by_role("button", name="Delete all the same").click()
    expect(page.get_by_text("my-endpoint is deleted.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("my-endpoint is restored.")).to_be_visible()
