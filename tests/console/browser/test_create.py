"""Creating and changing endpoints as people do it, against a sandbox that plays the provider."""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from endpoints.models import Endpoint
from inference.types import TaskType
from tests.console.browser.conftest import PHONE, Visitor
from tests.console.browser.test_providers import played
from tests.factories import make_endpoint, make_index, make_remote_endpoint

__all__ = ["played"]

pytestmark = pytest.mark.usefixtures("admin")

VECTORS = {"model_id": "text-embedding-3-small", "api_key": "sk-planted"}
EDIT = "/console/endpoints/my-endpoint/edit"


def test_a_failed_attempt_is_corrected_at_its_field_and_nothing_is_lost(visitor: Visitor) -> None:
    page = visitor.signed_in(at="/console/endpoints/_new")
    page.get_by_label("Search models and providers").fill("openai")
    expect(page.get_by_role("heading", name="Runs on this machine")).to_have_count(0)
    page.get_by_role("link", name="OpenAI", exact=True).click()

    key, model = page.get_by_label("API key"), page.get_by_label("Model ID")
    key.fill("sk-wrong")
    page.get_by_role("button", name="Show the models of this key").click()
    expect(page.locator("#model-names")).to_contain_text("does not know the credentials")
    key.fill("sk-right")
    page.get_by_role("button", name="Show the models of this key").click()
    page.get_by_role("button", name="text-embedding-3-small").click()
    expect(model).to_have_value("text-embedding-3-small")
    page.get_by_role("button", name="Try these settings").click()
    expect(page.get_by_text("It works.")).to_be_visible()
    assert not Endpoint.objects.exists()

    page.get_by_text("More options").click()
    page.get_by_label("Dimensions").fill("0")
    page.get_by_role("button", name="Add a row").last.click()
    page.get_by_label("Headers: name").first.fill("X-Team")
    values = page.get_by_label("Headers: value").filter(visible=True)
    values.last.fill("lost")
    page.get_by_role("button", name="Take this row of Headers away").last.click()
    values.last.fill("search")
    page.locator("#id_inference_id").fill("my-vectors")
    expect(page.locator("#code-curl")).to_contain_text('"X-Team": "search"')
    page.get_by_role("button", name="Create endpoint").click()
    wrong = page.get_by_label("Dimensions")
    expect(wrong).to_be_focused()
    expect(page.get_by_text("[dimensions] must be a positive integer")).to_be_visible()
    expect(key).to_have_value("sk-right")  # only the browser knows it
    assert "sk-right" not in page.content()

    page.get_by_text("Embedding", exact=True).click()  # the task keeps what is written, too
    page.wait_for_url("**task=embedding")
    expect(model).to_have_value("text-embedding-3-small")
    wrong.fill("")
    page.get_by_role("button", name="Create endpoint").click()
    page.wait_for_url("**/console/endpoints/my-vectors")
    made = Endpoint.objects.get()
    assert (made.task, made.task_settings) == (
        TaskType.EMBEDDING,
        {"headers": {"X-Team": "search"}},
    )


def test_a_session_that_ends_loses_no_row_and_keeps_no_secret(visitor: Visitor) -> None:
    page = visitor.signed_in(at="/console/endpoints/_new/openai?task=embedding")
    page.get_by_label("API Key").fill("sk-typed")
    page.get_by_label("Model ID").fill("a-model")
    page.get_by_text("More options").click()
    for row, name in enumerate(("X-Team", "X-Place")):
        if row:
            page.get_by_role("button", name="Add a row").last.click()
        page.get_by_label("Headers: name").filter(visible=True).nth(row).fill(name)
        page.get_by_label("Headers: value").filter(visible=True).nth(row).fill("sk-typed")
    Session.objects.all().delete()

    page.get_by_role("button", name="Create endpoint").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert "sk-typed" not in page.evaluate("JSON.stringify(sessionStorage)")
    visitor.answer(page)

    page.wait_for_url("**/console/endpoints/_new/openai?task=embedding")
    expect(page.get_by_text("What you typed is back.")).to_be_visible()
    expect(page.get_by_label("Model ID")).to_have_value("a-model")
    expect(page.get_by_label("API Key")).to_have_value("")
    expect(page.get_by_label("Headers: name").filter(visible=True).nth(1)).to_have_value("X-Place")
    expect(page.get_by_text("Embedding", exact=True).locator("input")).to_be_checked()


