"""The audit log as people read it: find, open, take along."""

from playwright.sync_api import expect

from endpoints import audit
from endpoints.audit import Who
from endpoints.models import Outcome, User
from tests.console.browser.conftest import PHONE, Visitor


def test_from_a_filter_to_an_entry_to_a_file(visitor: Visitor, admin: User) -> None:
    ada = Who(None, "ada", address="10.0.0.7")
    audit.record("endpoint.update", "my-e5", before={"n": 1}, after={"n": 2}, who=ada)
    audit.record("cluster.scan", "prod", outcome=Outcome.FAILED, reason="nobody answers")
    page = visitor.signed_in()
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("link", name="Scan cluster")).to_be_visible()

    page.get_by_label("Who").fill("ada")
    page.get_by_label("Who").press("Enter")
    expect(page.get_by_role("link", name="Scan cluster")).to_have_count(0)
    assert "who=ada" in page.url

    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 2
    assert "my-e5" in lines[1]

    page.get_by_role("link", name="Update endpoint").click()
    expect(page.get_by_role("heading", name="Update endpoint my-e5")).to_be_visible()
    row = page.get_by_role("row", name="n 1 2")
    expect(row).to_be_visible()

    page.go_back()
    expect(page.get_by_label("Who")).to_have_value("ada")


def test_the_log_fits_a_phone_and_works_without_scripts(visitor: Visitor, admin: User) -> None:
    audit.record("endpoint.create", "an-endpoint-with-a-very-long-name-" * 3)
    page = visitor.signed_in(viewport=PHONE, java_script_enabled=False)
    page.goto("/console/audit")

    page.get_by_label("Outcome").select_option("Failed")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    expect(page.get_by_role("link", name="Create endpoint")).to_be_visible()
    box = page.locator("body").bounding_box()
    assert box
    assert box["width"] <= PHONE["width"]
