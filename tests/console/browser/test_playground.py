"""The playground as people use it: vectors, orders and chats, alone and side by side."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from endpoints import providers
from endpoints.models import Deployment
from inference.arrays import FloatArray
from inference.runner.protocol import HostReply, HostRequest
from inference.sandbox import make_sandbox
from inference.sandbox.app import Fault, Sandbox
from inference.sandbox.made_up import unit_vector
from inference.sandbox.server import serving
from inference.types import TaskType
from inference.upstream.door import Door, Outside
from inference.upstream.mapping import OriginMap
from tests.console.browser.conftest import PHONE, Visitor
from tests.console.conftest import FakeHosts, vectors
from tests.factories import make_endpoint, make_remote_endpoint

pytestmark = pytest.mark.usefixtures("admin")

PAGE = "/console/endpoints/my-endpoint"
CHAT = {"model_id": "gpt-4o", "api_key": "sk-1"}


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Providers on loopback, to whom all calls go."""
    sandbox = make_sandbox()
    with serving(sandbox) as server:
        outside = Outside(OriginMap(sandbox.origin_map(server.place)))
        with closing(Door(outside)) as opened:
            monkeypatch.setattr(providers, "door", lambda: opened)
            yield sandbox


def test_vectors_of_three_texts_are_compared_kept_and_saved(
    visitor: Visitor, hosts: FakeHosts, tmp_path: Path
) -> None:
    make_endpoint()
    hosts.says = vectors([1.0, 0.0], [0.8, 0.6], [0.0, 1.0])
    page = visitor.signed_in(at=PAGE)
    page.get_by_label("Text 1", exact=True).fill("one")
    page.get_by_label("Text 2", exact=True).fill("two")
    page.get_by_role("button", name="Add a text").click()
    expect(page.get_by_label("Text 3", exact=True)).to_be_focused()
    page.keyboard.type("three")
    page.keyboard.press("Control+Enter")

    cell = page.get_by_role("table").get_by_role("row").nth(1).get_by_role("cell").nth(1)
    expect(cell).to_have_text("0.80")
    expect(page.locator(".pairs li").first).to_contain_text("0.800")
    expect(page.locator("#code-curl")).to_contain_text('"three"')
    assert hosts.asked[0].texts == ("one", "two", "three")

    page.get_by_role("button", name="Add a text").click()
    expect(page.get_by_label("Text 4", exact=True)).to_be_focused()
    page.get_by_role("button", name="Remove text 4").click()

    with page.expect_download() as saving:
        page.get_by_role("button", name="CSV for NumPy").click()
    saving.value.save_as(tmp_path / "saved.csv")
    assert saving.value.suggested_filename == "my-endpoint.csv"
    assert (tmp_path / "saved.csv").read_text() == "1,0\n0.8,0.6\n0,1\n"

    page.reload()
    expect(page.get_by_label("Text 3", exact=True)).to_have_value("three")

    link = page.get_by_role("button", name="Copy link")
    link.click()
    expect(page.locator("#spoken")).to_have_text("Copied")
    address = link.get_attribute("data-copy") or ""
    assert address.endswith(f"{PAGE}#input=one&input=two&input=three")
    assert page.url == address
    other = page.context.new_page()
    other.goto(address)
    expect(other.get_by_label("Text 3", exact=True)).to_have_value("three")
    expect(other.locator("#outcome")).to_have_text("The answer appears here.")
    other.get_by_label("Text 1", exact=True).fill("x" * 9000)
    expect(other.get_by_role("button", name="Copy link")).to_be_disabled()
    other.close()

    page.get_by_role("button", name="Remove text 1").click()
    expect(page.get_by_label("Text 1", exact=True)).to_have_value("two")
    page.get_by_role("button", name="Two topics").click()
    expect(page.get_by_label("Text 4", exact=True)).to_have_value("Why are there tides?")


def test_what_is_written_stays_while_the_page_follows_an_endpoint(
    visitor: Visitor, hosts: FakeHosts
) -> None:
    make_endpoint(num_allocations=0)
    hosts.says = vectors([1.0, 0.0], [0.8, 0.6], [0.0, 1.0])
    page = visitor.signed_in(at=PAGE)
    expect(page.locator("#poll")).to_have_count(1)
    page.get_by_role("button", name="Add a text").click()
    page.keyboard.type("my third")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".matrix")).to_be_visible()

    Deployment.objects.update(num_allocations=1)

    # An endpoint that rests is looked at every five seconds.
    expect(page.locator("#poll")).to_have_count(0)
    expect(page.get_by_label("Text 3", exact=True)).to_have_value("my third")
    expect(page.locator(".matrix")).to_be_visible()


def test_documents_move_at_two_endpoints_at_once(visitor: Visitor, hosts: FakeHosts) -> None:
    make_endpoint(model_id=".minilm-rerank-v1")
    make_endpoint("for-shoes", model_id=".minilm-rerank-v1")
    scores = {"my-endpoint": [0.1, 0.9, 0.5], "for-shoes": [0.9, 0.1, 0.5]}

    def call(deployment_id: str, request: HostRequest) -> HostReply:
        return HostReply(scores=scores[deployment_id])

    hosts.call = call  # type: ignore[method-assign]
    page = visitor.signed_in(at=PAGE)
    page.get_by_label("Documents").fill("one\ntwo\nthree")
    page.get_by_role("button", name="Run").click()
    first = page.locator(".rank").first
    expect(first).to_contain_text("two")
    expect(first).to_contain_text("line 2")
    expect(page.locator(".slope path.is-risen")).to_have_count(2)

    page.get_by_label("Compare with").fill("nobody")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#id_beside_error")).to_contain_text("not found [nobody]")
    page.get_by_label("Compare with").fill("shoe")
    expect(page.locator("#besides option")).to_have_attribute("value", "for-shoes")
    page.get_by_label("Compare with").fill("for-shoes")
    page.get_by_role("button", name="Run").click()

    expect(page.get_by_text("They put different documents first")).to_be_visible()
    expect(page.locator("#id_beside_error")).to_have_count(0)
    expect(page.locator(".trial").nth(1).locator(".rank").first).to_contain_text("one")


