"""The console as people use it: with a mouse, a keyboard, a phone, and without scripts."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from endpoints import tasks
from endpoints.models import (
    Artifact,
    ArtifactState,
    Cluster,
    ClusterReference,
    Deployment,
    DeploymentState,
    Endpoint,
    User,
)
from endpoints.scanning import scan_cluster
from inference.runner.client import HostUnreachable
from inference.runner.protocol import HostReply, HostRequest
from tests.console.browser.conftest import PHONE, Visitor
from tests.console.conftest import FakeHosts, vectors
from tests.elastic import API_KEY, Elastic, semantic
from tests.factories import make_artifact, make_cluster, make_endpoint, make_index

pytestmark = pytest.mark.usefixtures("admin")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for task in (tasks.fetch_artifact, tasks.scan_cluster):
        monkeypatch.setattr(task, "delay_on_commit", lambda *args: None)


def test_from_nothing_to_a_vector(visitor: Visitor, hosts: FakeHosts) -> None:
    hosts.says = vectors([0.6, 0.8], [0.8, 0.6])
    page = visitor.signed_in(at="/console/")
    expect(page.get_by_text("Your first vector, in three clicks")).to_be_visible()

    page.get_by_role("link", name="Create an endpoint").click()
    page.get_by_label("What should it be called?").fill("my-e5")
    expect(page.get_by_text("Free to use.")).to_be_visible()
    expect(page.locator("#code-curl")).to_contain_text("/_inference/text_embedding/my-e5")
    page.get_by_role("button", name="Create endpoint").click()

    page.wait_for_url("**/console/endpoints/my-e5")
    expect(page.get_by_text("Waiting.")).to_be_visible()

    numbers = {"bytes_done": 25, "bytes_total": 100, "source": "hub"}
    Artifact.objects.update(state=ArtifactState.DOWNLOADING, **numbers)
    expect(page.get_by_text("25 B of 100 B (25%)")).to_be_visible()
    Artifact.objects.update(state=ArtifactState.CONVERTING)
    expect(page.get_by_text("Converting.")).to_be_visible()
    Artifact.objects.update(state=ArtifactState.READY)
    expect(page.get_by_text("Loading.")).to_be_visible()
    Deployment.objects.update(state=DeploymentState.STARTED)

    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("0.960", exact=True)).to_be_visible()
    expect(page.get_by_text("Nearly the same meaning")).to_be_visible()


def test_rows_settle_by_themselves_and_are_then_seldom_asked_for(visitor: Visitor) -> None:
    make_endpoint("moving", state=DeploymentState.STARTING)
    page = visitor.signed_in()
    row = page.get_by_role("row", name=re.compile("moving"))
    expect(row).to_contain_text("Loading")
    expect(page.locator("#poll-often")).to_have_count(1)

    Deployment.objects.update(state=DeploymentState.STARTED)

    expect(row).to_contain_text("Ready")
    expect(page.locator("#poll-often")).to_have_count(0)
    expect(page.locator("#poll-rarely")).to_have_count(1)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)
    assert asked == []


def test_the_search_box_narrows_the_list_and_the_address(visitor: Visitor) -> None:
    make_endpoint("books")
    make_endpoint("films", state=DeploymentState.STARTING)
    page = visitor.signed_in()

    page.get_by_role("searchbox").press_sequentially("boo")

    expect(page.get_by_role("link", name="films")).to_have_count(0)
    expect(page.get_by_role("link", name="books")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?q=boo$"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("boo")
    expect(page.get_by_role("link", name="films")).to_have_count(0)


def test_another_model_suggests_another_id_until_one_is_written(visitor: Visitor) -> None:
    page = visitor.signed_in()
    page.goto("/console/endpoints/_new/elasticsearch")
    field = page.get_by_label("What should it be called?")
    expect(field).to_have_value("all-minilm-l6-v2")

    page.locator("[value='.minilm-rerank-v1']").check()
    expect(field).to_have_value("minilm-rerank-v1")
    expect(page.locator("#code-curl")).to_contain_text("/_inference/rerank/minilm-rerank-v1")

    field.fill("mine")
    page.locator("[value='.minilm-sparse-v1']").check()
    expect(page.locator("#code-curl")).to_contain_text("/_inference/sparse_embedding/mine")
    expect(field).to_have_value("mine")


def test_a_failure_in_the_panel_keeps_what_was_written(visitor: Visitor, hosts: FakeHosts) -> None:
    make_endpoint(model_id=".minilm-rerank-v1")
    hosts.says = lambda request: HostReply(scores=[0.1, 0.9])
    page = visitor.signed_in()
    page.goto("/console/endpoints/my-endpoint")
    page.get_by_label("Documents").fill("one\ntwo")
    Deployment.objects.update(state=DeploymentState.FAILED, reason="out of memory")
    hosts.says = refuse

    page.get_by_role("button", name="Run").click()

    expect(page.get_by_role("alert")).to_contain_text("out of memory")
    expect(page.get_by_label("Documents")).to_have_value("one\ntwo")
    expect(page.get_by_role("button", name="Run")).to_be_enabled()


def refuse(request: HostRequest) -> HostReply:
    raise HostUnreachable("my-endpoint")


def test_code_is_copied_in_the_language_that_is_shown(visitor: Visitor) -> None:
    make_endpoint()
    page = visitor.signed_in(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/console/endpoints/my-endpoint")

    page.get_by_text("Python", exact=True).click()
    expect(page.locator("#code-curl")).to_be_hidden()
    page.get_by_role("button", name="Copy the code").click()

    expect(page.locator("#spoken")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#code-python").inner_text()
    assert "client.inference.text_embedding(" in copied


def test_an_endpoint_deleted_elsewhere_becomes_the_page_that_says_so(visitor: Visitor) -> None:
    make_endpoint(state=DeploymentState.STARTING)
    page = visitor.signed_in()
    page.goto("/console/endpoints/my-endpoint")

    Endpoint.objects.all().delete()

    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert visitor.complaints == [
        "Failed to load resource: the server responded with a status of 404 (Not Found)"
    ]
    visitor.complaints.clear()


def test_the_keyboard_alone_is_enough(visitor: Visitor, hosts: FakeHosts) -> None:
    make_endpoint()
    hosts.says = vectors([1.0, 0.0], [1.0, 0.0])
    page = visitor.window()
    page.goto("/console/")
    page.keyboard.type("elastic")  # the name has the focus
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.goto("/console/endpoints")
    tab_to(page, "my-endpoint")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/endpoints/my-endpoint")
    tab_to(page, "Run")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1.000", exact=True)).to_be_visible()
    page.get_by_role("radio", name="curl").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#code-python")).to_be_visible()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element with this text has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == name:
            return
    raise AssertionError(f"{name} cannot be reached with Tab")


def test_the_chosen_colours_are_remembered(visitor: Visitor) -> None:
    page = visitor.signed_in(color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)

    page.get_by_role("button", name="Dark colours").click()
    dark = page.evaluate(background)
    page.reload()

    assert dark != light
    assert page.evaluate(background) == dark
    expect(page.get_by_role("button", name="Dark colours")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_dark_systems_get_dark_pages_even_without_scripts(visitor: Visitor) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    shades = []
    for scheme in ("light", "dark"):
        page = visitor.window(color_scheme=scheme, java_script_enabled=False)
        page.goto("/console/sign-in")
        shades.append(page.evaluate(background))

    assert shades[0] != shades[1]


def test_no_page_is_wider_than_a_phone(visitor: Visitor, hosts: FakeHosts) -> None:
    hosts.says = vectors([0.6, 0.8], [0.8, 0.6])
    long_id = "knowledge-base-of-the-support-department-in-all-languages.v2"
    make_endpoint(long_id)
    artifact = make_artifact(repository="a/b", state=ArtifactState.FAILED, reason="x" * 300)
    make_endpoint("failed", ".minilm-sparse-v1", artifact, state=DeploymentState.FAILED)
    make_index("i" * 200, long_id)
    failed = make_cluster("c" * 64, "http://" + "h" * 200, scan_state="failed", reason="x" * 300)
    ClusterReference.objects.create(
        cluster=failed, kind="index", name="i" * 200, inference_id=long_id, seen_at=timezone.now()
    )
    page = visitor.signed_in(viewport=PHONE)
    for path in (
        "/console/",
        "/console/endpoints",
        "/console/endpoints?q=nothing",
        "/console/endpoints/_new",
        f"/console/endpoints/{long_id}",
        f"/console/endpoints/{long_id}/delete",
        "/console/endpoints/failed",
        "/console/clusters",
        "/console/clusters/_new",
        f"/console/clusters/{failed}",
        f"/console/clusters/{failed}/edit",
        f"/console/clusters/{failed}/remove",
        "/console/api",
        "/console/account",
        "/console/account/security/app",
        "/console/account/sessions",
    ):
        page.goto(path)
        if page.get_by_role("button", name="Run").count():
            page.get_by_role("button", name="Run").click()
            expect(page.get_by_text("Nearly the same meaning")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_everything_works_without_scripts(visitor: Visitor, hosts: FakeHosts) -> None:
    hosts.says = vectors([0.6, 0.8], [0.8, 0.6])
    page = visitor.signed_in(java_script_enabled=False)
    page.get_by_role("link", name="Create endpoint").first.click()
    page.get_by_role("link", name="Use the built-in model").click()
    page.get_by_label("What should it be called?").fill("plain-html")
    page.get_by_role("button", name="Create endpoint").click()
    page.wait_for_url("**/console/endpoints/plain-html")
    expect(page.get_by_text("Waiting.")).to_be_visible()
    Artifact.objects.update(state=ArtifactState.READY)
    Deployment.objects.update(state=DeploymentState.STARTED)
    page.get_by_role("link", name="Look again").click()

    page.get_by_label("Text 1", exact=True).fill("my own text")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Nearly the same meaning")).to_be_visible()
    expect(page.get_by_label("Text 1", exact=True)).to_have_value("my own text")
    page.get_by_text("Python", exact=True).click()
    expect(page.locator("#code-python")).to_contain_text("my own text")
    expect(page.get_by_role("button", name="Copy the code")).to_be_hidden()

    page.goto("/console/endpoints")
    page.get_by_role("searchbox").fill("nothing-like-it")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing found for")).to_be_visible()
    page.get_by_role("link", name="Show all endpoints").click()
    page.get_by_role("link", name="plain-html").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete endpoint").click()
    expect(page.get_by_text("plain-html is deleted.")).to_be_visible()

    page.locator("summary", has_text="elastic").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/console/sign-in")


def test_a_cluster_is_followed_until_its_first_scan(visitor: Visitor, elastic: Elastic) -> None:
    elastic.indexes = {"docs": semantic("my-endpoint")}
    make_endpoint()
    page = visitor.signed_in()
    page.get_by_role("link", name="References").click()
    page.get_by_role("link", name="Clusters").click()
    page.get_by_role("link", name="Connect cluster").click()
    page.get_by_label("Name").fill("prod")
    page.get_by_label("Address").fill(elastic.url)
    page.get_by_label("API key").fill(API_KEY)
    page.get_by_role("button", name="Connect and scan").click()
    page.wait_for_url("**/console/clusters/prod")
    expect(page.get_by_text("It has not been scanned yet")).to_be_visible()

    scan_cluster(Cluster.objects.get().pk)  # as the worker does

    expect(page.get_by_text("Nobody knows now what it uses")).to_be_hidden()
    page.get_by_role("link", name="my-endpoint").click()
    tabs = page.get_by_role("navigation", name="About this endpoint")
    tabs.get_by_role("link", name="References").click()
    expect(page.get_by_role("row", name="docs Index prod")).to_be_visible()


def test_a_server_that_is_gone_is_told(visitor: Visitor) -> None:
    make_endpoint(state=DeploymentState.STARTING)
    page = visitor.signed_in()
    page.goto("/console/endpoints/my-endpoint")

    page.route("**/console/endpoints/my-endpoint", lambda route: route.abort())
    expect(page.get_by_text("The server does not answer.")).to_be_visible()
    page.unroute("**/console/endpoints/my-endpoint")
    expect(page.get_by_text("The server does not answer.")).to_be_hidden()
    visitor.complaints.clear()


def test_a_session_that_ended_leads_to_the_sign_in_page_and_back(
    visitor: Visitor, admin: User
) -> None:
    make_endpoint(state=DeploymentState.STARTING)
    page = visitor.signed_in()
    page.goto("/console/endpoints/my-endpoint")

    page.context.clear_cookies()

    page.wait_for_url("**/console/sign-in?next=*")
    page.get_by_label("Name").fill("elastic")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/console/endpoints/my-endpoint")
