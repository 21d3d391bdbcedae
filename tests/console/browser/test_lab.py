"""From a text to settings that are saved: the lab as people use it."""

import re
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from endpoints import tasks
from endpoints.lab import cuts, embedding
from endpoints.lab.runs import start_run
from endpoints.models import Endpoint, LabRun, User
from inference.documents import Document
from tests.console.browser.conftest import PHONE, Visitor
from tests.console.conftest import FakeHosts
from tests.console.test_lab import TEXT, honey
from tests.factories import make_endpoint
from tests.inference.documents.making import pdf

pytestmark = pytest.mark.usefixtures("admin")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.embed_lab_run, "delay_on_commit", lambda *args: None)


def test_from_a_pasted_text_to_saved_settings(visitor: Visitor, hosts: FakeHosts) -> None:
    hosts.says = honey
    make_endpoint()
    make_endpoint("judge", ".minilm-rerank-v1")
    page = visitor.signed_in(at="/console/lab")
    chunks = page.get_by_role("region", name="Chunks of A").get_by_role("article")
    expect(chunks.first).to_contain_text("Keeping bees on a city roof")

    page.get_by_text("Bring a document of your own").click()
    upload = page.get_by_label("Or upload a document")
    upload.evaluate("field => { field.dataset.mostBytes = 2; }")
    upload.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"abc"})
    page.get_by_role("button", name="Use this document").click()
    expect(page.get_by_role("alert").get_by_text("larger than 10 MB")).to_be_visible()
    upload.set_input_files([])
    expect(page.get_by_text("larger than 10 MB")).to_be_hidden()
    page.get_by_label("Paste a text").fill(TEXT)
    page.get_by_role("button", name="Use this document").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pasted text")
    expect(chunks).to_have_count(1)

    first = page.get_by_role("group", name="Settings A")
    first.get_by_label("Cut at").select_option("Words")
    first.get_by_label("Words at most").fill("4")
    expect(first.get_by_text("greater than or equal to [10.0]")).to_be_visible()
    expect(page.get_by_text("cannot be used yet")).to_be_visible()
    first.get_by_label("Words at most").fill("10")
    first.get_by_label("Overlap in words").fill("5")
    expect(chunks).to_have_count(8)
    expect(first.get_by_label("Overlap in words")).to_be_focused()
    expect(chunks.nth(1).locator("mark")).to_have_text(" word5 word6 word7 word8 word9")
    expect(page).to_have_url(re.compile("a-strategy=word&a-max_chunk_size=10&a-overlap=5"))

    # Leaving a field asks as well, with what was there before.
    first.get_by_label("Words at most").focus()
    expect(page.locator(".htmx-request")).to_have_count(0)
    Session.objects.all().delete()
    first.get_by_label("Words at most").fill("12")
    page.wait_for_url("**/console/sign-in*")
    visitor.answer(page)
    expect(page.get_by_text("What you typed is back.")).to_be_visible()
    expect(first.get_by_label("Words at most")).to_have_value("12")
    expect(page).to_have_url(re.compile("a-strategy=word&a-max_chunk_size=12&a-overlap=5"))
    first.get_by_label("Words at most").fill("10")
    expect(chunks).to_have_count(8)

    page.get_by_role("button", name="Embed both sides").click()
    expect(page.get_by_text("0 %")).to_be_visible()
    embedding.embed_run(LabRun.objects.get().pk)
    page.get_by_label("Search for").fill("honey")
    page.get_by_label("Rerank with").select_option("judge")
    page.get_by_role("button", name="Search both").click()
    found = page.get_by_role("region", name=re.compile("^A:")).get_by_role("listitem")
    expect(found.first).to_contain_text("cosine")
    expect(page.locator("#found mark").first).to_have_text("honey")
    expect(page.get_by_text("Reranked with judge")).to_have_count(2)
    page.mouse.wheel(0, 10_000)
    expect(page.get_by_role("link", name="Overview")).to_be_in_viewport()

    page.reload()
    expect(page.get_by_label("Search for")).to_be_visible()
    page.get_by_role("link", name="Save settings A").click()
    expect(page.locator("ins").first).to_have_text("word")
    page.get_by_role("button", name="Save to my-endpoint").click()
    expect(page.get_by_text("my-endpoint cuts its texts like this now.")).to_be_visible()
    assert Endpoint.objects.get(inference_id="my-endpoint").chunking_settings == {
        "strategy": "word",
        "max_chunk_size": 10,
        "overlap": 5,
    }


def test_an_upload_on_a_phone_without_scripts(
    visitor: Visitor, hosts: FakeHosts, tmp_path: Path
) -> None:
    hosts.says = honey
    make_endpoint()
    file = tmp_path / "bees.pdf"
    file.write_bytes(pdf("Bees make honey. They drink a lot.", ""))
    page = visitor.signed_in(at="/console/lab", viewport=PHONE, java_script_enabled=False)

    page.get_by_text("Bring a document of your own").click()
    page.get_by_label("Or upload a document").set_input_files(file)
    page.get_by_role("button", name="Use this document").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("bees.pdf")
    expect(page.get_by_text("1 page of 2 without text")).to_be_visible()

    page.get_by_role("group", name="Settings B").get_by_label("Cut at").select_option("Not at all")
    page.get_by_role("button", name="Show the chunks").click()
    expect(page.get_by_role("heading", name="B: Not cut")).to_be_visible()

    page.get_by_role("button", name="Embed both sides").click()
    again = page.get_by_role("link", name="Look again")
    expect(again).to_be_visible()
    embedding.embed_run(LabRun.objects.get().pk)
    again.click()
    page.get_by_label("Search for").fill("honey")
    page.get_by_role("button", name="Search both").click()
    expect(page.get_by_role("link", name="Chunk 1")).to_have_count(2)


def test_a_long_text_is_counted_once_it_is_shown_and_after_each_change(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visitor.signed_in(at="/console/lab")
    page.get_by_text("Bring a document of your own").click()
    page.get_by_label("Paste a text").fill("A word or two are here. " * 100)
    monkeypatch.setattr(cuts, "AT_ONCE", 1000)
    monkeypatch.setattr(cuts, "START", 500)
    page.get_by_role("button", name="Use this document").click()

    chunks = page.get_by_role("region", name="Chunks of A").get_by_role("article")
    expect(chunks).to_have_count(3)
    settings = page.get_by_role("group", name="Settings A")
    settings.get_by_label("Words at most").fill("60")
    expect(chunks).to_have_count(11)
    expect(page.get_by_text("counting…")).to_have_count(0)


def test_a_count_that_is_lost_on_the_way_is_asked_for_again(
    visitor: Visitor, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuts, "AT_ONCE", 1000)
    monkeypatch.setattr(cuts, "START", 500)
    run = start_run(admin, Document("long", "A word or two are here. " * 100))
    page = visitor.signed_in()
    page.clock.install()
    page.route("**/counted?*", lambda route: route.abort("connectionreset"), times=1)
    page.goto(f"/console/lab/{run.key}")
    expect(page.get_by_text("counting…")).to_have_count(2)
    page.clock.run_for(1000)

    page.clock.run_for(5000)

    expect(page.get_by_text("counting…")).to_have_count(0)
    is_of_the_network = re.compile("ERR_CONNECTION|Failed to fetch").search
    visitor.complaints[:] = [one for one in visitor.complaints if not is_of_the_network(one)]