def test_chunks_follow_the_settings_and_the_text(visitor: Visitor) -> None:
    page = visitor.signed_in(at="/console/endpoints/_new/elasticsearch")
    page.get_by_text("How long texts are cut").click()
    overlap = page.get_by_label("Overlap", exact=False).and_(page.locator("[name$='.overlap']"))
    expect(overlap).to_be_hidden()

    page.get_by_label("Strategy").select_option("word")
    page.get_by_label("Largest chunk").fill("10")
    overlap.fill("2")
    page.get_by_label("A text to see it on").fill(" ".join("abcdefghijklmnopqrst"))

    chunks = page.get_by_role("list", name="Chunks").get_by_role("listitem")
    expect(chunks).to_have_count(3)
    expect(chunks.nth(1).locator("mark")).to_have_text(" i j")
    expect(page.locator("#code-curl")).to_contain_text('"overlap": 2')


def test_a_change_is_shown_with_what_it_touches_before_it_is_saved(visitor: Visitor) -> None:
    make_endpoint()
    make_index("docs", "my-endpoint")
    page = visitor.signed_in(at="/console/endpoints/my-endpoint")
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_text("Nothing yet.")).to_be_visible()

    page.get_by_label("Number of allocations").fill("3")

    changes = page.locator("#changes")
    expect(changes.locator("del")).to_have_text("1")
    expect(changes.locator("ins")).to_have_text("3")
    expect(changes).to_contain_text("goes from 1 to 3 allocations")
    expect(changes).to_contain_text("docs")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/console/endpoints/my-endpoint")
    assert Endpoint.objects.get().service_settings["num_allocations"] == 3


def changed(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.locator(f"[name='service_settings.{name}']").fill(value)
    page.get_by_role("button", name="Save").click()


def test_two_people_change_the_same_endpoint_and_nothing_is_lost(visitor: Visitor) -> None:
    make_remote_endpoint("openai", TaskType.TEXT_EMBEDDING, VECTORS | {"max_input_tokens": 50})
    first, second = visitor.signed_in(at=EDIT), visitor.signed_in(at=EDIT)

    changed(first, max_input_tokens="60", **{"rate_limit.requests_per_minute": "9"})
    first.wait_for_url("**/console/endpoints/my-endpoint")
    changed(second, max_input_tokens="70", api_key="sk-mine")

    told = second.get_by_role("alert")
    expect(told).to_be_focused()
    expect(told).to_contain_text("Changed meanwhile by elastic")
    row = told.get_by_role("row").filter(has_text="Maximum input tokens")
    expect(row.get_by_role("cell")).to_have_text(["50", "60", "70"])
    expect(second.locator("[name='service_settings.api_key']")).to_have_value("sk-mine")
    second.get_by_role("button", name="Save over it").click()
    second.wait_for_url("**/console/endpoints/my-endpoint")
    settings = Endpoint.objects.get().service_settings
    assert settings["max_input_tokens"] == 70
    assert settings["rate_limit"] == {"requests_per_minute": 9}


def test_without_scripts_an_endpoint_is_tried_made_and_changed(visitor: Visitor) -> None:
    page = visitor.signed_in(
        java_script_enabled=False, viewport=PHONE, at="/console/endpoints/_new"
    )
    page.get_by_role("link", name="OpenAI", exact=True).click()
    page.get_by_text("Completion", exact=True).click()
    page.get_by_role("button", name="Show the settings of this task").click()
    page.get_by_label("Model ID").fill("gpt-4o")
    page.get_by_label("API key").fill("sk-right")
    page.get_by_role("button", name="Try these settings").click()
    expect(page.get_by_text("It works.")).to_be_visible()
    expect(page.get_by_text("Write it again: a secret never comes back")).to_be_visible()
    page.get_by_label("API key").fill("sk-right")
    page.get_by_text("More options").click()
    page.get_by_label("Headers: name").nth(1).fill("X-Team")
    page.get_by_label("Headers: value").nth(1).fill("search")
    page.get_by_label("Model ID").press("Enter")
    page.wait_for_url("**/console/endpoints/openai-completion")
    assert Endpoint.objects.get().task_settings == {"headers": {"X-Team": "search"}}

    page.goto("/console/endpoints/openai-completion/edit")
    page.locator("[name='service_settings.rate_limit.requests_per_minute']").fill("9")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator("#changes ins")).to_have_text("9")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/console/endpoints/openai-completion")
    assert Endpoint.objects.get().service_settings["rate_limit"] == {"requests_per_minute": 9}
