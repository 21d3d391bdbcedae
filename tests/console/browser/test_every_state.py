"""What holds for each page holds for what no link leads to: answers, refusals, what is unfolded."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.pages import model_adding
from endpoints.models import (
    CallerDay,
    DeploymentEvent,
    DeploymentState,
    IngestPipeline,
    LatestUsage,
    User,
)
from inference.runner.protocol import HostReply, HostRequest
from inference.types import TaskType
from tests.console.browser.conftest import PHONE, Visitor
from tests.console.browser.looking import AXE, problems
from tests.console.browser.test_playground import CHAT, played, rows_of
from tests.console.conftest import FakeHosts
from tests.elastic import inferring
from tests.factories import make_endpoint, make_index, make_remote_endpoint
from tests.inference.runner.published import write_published

__all__ = ["played"]

pytestmark = pytest.mark.usefixtures("admin")


class Look:
    """Notes what is wrong with what a page shows, under a name of its state."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []
        page.add_init_script(AXE)

    def at(self, state: str, *widths: int) -> None:
        self.found += [
            f"{state}: {problem}" for problem in problems(self.page, *([widths] if widths else []))
        ]


@pytest.fixture
def look(visitor: Visitor) -> Iterator[Look]:
    look = Look(visitor.signed_in(at="/console/account"))
    look.page.on("dialog", lambda dialog: dialog.accept())  # leaves what was typed
    yield look
    visitor.complaints[:] = [one for one in visitor.complaints if "beforeunload" not in one]
    assert look.found == [], "\n".join(look.found)


def test_an_empty_installation(look: Look) -> None:
    page = look.page
    sections = page.get_by_role("navigation", name="Main").get_by_role("link")
    paths = [link.get_attribute("href") or "" for link in sections.all()]
    assert len(paths) > 8
    more = ("models/_deployments", "references/pipelines", "clusters", "endpoints/_deleted")
    for path in (*paths, *(f"/console/{one}" for one in more), "/console/keys/_accounts"):
        answer = page.goto(path)
        assert answer
        assert answer.ok, path
        look.at(path)


def test_answers_in_the_playground(look: Look, hosts: FakeHosts, played: object) -> None:
    models = {"vectors": ".all-minilm-l6-v2", "weights": ".minilm-sparse-v1"}
    for name, model in {**models, "ranks": ".minilm-rerank-v1"}.items():
        make_endpoint(name, model_id=model)
    make_remote_endpoint("openai", TaskType.CHAT_COMPLETION, CHAT, "chat")

    def call(deployment_id: str, request: HostRequest) -> HostReply:
        return {
            "vectors": lambda: HostReply(vectors=rows_of(request)),
            "weights": lambda: HostReply(
                weights=[{"my": 2.5, "password": 1.0}] * len(request.texts)
            ),
            "lighter": lambda: HostReply(weights=[{"my": 1.0, "password": 1.0}]),
            "ranks": lambda: HostReply(scores=[0.2, 0.1, 0.8]),
        }[deployment_id]()

    hosts.call = call  # type: ignore[method-assign]
    page = look.page
    for name, shown in {
        "vectors": ".closeness-number",
        "weights": "#outcome .outcome-facts",
        "ranks": ".rank",
        "chat": "#answer-text",
    }.items():
        page.goto(f"/console/endpoints/{name}")
        page.get_by_role("button", name="Run").click()
        expect(page.locator(shown).first).to_be_visible()
        expect(page.get_by_role("button", name="Run")).to_be_enabled()
        look.at(name)

    make_endpoint("lighter", model_id=".minilm-sparse-v1")
    page.goto("/console/endpoints/weights#input=my+password&beside=lighter")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("table", name="The words that differ most")).to_be_visible()
    look.at("weights beside others")


def test_refused_forms(look: Look) -> None:
    make_endpoint()
    page = look.page

    page.goto("/console/endpoints/_new/openai")
    page.get_by_role("button", name="Create endpoint").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    look.at("create")

    page.goto("/console/endpoints/my-endpoint/edit")
    page.get_by_label("Number of allocations").fill("-1")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    look.at("edit")

    page.goto("/console/lab")
    page.get_by_text("Bring a document of your own").click()
    page.get_by_role("button", name="Use this document").click()
    expect(page.get_by_text("Paste a text first")).to_be_visible()
    look.at("lab")

    page.goto("/console/references/pipelines")
    page.get_by_role("link", name="Register pipeline").click()
    page.get_by_label("Pipeline", exact=True).fill('{"processors": [,]}')
    page.get_by_role("button", name="Register pipeline").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    look.at("pipeline")


def test_what_is_used_and_what_has_failed(look: Look, admin: User) -> None:
    endpoint = make_endpoint()
    make_index("docs", "my-endpoint")
    IngestPipeline.objects.create(pipeline_id="embed", config=inferring("my-endpoint"))
    now = timezone.now()
    day = {"endpoint": endpoint, "day": now.date(), "requests": 9, "called_at": now}
    LatestUsage.objects.create(**day)
    CallerDay.objects.create(user=admin, **day)
    failed = make_endpoint("failed", state=DeploymentState.FAILED, reason="no room").deployment
    assert failed
    DeploymentEvent.objects.create(deployment=failed, phase="failed", reason="no room")
    page = look.page

    page.goto("/console/endpoints/my-endpoint/delete")
    expect(page.get_by_role("heading", name="1 index and 1 pipeline")).to_be_visible()
    look.at("delete")
    for tab in ("", "/deployment", "/diagnose"):
        page.goto(f"/console/endpoints/failed{tab}")
        look.at(f"failed{tab}")
    page.goto("/console/endpoints")
    page.get_by_role("button", name="Actions for failed").click()
    expect(page.locator(":popover-open")).to_be_visible()
    look.at("menu of a row", 1440)


def test_what_is_opened_over_a_page(look: Look) -> None:
    make_endpoint()
    page = look.page
    make_endpoint("other")
    page.goto("/console/endpoints/other/delete")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".note").filter(visible=True)).to_be_visible()
    look.at("note")

    page.goto("/console/")
    page.keyboard.press("Control+k")
    page.keyboard.type("my")
    expect(page.get_by_role("option", name="my-endpoint")).to_be_visible()
    look.at("palette", PHONE["width"])
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    look.at("shortcuts", PHONE["width"])
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Keys")).to_be_visible()
    look.at("drawer", PHONE["width"])


def test_an_upload_on_its_way(look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_adding, "PART_BYTES", 4000)
    page = look.page
    page.goto("/console/models/_add?from=upload")
    page.route(re.compile(r"/_uploads/my-small/4\?offset=8000"), lambda route: None)  # held
    page.get_by_label("Folder of the model").set_input_files(write_published(tmp_path / "my-small"))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Uploading.")).to_be_visible()

    look.at("upload")
