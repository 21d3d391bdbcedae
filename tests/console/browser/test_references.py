"""Somebody writes a pipeline and tries it, while somebody else is at it too."""

import re

import pytest
from playwright.sync_api import Page, expect

from endpoints import pipelines
from endpoints.models import IngestPipeline
from tests.console.browser.conftest import PHONE, Visitor
from tests.console.conftest import FakeHosts, vectors
from tests.factories import make_endpoint

pytestmark = pytest.mark.usefixtures("admin")

PIPELINES = "/console/references/pipelines"
SHOP = {"processors": [{"set": {"field": "kind", "value": "shop"}}]}


def rewrite(page: Page, text: str) -> None:
    page.get_by_label("Pipeline", exact=True).fill(text)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()


def test_a_pipeline_is_written_corrected_tried_and_kept(visitor: Visitor, hosts: FakeHosts) -> None:
    make_endpoint("mine")
    hosts.says = vectors([0.25] * 8)
    page = visitor.signed_in(at="/console/references")
    page.get_by_role("link", name="Pipelines").click()
    expect(page.get_by_text("No pipelines yet")).to_be_visible()
    page.get_by_role("link", name="Register pipeline").click()
    page.get_by_label("Id", exact=True).fill("embed")

    # A mistake is marked while it is written, told when it is sent, and the cursor stands there.
    field = page.get_by_label("Pipeline", exact=True)
    good = field.input_value()
    assert '"model_id": "mine"' in good
    rewrite(page, good.replace('"content_embedding"', '"content_embedding",'))
    wrong = page.locator(".editor-lines .is-wrong")
    expect(wrong).to_have_text("9")
    expect(page.get_by_text("there is a comma too many")).to_be_visible()
    page.get_by_role("button", name="Register pipeline").click()
    expect(page.get_by_text(re.compile(r"^Line \d, column \d+: trailing comma"))).to_be_visible()
    expect(wrong).to_have_count(1)
    expect(field).to_be_focused()
    assert not IngestPipeline.objects.exists()

    # Tab indents, and does not hold who comes by keyboard.
    rewrite(page, "")
    field.press("Tab")
    expect(field).to_have_value("  ")
    field.press("Escape")
    field.press("Tab")
    expect(field).not_to_be_focused()

    # The layout is put in order, and nothing else of what was written.
    rewrite(page, '{"processors":[{"set":{"field":"n","value":1.0}}],"_meta":{}}')
    page.get_by_role("button", name="Format").first.click()
    assert '        "value": 1.0\n' in field.input_value()
    field.press("Control+z")
    expect(field).to_have_value(re.compile('^{"processors":'))

    # It is tried before it is kept.
    rewrite(page, good)
    page.get_by_label("Documents").fill('[{"content": "Warm shoes"}, {"title": "no content"}]')
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("heading", name="Document 1")).to_be_visible()
    expect(page.get_by_text("[0.25, 0.25, 0.25, 0.25, …] 8 numbers").first).to_be_visible()
    expect(page.get_by_role("heading", name="Document 2 fails")).to_be_visible()
    expect(page.get_by_text("or let the processor ignore_missing").first).to_be_visible()
    assert not IngestPipeline.objects.exists()
    page.get_by_role("button", name="Register pipeline").click()
    expect(page.get_by_role("heading", name="embed")).to_be_visible()
    expect(page.get_by_role("link", name="mine")).to_be_visible()

    # The list is searched as one types.
    page.get_by_role("link", name="Pipelines").click()
    page.get_by_role("searchbox").press_sequentially("nothing")
    expect(page.get_by_text("No such pipeline")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?q=nothing"))


def test_two_at_the_same_pipeline_are_told_and_nothing_is_lost(visitor: Visitor) -> None:
    pipelines.put("embed", SHOP)
    page = visitor.signed_in(at=f"{PIPELINES}/embed/edit")
    pipelines.put("embed", SHOP | {"description": "theirs"})

    rewrite(page, '{"description": "mine", "processors": []}')
    save(page)

    expect(page.get_by_role("alert")).to_contain_text("Somebody changed embed while you wrote")
    expect(page.locator("del").filter(has_text="theirs")).to_be_visible()
    expect(page.get_by_label("Pipeline", exact=True)).to_have_value(re.compile("mine"))
    assert IngestPipeline.objects.get().config["description"] == "theirs"
    save(page)
    page.wait_for_url(f"**{PIPELINES}/embed")
    assert IngestPipeline.objects.get().config["description"] == "mine"


def test_without_scripts_a_pipeline_is_written_and_tried_all_the_same(visitor: Visitor) -> None:
    page = visitor.signed_in(
        at="/console/references/_new/pipeline", java_script_enabled=False, viewport=PHONE
    )
    page.get_by_label("Id", exact=True).fill("embed")
    rewrite(page, '{"processors": [}')
    page.get_by_role("button", name="Register pipeline").click()
    expect(page.get_by_text("Line 1, column 17")).to_be_visible()

    rewrite(page, '{"processors": [{"set": {"field": "kind", "value": "shop"}}]}')
    page.get_by_label("Documents").fill('{"name": "Shoes"}')
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("heading", name="Document 1")).to_be_visible()
    page.get_by_text("Processor by processor").click()
    expect(page.get_by_text('"shop"').first).to_be_visible()
    expect(page.get_by_label("Id", exact=True)).to_have_value("embed")

    page.get_by_role("button", name="Register pipeline").click()
    expect(page.get_by_role("heading", name="embed")).to_be_visible()
    assert IngestPipeline.objects.get().config == SHOP
