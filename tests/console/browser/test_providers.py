"""Endpoints of providers as people make and try them, against a sandbox that plays the provider."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from endpoints import providers
from inference.sandbox import make_sandbox
from inference.sandbox.app import Fault, Sandbox
from inference.sandbox.server import serving
from inference.types import TaskType
from inference.upstream.door import Door, Outside
from inference.upstream.mapping import OriginMap
from tests.console.browser.conftest import PHONE, Visitor
from tests.factories import make_remote_endpoint

pytestmark = pytest.mark.usefixtures("admin")

CHAT = {"model_id": "gpt-4o", "api_key": "sk-planted"}


@pytest.fixture(autouse=True)
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Providers on loopback, to whom all calls go."""
    sandbox = make_sandbox()
    with serving(sandbox) as server:
        outside = Outside(OriginMap(sandbox.origin_map(server.place)))
        with closing(Door(outside)) as opened:
            monkeypatch.setattr(providers, "door", lambda: opened)
            yield sandbox


def answer(page: Page) -> str:
    return page.locator("#answer-text").inner_text()


def test_from_a_provider_to_a_streamed_answer(visitor: Visitor) -> None:
    page = visitor.signed_in()
    page.get_by_role("link", name="Create endpoint").first.click()
    page.get_by_label("Search models and providers").fill("nobody at all")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.get_by_label("Search models and providers").fill("openai")
    page.get_by_label("Task", exact=True).select_option("chat_completion")
    page.wait_for_url("**task=chat_completion*")
    page.get_by_role("link", name="OpenAI", exact=True).click()

    page.get_by_label("Model ID").fill("gpt-4o")
    page.get_by_label("API key").fill("sk-wrong")
    page.get_by_label("What should it be called?").fill("my-chat")
    expect(page.get_by_text("Free to use.")).to_be_visible()
    expect(page.locator("#code-curl")).to_contain_text("/_inference/chat_completion/my-chat")
    expect(page.locator("#code-curl")).to_contain_text('"api_key": "<API key>"')
    page.get_by_role("button", name="Create endpoint").click()
    expect(page.get_by_role("alert")).to_contain_text("status [401]")
    expect(page.get_by_role("alert")).to_contain_text("What to do")

    page.get_by_label("API key").fill("sk-right")
    page.get_by_role("button", name="Create endpoint").click()
    page.wait_for_url("**/console/endpoints/my-chat")
    page.get_by_text("Python", exact=True).click()
    page.get_by_label("Prompt").fill("one two three")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("in all")).to_be_visible()
    assert answer(page) == "The sandbox heard: one two three"
    expect(page.get_by_text("to the first token")).to_be_visible()
    expect(page.locator("#code-python")).to_contain_text("one two three")  # the choice stays
    expect(page.get_by_role("button", name="Run")).to_be_enabled()


def test_an_answer_can_be_stopped_and_asked_for_again(visitor: Visitor, played: Sandbox) -> None:
    make_remote_endpoint("openai", TaskType.CHAT_COMPLETION, CHAT)
    played.faults["openai"] = Fault(kind="slow", seconds=3, times=1)
    page = visitor.signed_in()
    page.goto("/console/endpoints/my-endpoint")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_disabled()

    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Working…")).to_be_visible()
    stop.click()

    expect(page.get_by_text("Stopped.")).to_be_visible()
    expect(stop).to_be_disabled()
    page.get_by_label("Prompt").fill("again")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer-text")).to_have_text("The sandbox heard: again")


def test_a_stream_that_breaks_keeps_what_came_and_says_why(
    visitor: Visitor, played: Sandbox
) -> None:
    make_remote_endpoint("openai", TaskType.COMPLETION, CHAT)
    played.faults["openai"] = Fault(kind="error")
    page = visitor.signed_in()
    page.goto("/console/endpoints/my-endpoint")

    page.get_by_role("button", name="Run").click()

    expect(page.get_by_role("alert")).to_contain_text("The sandbox broke the stream")
    assert answer(page) == "The"


def test_without_scripts_the_whole_answer_comes_with_the_page(visitor: Visitor) -> None:
    make_remote_endpoint("openai", TaskType.CHAT_COMPLETION, CHAT)
    page = visitor.signed_in(java_script_enabled=False)
    page.goto("/console/endpoints/my-endpoint")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)

    page.get_by_label("Prompt").fill("one two three")
    page.get_by_role("button", name="Run").click()

    expect(page.locator("#answer-text")).to_have_text("The sandbox heard: one two three")


def test_a_phone_shows_the_form_and_the_list_without_scrolling_sideways(visitor: Visitor) -> None:
    make_remote_endpoint("openai", TaskType.CHAT_COMPLETION, CHAT)
    page = visitor.signed_in(viewport=PHONE)

    for path in ("_new", "_new/elasticsearch", "_new/openai", "my-endpoint", "my-endpoint/edit"):
        page.goto(f"/console/endpoints/{path}")
        for fold in page.locator("summary").all():
            if fold.is_visible():
                fold.click()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], path