def test_a_chat_goes_on_after_it_was_stopped_and_after_a_reload(
    visitor: Visitor, played: Sandbox
) -> None:
    make_remote_endpoint("openai", TaskType.CHAT_COMPLETION, CHAT)
    page = visitor.signed_in(at=PAGE)
    prompt, run = page.get_by_label("Prompt"), page.get_by_role("button", name="Run")
    prompt.fill("one")
    run.click()
    expect(page.locator("#answer-text")).to_have_text("The sandbox heard: one")
    expect(prompt).to_have_value("")
    page.get_by_role("button", name="Copy the answer").click()
    expect(page.locator("#spoken")).to_have_text("Copied")

    played.faults["openai"] = Fault(kind="slow", seconds=2, times=1)
    prompt.fill("never answered")
    run.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Stopped.")).to_be_visible()
    expect(run).to_be_focused()
    expect(prompt).to_have_value("never answered")

    page.reload()
    expect(page.locator(".turns")).to_contain_text("The sandbox heard: one")
    prompt.fill("two")
    run.click()
    expect(page.locator("#answer-text")).to_have_text("The sandbox heard: two")
    # What was stopped may reach the provider after it.
    said = [json.loads(one.content)["messages"] for one in played.seen["openai"]]
    assert ["one", "The sandbox heard: one", "two"] in [
        [one["content"] for one in messages] for messages in said
    ]
    page.get_by_text("Request and answer").click()
    expect(page.locator("#answer-json")).to_contain_text("data: [DONE]")

    page.get_by_role("link", name="Clear the conversation").click()
    expect(page.get_by_text("Nothing has been said yet.").first).to_be_visible()
    page.get_by_role("button", name="With a tool").click()
    page.get_by_label("Tools", exact=True).fill("[")
    run.click()
    expect(page.get_by_label("Tools", exact=True)).to_be_focused()
    expect(page.locator("#id_tools_error")).to_contain_text("This is no JSON")
    page.get_by_role("button", name="With a tool").click()
    run.click()
    page.get_by_label("What weather gives back").fill("It rains.")
    run.click()
    expect(page.locator(".turn-tool")).to_contain_text("It rains.")
    expect(page.locator(".tool-call")).to_have_count(2)
    sent = json.loads(played.seen["openai"][-1].content)["messages"]
    assert [one["role"] for one in sent] == ["user", "assistant", "tool"]


def test_two_chats_are_written_side_by_side(visitor: Visitor, played: Sandbox) -> None:
    make_remote_endpoint("openai", TaskType.CHAT_COMPLETION, CHAT)
    make_remote_endpoint("groq", TaskType.CHAT_COMPLETION, CHAT, "other")
    played.faults["groq"] = Fault(kind="cut", times=1)
    page = visitor.signed_in(at=PAGE)
    page.get_by_label("Compare with").fill("other")
    page.get_by_label("Prompt").fill("one two")
    page.get_by_role("button", name="Run").click()

    expect(page.locator("#answer-text")).to_have_text("The sandbox heard: one two")
    beside = page.locator("[data-side='2']")
    expect(beside.get_by_role("heading")).to_have_text("other")
    expect(beside.locator("#answer-text-2")).to_have_text("The")
    expect(beside.get_by_role("alert")).to_contain_text("broke off before the end")

    page.get_by_label("Prompt").fill("three")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer-text-2")).to_have_text("The sandbox heard: three")
    assert len(json.loads(played.seen["groq"][-1].content)["messages"]) == 3


def test_without_scripts_vectors_and_turns_come_with_the_page(
    visitor: Visitor, hosts: FakeHosts, played: Sandbox
) -> None:
    make_endpoint("vectors")
    make_remote_endpoint("openai", TaskType.CHAT_COMPLETION, CHAT)
    hosts.says = lambda request: HostReply(vectors=rows_of(request))
    page = visitor.signed_in(java_script_enabled=False, at="/console/endpoints/vectors")
    page.get_by_label("Text 3", exact=True).fill("three")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".matrix tbody tr")).to_have_count(3)

    page.goto(PAGE)
    for words in ("one", "two"):
        page.get_by_label("Prompt").fill(words)
        page.get_by_role("button", name="Run").click()
        expect(page.locator("#answer-text")).to_have_text(f"The sandbox heard: {words}")
    expect(page.locator(".turn")).to_have_count(4)


def rows_of(request: HostRequest) -> FloatArray:
    return np.stack([unit_vector(text, 8) for text in request.texts])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_results_fit_on_a_phone(visitor: Visitor, hosts: FakeHosts, scheme: str) -> None:
    make_endpoint()
    hosts.says = lambda request: HostReply(vectors=rows_of(request))
    page = visitor.signed_in(viewport=PHONE, color_scheme=scheme, at=PAGE)
    page.get_by_role("button", name="Two topics").click()
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".matrix")).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shades = page.locator(".matrix td.shade-8").first
    assert shades.evaluate(CONTRAST) >= 4.5


CONTRAST = """(cell) => {
  const style = getComputedStyle(cell);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [one, other] = [light(style.color), light(style.backgroundColor)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""
