"""The console as people use it, in a browser, on the product as `make serve` starts it.

Nothing is played but the providers and the hub that the weights come from.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import ApiError, Elasticsearch
from playwright.sync_api import Page, expect

from inference.runner.catalogue import ALL_MINILM_L6_V2
from inference.sandbox.server import SandboxServer
from tests.console.browser.conftest import PHONE
from tests.inference.runner.hub import Hub
from tests.inference.runner.published import (
    COMMIT,
    REPOSITORY,
    publish,
    write_steps,
)
from tests.product.console.conftest import Guest
from tests.product.gated import GatedOpenAI
from tests.product.running import Product, vectors_config, wait_for
from tests.weights import MIRROR

CONSOLE, WRITE = "/console/endpoints", "To delete it all the same, write its id"
OPENAI = {"service": "openai", "service_settings": {"api_key": "sk-1", "model_id": "gpt-4o"}}
HANDBOOK = (
    "Parcels leave our warehouse every morning and arrive within three days. Whoever waits longer "
    "should write to the people who send them.\n\n"
    "Who forgot the login asks for another one at the sign-in page; a letter with a link comes "
    "within a minute, and the link works for an hour."
)
COUNT_CLICKS = """addEventListener("click", (event) => {
  if (event.isTrusted) sessionStorage.clicks = 1 + Number(sessionStorage.clicks ?? 0);
}, true)"""


def make_local(client: Elasticsearch, inference_id: str, allocations: int = 1) -> None:
    client.inference.put(
        task_type="text_embedding",
        inference_id=inference_id,
        inference_config=vectors_config(allocations),
    )


def ask(client: Elasticsearch, inference_id: str, text: str = "Hello") -> Any:
    return client.inference.inference(inference_id=inference_id, input=[text]).body


def wait_until_told(page: Page, inference_id: str, words: str) -> None:
    """Calls are written down a moment after they were answered."""
    path = f"{CONSOLE}/{inference_id}/delete?look=1"
    wait_for(words, lambda: words in page.request.get(path).text())


def test_the_guide_leads_to_a_first_vector_in_three_clicks(
    visitor: Guest, slow_hub: Hub, client: Elasticsearch
) -> None:
    page = visitor.window()
    page.add_init_script(COUNT_CLICKS)
    page.goto("/console/")
    expect(page.get_by_text("Your first vector, in three clicks")).to_be_visible()

    page.get_by_role("link", name="Create an endpoint").click()
    page.get_by_role("button", name="Create endpoint").click()
    progress = page.get_by_role("progressbar", name="Downloaded")
    expect(progress).to_have_attribute("value", re.compile(r"^[1-9]"))
    expect(page.get_by_text(re.compile(r"MB of 91.\d MB \(\d+%\)"))).to_be_visible()
    first = progress.get_attribute("value")
    assert first
    expect(progress).not_to_have_attribute("value", first)
    slow_hub.is_fast.set()
    page.get_by_role("button", name="Run").click()

    expect(page.locator(".vector").first).to_be_visible()
    assert page.evaluate("sessionStorage.clicks") == "3"
    page.goto("/console/")
    expect(page.get_by_text("What is left")).to_be_visible()
    assert len(ask(client, "all-minilm-l6-v2")["text_embedding"][0]["embedding"]) == 384


def test_at_a_provider_an_endpoint_is_corrected_changed_deleted_and_brought_back(
    visitor: Guest, client: Elasticsearch
) -> None:
    page = visitor.opens(f"{CONSOLE}/_new")
    page.get_by_label("Search models and providers").fill("openai")
    page.wait_for_url("**q=openai*")
    page.get_by_role("link", name="OpenAI", exact=True).click()
    key = page.get_by_label("API Key")
    key.fill("sk-wrong")
    page.get_by_label("Model ID").fill("text-embedding-3-small")
    page.locator("#id_inference_id").fill("shop-vectors")
    page.get_by_role("button", name="Create endpoint").click()
    expect(key).to_be_focused()
    expect(key).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_contain_text("does not know the credentials")
    with pytest.raises(ApiError, match="shop-vectors"):
        client.inference.get(inference_id="shop-vectors")

    key.fill("sk-right")
    page.get_by_role("button", name="Create endpoint").click()
    page.wait_for_url(f"**{CONSOLE}/shop-vectors")
    page.get_by_role("link", name="Edit").click()
    page.locator("[name='service_settings.rate_limit.requests_per_minute']").fill("1200")
    changes = page.locator("#changes")
    expect(changes.locator("del")).to_have_text("3000")
    expect(changes.locator("ins")).to_have_text("1200")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{CONSOLE}/shop-vectors")
    (stored,) = client.inference.get(inference_id="shop-vectors")["endpoints"]
    assert stored["service_settings"]["rate_limit"] == {"requests_per_minute": 1200}

    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete endpoint").click()
    expect(page.get_by_text("shop-vectors is deleted.")).to_be_visible()
    with pytest.raises(ApiError, match="shop-vectors"):
        ask(client, "shop-vectors")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("shop-vectors is restored.")).to_be_visible()
    assert ask(client, "shop-vectors")["text_embedding"]  # with the key that was stored


def test_a_local_endpoint_is_given_more_allocations_and_deleted(
    visitor: Guest, client: Elasticsearch, product: Product
) -> None:
    make_local(client, "grows")
    host = '"deployment_id":"grows"'
    page = visitor.opens(f"{CONSOLE}/grows")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Number of allocations").fill("2")
    expect(page.locator("#changes")).to_contain_text("goes from 1 to 2 allocations")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{CONSOLE}/grows")
    page.get_by_role("link", name="Deployment").click()
    expect(page.get_by_text("2 of 2 at work")).to_be_visible()
    assert product.part(host)

    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete endpoint").click()
    expect(page.get_by_text("grows is deleted.")).to_be_visible()
    wait_for("its processes to end", lambda: product.part(host) is None)


def test_a_download_is_watched_paused_gone_on_with_and_given_up(
    visitor: Guest, slow_hub: Hub, tmp_path: Path
) -> None:
    folder = tmp_path / "published"
    folder.mkdir()
    for file in ALL_MINILM_L6_V2.files:
        (folder / file.name).symlink_to(MIRROR / ALL_MINILM_L6_V2.repository / file.name)
    write_steps(folder, ("Transformer", "Pooling", "Normalize"))
    publish(slow_hub, folder, "main", COMMIT)
    slow_hub.commit = COMMIT
    page = visitor.opens("/console/models")
    page.get_by_role("link", name="Add model").click()
    page.get_by_label("Name on the hub").fill(REPOSITORY)
    page.get_by_label("Id (optional)").fill("slow-one")
    page.get_by_role("button", name="Look at it and add it").click()
    page.wait_for_url("**/console/models/slow-one")
    progress = page.get_by_role("progressbar", name="Downloaded")
    expect(progress).to_have_attribute("value", re.compile(r"^[1-9]"))
    expect(page.get_by_text(re.compile(r"MB/s"))).to_be_visible()

    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Download paused")).to_be_visible()
    page.goto("/console/models")
    row = page.get_by_role("row", name=re.compile("slow-one"))
    expect(row).to_contain_text("Paused")
    slow_hub.asked.clear()
    row.get_by_role("link", name="slow-one").click()
    kept = progress.get_attribute("value")
    assert kept
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    wait_for("more to come", lambda: int(progress.get_attribute("value") or 0) > int(kept))
    (again,) = slow_hub.ranges
    assert again
    assert int(again.removeprefix("bytes=").removesuffix("-")) > 0

    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".page-name")).to_contain_text("Not downloaded")


def test_a_chat_is_stopped_while_it_is_written_and_goes_on(
    visitor: Guest, client: Elasticsearch, openai: GatedOpenAI, server: SandboxServer
) -> None:
    client.inference.put(
        task_type="chat_completion", inference_id="support", inference_config=OPENAI
    )
    page = visitor.opens(f"{CONSOLE}/support")
    prompt, run = page.get_by_label("Prompt"), page.get_by_role("button", name="Run")
    answer = page.locator("#answer-text")
    openai.gate.clear()
    openai.left.clear()
    prompt.fill("one " * 20_000)
    run.click()
    expect(answer).to_have_text("The")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    openai.gate.set()
    assert openai.left.wait(60)

    page.get_by_role("link", name="Clear the conversation").click()
    prompt.fill("first")
    run.click()
    expect(answer).to_have_text("The sandbox heard: first")
    prompt.fill("second")
    page.keyboard.press("Control+Enter")
    expect(answer).to_have_text("The sandbox heard: second")
    sent = json.loads(server.sandbox.seen["openai"][-1].content)["messages"]
    assert [one["content"] for one in sent] == ["first", "The sandbox heard: first", "second"]


def test_a_delete_names_what_uses_it_and_who_called_it_and_asks_for_the_id(
    visitor: Guest, client: Elasticsearch, product: Product
) -> None:
    make_local(client, "busy")
    fields = {"body": {"type": "semantic_text", "inference_id": "busy"}}
    client.indices.create(index="handbook", mappings={"properties": fields})
    step = {"model_id": "busy", "input_output": {"input_field": "a", "output_field": "b"}}
    client.ingest.put_pipeline(id="embed", processors=[{"inference": step}])
    key = client.security.create_api_key(name="website")
    with Elasticsearch(product.url, api_key=key["encoded"]) as website:
        for _ in range(3):
            ask(website, "busy")

    page = visitor.opens(f"{CONSOLE}/busy")
    wait_until_told(page, "busy", "3 calls")
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("heading", name="1 index and 1 pipeline")).to_be_visible()
    uses, callers = page.locator("#uses"), page.locator(".callers")
    expect(uses).to_contain_text("handbook")
    expect(uses).to_contain_text("embed")
    expect(callers).to_contain_text("with key website")
    expect(callers).to_contain_text("3 calls")

    written = page.get_by_label(WRITE)
    written.fill("bussy")
    page.get_by_role("button", name="Delete all the same").click()
    expect(page.get_by_text("This is not its id. Nothing was deleted.")).to_be_visible()
    assert ask(client, "busy")
    written.fill("busy")
    page.get_by_role("button", name="Delete all the same").click()
    expect(page.get_by_text("busy is deleted.")).to_be_visible()
    with pytest.raises(ApiError, match="busy"):
        ask(client, "busy")


def test_the_lab_finds_the_better_cut_and_saves_it(visitor: Guest, client: Elasticsearch) -> None:
    make_local(client, "handbook-search")
    page = visitor.opens("/console/lab")
    page.get_by_text("Bring a document of your own").click()
    page.get_by_label("Paste a text").fill(HANDBOOK)
    page.get_by_role("button", name="Use this document").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pasted text")
    page.locator("#id_endpoint").select_option("handbook-search")
    first = page.get_by_role("group", name="Settings A")
    first.get_by_label("Cut at").select_option("Words")
    first.get_by_label("Words at most").fill("20")
    first.get_by_label("Overlap in words").fill("5")
    second = page.get_by_role("group", name="Settings B")
    second.get_by_label("Cut at").select_option("Not at all")
    expect(page.get_by_role("heading", name="B: Not cut")).to_be_visible()
    chunks = page.get_by_role("region", name="Chunks of A").get_by_role("article")
    expect(chunks).to_have_count(4)

    page.get_by_role("button", name="Embed both sides").click()
    page.get_by_label("Search for").fill("How do I get a new password?")
    page.get_by_role("button", name="Search both").click()
    found = page.get_by_role("region", name=re.compile("^A:")).get_by_role("listitem")
    expect(found.first).to_contain_text("forgot")
    page.get_by_role("link", name="Save settings A").click()
    page.get_by_role("button", name="Save to handbook-search").click()

    expect(page.get_by_text("handbook-search cuts its texts like this now.")).to_be_visible()
    (stored,) = client.inference.get(inference_id="handbook-search")["endpoints"]
    assert stored["chunking_settings"] == {"strategy": "word", "max_chunk_size": 20, "overlap": 5}


def test_by_the_keyboard_alone_an_endpoint_is_found_and_run(
    visitor: Guest, client: Elasticsearch
) -> None:
    make_local(client, "by-hand")
    page = visitor.opens("/console/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="What are you looking for?")).to_be_focused()
    page.keyboard.type("by-hand")
    expect(page.get_by_role("option", name="by-hand")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{CONSOLE}/by-hand")
    expect(page.get_by_role("heading", name="by-hand")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id.startsWith('id_input')"):
            break
    page.keyboard.press("Control+a")
    page.keyboard.type("typed by hand")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".vector").first).to_be_visible()
    expect(page.locator("#code-curl")).to_contain_text("typed by hand")


def test_without_scripts_an_endpoint_is_made_tried_read_and_deleted(visitor: Guest) -> None:
    page = visitor.opens(CONSOLE, java_script_enabled=False, viewport=PHONE)
    page.get_by_role("link", name="Create endpoint").click()
    page.get_by_role("link", name="Use the built-in model").click()
    page.get_by_label("What should it be called?").fill("plain-html")
    page.get_by_role("button", name="Create endpoint").click()
    page.wait_for_url(f"**{CONSOLE}/plain-html")
    run = page.get_by_role("button", name="Run")

    def is_ready() -> bool:
        if not run.count():
            page.get_by_role("link", name="Look again").click()
        return bool(run.count())

    wait_for("it to be ready", is_ready)
    page.get_by_label("Text 1", exact=True).fill("my own text")
    run.click()
    expect(page.locator(".vector").first).to_be_visible()
    expect(page.get_by_label("Text 1", exact=True)).to_have_value("my own text")
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text(".all-minilm-l6-v2").first).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.locator("#history-body")).to_contain_text("Create endpoint, elastic")

    wait_until_told(page, "plain-html", "Tried in the console 1 time")
    page.get_by_role("link", name="Delete").click()
    page.wait_for_url("**/delete?look=1")
    # Trials of one's own are told, and are no reason to write its id.
    expect(page.get_by_label(WRITE)).to_have_count(0)
    page.get_by_role("button", name="Delete endpoint").click()
    expect(page.get_by_text("plain-html is deleted.")).to_be_visible()


def test_two_people_change_the_same_endpoint_and_nothing_is_lost(
    visitor: Guest, client: Elasticsearch
) -> None:
    client.inference.put(task_type="completion", inference_id="shared", inference_config=OPENAI)
    invited = client.perform_request(
        "POST",
        "/_console/people/_invitations",
        headers={"Accept": "application/json", "Content-Type": "application/json"},
        body={"roles": ["superuser"]},
    )
    ann = visitor.window()
    bob = visitor.opens(invited["url"], storage_state=None)
    bob.get_by_label("Name", exact=True).fill("bob")
    for field in bob.locator("[type=password]").all():
        field.fill("a-long-one-4-bob")
    bob.get_by_role("button", name="Join").click()
    bob.wait_for_url("**/console/")
    for page in (ann, bob):
        page.goto(f"{CONSOLE}/shared/edit")

    limit = "[name='service_settings.rate_limit.requests_per_minute']"
    ann.locator(limit).fill("60")
    ann.get_by_role("button", name="Save").click()
    ann.wait_for_url(f"**{CONSOLE}/shared")
    bob.locator(limit).fill("70")
    bob.get_by_text("More options").click()
    bob.get_by_label("User").fill("bob-himself")
    bob.get_by_role("button", name="Save").click()
    told = bob.get_by_role("alert")
    expect(told).to_be_focused()
    expect(told).to_contain_text("Changed meanwhile by elastic")
    expect(told.get_by_role("row").get_by_role("cell")).to_have_text(["500", "60", "70"])
    expect(bob.get_by_label("User")).to_have_value("bob-himself")
    bob.get_by_role("button", name="Save over it").click()
    bob.wait_for_url(f"**{CONSOLE}/shared")

    (stored,) = client.inference.get(inference_id="shared")["endpoints"]
    assert stored["service_settings"]["rate_limit"] == {"requests_per_minute": 70}
    assert stored["task_settings"] == {"user": "bob-himself"}
