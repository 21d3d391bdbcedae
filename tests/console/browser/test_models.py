"""Models as people have them come, send them, and run them: live, interrupted, and gone on with."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from console.pages import model_adding
from endpoints import hosting, jobs, tasks
from endpoints.models import Artifact, Deployment, DeploymentState, TrainedModel
from inference.runner import progress
from inference.runner.convert import ensure_graph
from tests.console.browser.conftest import PHONE, Visitor
from tests.endpoints.conftest import FakeHosts
from tests.factories import make_model
from tests.inference.runner.hub import Hub, running_hub
from tests.inference.runner.published import COMMIT, REPOSITORY, publish, write_published

pytestmark = pytest.mark.usefixtures("admin")
HALF = 8000


@pytest.fixture(autouse=True)
def _at_work(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """The worker is the test itself, and the hosts only take note."""
    monkeypatch.setattr(tasks.fetch_artifact, "delay_on_commit", lambda *args: None)
    monkeypatch.setattr(jobs, "SIGN_OF_LIFE_S", 3600)
    monkeypatch.setattr(jobs, "convert", ensure_graph)
    monkeypatch.setattr(hosting, "hosts", FakeHosts)
    settings.MODEL_DIR = tmp_path / "models"


@pytest.fixture
def hub(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(progress, "REPORT_INTERVAL_S", 0.0)
    with running_hub() as hub:
        hub.commit = COMMIT
        publish(hub, write_published(tmp_path / "small"), "main", COMMIT)
        settings.MODEL_SOURCES, settings.MODEL_MIRROR = ("mirror",), hub.url
        yield hub


def work_until_paused(page: Page, hub: Hub) -> None:
    """What a worker does until somebody at the page pauses it, when half of the weights came."""
    model = TrainedModel.objects.select_related("artifact").get()
    assert model.artifact
    assert model.published_model
    small = [file.size_bytes for file in model.published_model.weights.files[:-1]]
    noting = jobs._go_on
    hub.holds = [*small, HALF]

    def go_on(artifact: Artifact, **changes: Any) -> None:
        noting(artifact, **changes)
        if changes["bytes_done"] == sum(small) + HALF:
            expect(page.get_by_text(re.compile(r"11\.\d kB of 1\d\.\d kB"))).to_be_visible()
            page.get_by_role("button", name="Pause").click()
            expect(page.get_by_role("button", name="Resume")).to_be_visible()
            noting(artifact, **changes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_go_on", go_on)
        jobs.fetch_artifact(model.artifact.pk)


def test_a_download_is_watched_paused_left_and_gone_on_with(visitor: Visitor, hub: Hub) -> None:
    page = visitor.signed_in(at="/console/models")
    page.get_by_role("link", name="Add model").click()
    page.get_by_label("Name on the hub").fill(REPOSITORY)
    page.get_by_label("Id (optional)").fill("mine")
    page.get_by_role("button", name="Look at it and add it").click()
    page.wait_for_url("**/console/models/mine")
    expect(page.get_by_text("The download is next in line.")).to_be_visible()
    hub.asked.clear()

    work_until_paused(page, hub)
    page.goto("/console/models")
    row = page.get_by_role("row", name=re.compile("mine"))
    expect(row).to_contain_text("Paused")

    row.get_by_role("link", name="mine").click()
    hub.asked.clear()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Waiting.")).to_be_visible()
    jobs.fetch_artifact(Artifact.objects.get().pk)

    assert hub.ranges == [f"bytes={HALF}-"]
    expect(page.locator(".page-name")).to_contain_text("Ready to start")


def test_a_download_that_nobody_wants_is_given_up(visitor: Visitor) -> None:
    page = visitor.signed_in(at="/console/models/.all-minilm-l6-v2", viewport=PHONE)
    page.get_by_role("button", name="Download").click()
    page.get_by_role("button", name="Cancel").click()

    expect(page.locator(".page-name")).to_contain_text("Not downloaded")


def test_an_upload_that_was_broken_off_goes_on_after_the_page_is_loaded_again(
    visitor: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_adding, "PART_BYTES", 4000)
    own = write_published(tmp_path / "my-small")
    page = visitor.signed_in(at="/console/models/_add?from=upload")
    offsets: list[str] = []

    def note(route: Route) -> None:
        """Pieces of the weights; the third is lost on the way."""
        offsets.append(re.findall(r"offset=(\d+)", route.request.url)[0])
        if len(offsets) == 3:
            page.get_by_role("button", name="Pause").dispatch_event("click")
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(re.compile(r"/_uploads/my-small/4\?"), note)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Choose the folder of the model")).to_be_visible()
    other = tmp_path / "no-model"
    other.mkdir()
    (other / "notes.txt").write_text("not a model")
    page.get_by_label("Folder of the model").set_input_files(other)
    expect(page.get_by_text("Choose the folder of the model")).to_have_count(0)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("main").get_by_role("alert")).to_have_count(1)
    expect(page.get_by_text("There is no [config.json]")).to_be_visible()
    page.get_by_label("Folder of the model").set_input_files(own)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Paused. What was sent stays.")).to_be_visible()
    expect(page).to_have_url(re.compile("/_uploads/my-small$"))
    visitor.complaints[:] = [one for one in visitor.complaints if "ERR_CONNECTION" not in one]

    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_text(re.compile(r"kB are here \(\d+%\)"))).to_be_visible()
    page.get_by_label("Folder of the model").set_input_files(own)
    page.get_by_role("button", name="Go on").click()

    page.wait_for_url("**/console/models/my-small")
    assert offsets == ["0", "4000", "8000", "8000", "12000"]
    model = TrainedModel.objects.get()
    assert model.published_model
    sizes = {file.name: file.size_bytes for file in model.published_model.weights.files}
    assert sizes["model.safetensors"] == (own / "model.safetensors").stat().st_size
    visitor.complaints[:] = [one for one in visitor.complaints if "beforeunload" not in one]


def test_a_model_is_started_scaled_and_stopped(visitor: Visitor) -> None:
    make_model()
    page = visitor.signed_in(at="/console/models/.all-minilm-l6-v2")
    page.get_by_role("link", name="Start", exact=True).click()
    page.get_by_label("As many as the calls need").check()
    page.get_by_label("At most").fill("600")
    expect(page.locator("#fit")).to_contain_text("600 allocations at the most")
    expect(page.locator("#fit")).to_contain_text("there is room for 512")
    page.get_by_label("At most").fill("4")
    page.get_by_role("button", name="Start").click()

    deployment = page.get_by_role("article", name="all-minilm-l6-v2")
    expect(deployment).to_contain_text("Waiting for the model's files")
    stats = {"inference_count": 4321, "average_inference_time_ms": 2.5}
    Deployment.objects.update(state=DeploymentState.STARTED, stats=stats)
    expect(deployment).to_contain_text("4,321")
    expect(deployment).to_contain_text("2.5 ms")
    expect(deployment).to_contain_text("adaptive, at most 4")

    deployment.get_by_role("link", name="Change").click()
    page.get_by_label("A fixed number").check()
    page.get_by_role("spinbutton", name="Number").fill("2")
    expect(page.locator("#fit")).to_contain_text("2 allocations, each on 1 thread")
    page.get_by_role("button", name="Scale").click()
    expect(deployment).to_contain_text("of 2")
    assert Deployment.objects.get().adaptive_allocations == {
        "enabled": False,
        "max_number_of_allocations": 4,
    }

    page.goto("/console/models/_deployments")
    page.get_by_role("link", name="Stop all-minilm-l6-v2").click()
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Nothing runs this model.")).to_be_visible()
    assert not Deployment.objects.exists()


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1024, "height": 768}])
def test_nothing_is_wider_than_the_page(visitor: Visitor, viewport: dict[str, int]) -> None:
    make_model()
    stats = {"inference_count": 1234567, "throughput_last_minute": 12345, "error_count": 123456}
    Deployment.objects.create(
        deployment_id="a-rather-long-name-of-a-deployment-that-somebody-chose",
        model=TrainedModel.objects.get(),
        state=DeploymentState.STARTED,
        stats=stats | {"average_inference_time_ms": 12345.6},
    )
    page = visitor.signed_in(viewport=viewport)
    start = "/console/models/.all-minilm-l6-v2"
    for path in ("/console/models", f"{start}/start", start, "/console/models/_deployments"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
