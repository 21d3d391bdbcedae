"""The pages of models: what they show, find and change, and how they tell what was refused."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from endpoints import hosting, jobs, tasks
from endpoints.models import (
    Artifact,
    ArtifactState,
    Deployment,
    DeploymentState,
    Heartbeat,
    ModelUpload,
    Team,
    TeamRole,
    TrainedModel,
)
from inference.runner.convert import ensure_graph
from tests.console.conftest import HTMX, member, text
from tests.endpoints.conftest import FakeHosts as Hosts
from tests.factories import (
    make_added_model,
    make_artifact,
    make_deployment,
    make_endpoint,
    make_model,
)
from tests.inference.runner.published import write_published

MINILM = ".all-minilm-l6-v2"
PAGE = f"/console/models/{MINILM}"
FORM = {"how_many": "fixed", "number_of_allocations": "1", "threads_per_allocation": "1"} | {
    "queue_capacity": "100",
    "priority": "normal",
}


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """No worker is told, no host runs, and nothing is kept."""
    monkeypatch.setattr(tasks.fetch_artifact, "delay_on_commit", lambda *args: None)
    monkeypatch.setattr(hosting, "hosts", Hosts)
    monkeypatch.setattr(jobs, "SIGN_OF_LIFE_S", 3600)
    monkeypatch.setattr(jobs, "convert", ensure_graph)
    settings.MODEL_DIR = tmp_path / "models"
    settings.MODEL_FOLDERS = (tmp_path / "published",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_published(tmp_path / "published" / "small")


def test_the_catalogue_tells_of_each_model_what_it_is_and_does(console: Client) -> None:
    make_endpoint("vectors")
    make_added_model("my-e5", description="Ours, for <search>.")

    shown = text(console.get("/console/models"))

    assert "7 models" in shown
    assert "Ours, for &lt;search&gt;." in shown
    row = shown.partition(f'id="model-{MINILM}"')[2].partition("</tr>")[0]
    for words in ("Text embedding", "384 dimensions", "91.3 MB", "Apache-2.0", "English"):
        assert words in row
    assert "1 endpoint" in row
    assert "Running" in row


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=minilm", {MINILM, ".minilm-rerank-v1", ".minilm-sparse-v1"}),
        ("q=MIT&task=text_embedding", {".multilingual-e5-small"}),
        ("task=rerank&state=running", set()),
        ("state=paused", {MINILM}),
        ("language=sw", {".multilingual-e5-small"}),
        ("q=swahili", {".multilingual-e5-small"}),
        ("language=sw&task=rerank", set()),
        ("q=nothing-like-it", set()),
    ],
)
def test_models_are_found_by_text_task_state_and_language(
    console: Client, query: str, found: set[str]
) -> None:
    make_model(MINILM, make_artifact(state=ArtifactState.PAUSED))

    answer = console.get(f"/console/models?{query}")

    assert {row.model.facts.model_id for row in answer.context["rows"]} >= found
    if not found:
        assert "No model is like that" in text(answer)


def test_models_are_found_that_the_machine_has_memory_for(console: Client) -> None:
    def found(query: str = "") -> set[str]:
        rows = console.get(f"/console/models{query}").context["rows"]
        return {row.model.facts.model_id for row in rows}

    every = found()
    assert found("?fits=now") == every, "nobody says how much memory there is"
    told = {"seen_at": timezone.now(), "available_bytes": 300_000_000}
    Heartbeat.objects.create(part="runner", instance="r", **told)

    assert MINILM in found("?fits=now")
    assert found() - found("?fits=now") == {".multilingual-e5-small", ".elser_model_2"}
    assert text(console.get("/console/models")).count("does not fit now") == 2


def test_a_model_of_many_languages_names_each(console: Client) -> None:
    page = text(console.get("/console/models/.multilingual-e5-small"))

    assert "93 languages" in page
    assert "Swahili" in page
    assert "Xhosa" in page


def test_the_largest_or_most_used_come_first_where_that_is_asked(console: Client) -> None:
    make_endpoint("a", ".minilm-rerank-v1")

    def first(sort: str) -> str:
        rows = console.get(f"/console/models?sort={sort}").context["rows"]
        return str(rows[0].model.facts.model_id)

    assert first("size") == ".multilingual-e5-small"
    assert first("used") == ".minilm-rerank-v1"
    assert first("nonsense") == MINILM


def test_as_many_queries_for_many_models_as_for_one(
    search: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    somebody = member(search, TeamRole.INFERENCE_ADMIN)

    def add(number: int) -> None:
        model = make_added_model(f"mine-{number}")
        TrainedModel.objects.filter(pk=model.pk).update(team=search)
        make_deployment(f"runs-{number}", model, team=search)
        endpoint = make_endpoint(f"on-{number}")
        endpoint.team = search
        endpoint.save()

    add(0)
    for path in ("/console/models", "/console/models/_deployments", PAGE):
        somebody.get(path)
        with CaptureQueriesContext(connection) as counted:
            somebody.get(path)
        before = len(counted)
        for number in range(1, 4):
            add(number * 10 + len(path))
        with django_assert_num_queries(before):
            somebody.get(path)


STATES: tuple[tuple[ArtifactState, dict[str, Any], str], ...] = (
    (ArtifactState.QUEUED, {}, "The download is next in line."),
    (ArtifactState.DOWNLOADING, {"bytes_done": 25, "bytes_per_s": 5.0}, "25 B of 100 B (25%)"),
    (ArtifactState.QUEUED, {"bytes_done": 40}, "40 B of 100 B (40%)"),
    (ArtifactState.DOWNLOADING, {"bytes_per_s": 5.0}, "about 20 s"),
    (ArtifactState.DOWNLOADING, {"has_restarted": True}, "so the download began anew"),
    (ArtifactState.PAUSED, {"source": "package"}, "the download will begin anew"),
    (ArtifactState.CONVERTING, {}, "they are being prepared to run fast"),
    (ArtifactState.FAILED, {"reason": "hub: no route"}, "hub: no route"),
    (ArtifactState.FAILED, {}, "CONSOLE_MODEL_MIRROR"),
    (ArtifactState.READY, {}, "Ready to start"),
)


@pytest.mark.parametrize(("state", "columns", "words"), STATES)
def test_a_model_says_how_its_files_are(
    console: Client, state: ArtifactState, columns: dict[str, Any], words: str
) -> None:
    make_model(MINILM, make_artifact(state=state, bytes_total=100, **columns))

    shown = text(console.get(PAGE))

    assert words in shown
    is_moving = state in ("queued", "downloading", "converting")
    assert ('hx-trigger="every 1s"' in shown) == is_moving


def test_the_list_tells_how_far_a_download_is_and_has_the_next_step(console: Client) -> None:
    half_here = {"bytes_done": 25, "bytes_total": 100}
    absent = f'aria-label="Download {MINILM}"'
    assert absent in text(console.get("/console/models"))

    artifact = make_artifact(state=ArtifactState.DOWNLOADING, bytes_per_s=5.0, **half_here)
    make_model(MINILM, artifact)
    coming = text(console.get("/console/models"))
    Artifact.objects.update(state=ArtifactState.PAUSED)
    paused = text(console.get("/console/models"))

    assert re.search(r'<progress[^>]*value="25"', coming)
    assert "25 B, about 15 s left" in coming
    assert absent not in coming
    assert f'aria-label="Resume {MINILM}"' in paused
    assert "left" not in paused


def test_files_come_pause_go_on_and_are_given_up(console: Client) -> None:
    assert "Not on this machine yet" in text(console.get(PAGE))

    def do(deed: str) -> str:
        answer = console.post(f"{PAGE}/{deed}")
        assert (answer.status_code, answer["Location"]) == (302, PAGE)
        return str(Artifact.objects.get().state)

    assert do("download") == "queued"
    assert do("pause") == "paused"
    assert "Resume" in text(console.get(PAGE))
    assert do("download") == "queued"
    assert do("cancel") == "absent"
    assert do("pause") == "absent"
    assert "are not being fetched." in text(console.get(PAGE))


def test_who_only_sees_a_model_is_offered_nothing(search: Team) -> None:
    make_model(MINILM, make_artifact(state=ArtifactState.DOWNLOADING))
    reader = member(search, TeamRole.INFERENCE_USER)

    shown = text(reader.get(PAGE))

    for words in ("Pause", "Cancel", f"{PAGE}/delete", f"{PAGE}/start"):
        assert words not in shown
    assert "/download" not in text(reader.get("/console/models"))
    assert reader.post(f"{PAGE}/pause").status_code == 403


def test_a_model_is_added_from_a_folder_and_named_after_it(console: Client, folder: Path) -> None:
    answer = console.post("/console/models/_add?from=folder", {"folder": str(folder)})

    assert answer["Location"] == "/console/models/small"
    model = TrainedModel.objects.get(model_id="small")
    assert model.published_model
    assert model.published_model.prefixes == {}


def test_what_is_wrong_with_a_new_model_stands_at_its_field(console: Client, folder: Path) -> None:
    def problems(way: str, **sent: str) -> Any:
        return console.post(f"/console/models/_add?from={way}", sent).context["form"].errors

    assert problems("hub") == {"repository": ["Write the name of the model, such as owner/name."]}
    assert "is no repository" in problems("hub", repository="a b", model_id="a")["repository"][0]
    assert (
        "can contain lowercase"
        in problems("folder", folder=str(folder), model_id="A b")["model_id"][0]
    )
    assert "CONSOLE_MODEL_FOLDERS" in problems("folder", folder="/etc", model_id="etc")["folder"][0]
    assert not TrainedModel.objects.exists()


def announce(console: Client, folder: Path, **more: str) -> Any:
    sizes = [
        [str(path.relative_to(folder)), path.stat().st_size]
        for path in folder.rglob("*")
        if path.is_file()
    ]
    sent = {"files": json.dumps(sizes), "name": folder.name, **more}
    return console.post("/console/models/_uploads", sent, headers={"Accept": "application/json"})


def test_a_folder_is_sent_in_pieces_and_goes_on_after_a_break(
    console: Client, folder: Path
) -> None:
    told = announce(console, folder).json()
    page = told["page"]
    assert page == "/console/models/_uploads/small"
    file = told["files"][-1]
    content = (folder / file["name"]).read_bytes()
    console.put(f"{page}/{file['number']}?offset=0", content[:100], "application/octet-stream")

    assert announce(console, folder).json()["files"][-1]["received"] == 100
    assert "Choose the same folder again" in text(console.get(page))
    assert "Uploads to finish" in text(console.get("/console/models"))
    again = console.put(f"{page}/{file['number']}?offset=0", content, "application/octet-stream")
    assert again.status_code == 409
    for one in announce(console, folder).json()["files"]:
        rest = (folder / one["name"]).read_bytes()[one["received"] :]
        address = f"{page}/{one['number']}?offset={one['received']}"
        assert console.put(address, rest, "application/octet-stream").status_code == 200
    done = console.post(f"{page}/finish", headers={"Accept": "application/json"})

    assert done.json() == {"page": "/console/models/small"}
    assert "uploaded" in text(console.get("/console/models/small"))


def test_files_that_are_no_model_are_refused_at_once(console: Client, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")

    told = announce(console, tmp_path, model_id="mine").json()

    assert "there is no [config.json]" in str(told["problems"])
    assert announce(console, tmp_path, model_id="A B").json()["problems"].keys() == {"model_id"}
    assert not ModelUpload.objects.exists()


def test_without_scripts_an_archive_is_sent_whole(console: Client, folder: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.rglob("*"):
            archive.write(path, f"small/{path.relative_to(folder)}")
    sent = {"archive": SimpleUploadedFile("My Small.zip", packed.getvalue())}

    answer = console.post("/console/models/_uploads", sent)

    assert answer["Location"] == "/console/models/my-small"
    bad = {"archive": SimpleUploadedFile("other.zip", b"no archive")}
    assert "cannot be read" in text(console.post("/console/models/_uploads", bad))
    assert not ModelUpload.objects.exists()


def test_an_upload_is_discarded_after_a_question(console: Client, folder: Path) -> None:
    page = announce(console, folder).json()["page"]

    assert "Discard the upload" in text(console.get(f"{page}/discard"))
    assert ModelUpload.objects.exists()
    console.post(f"{page}/discard")

    assert not ModelUpload.objects.exists()


def test_a_model_is_started_as_the_form_says(console: Client) -> None:
    make_model()
    sent = FORM | {
        "deployment_id": "mine",
        "how_many": "adaptive",
        "min_number_of_allocations": "1",
        "max_number_of_allocations": "4",
        "threads_per_allocation": "2",
        "precision": "int8",
    }

    answer = console.post(f"{PAGE}/start", sent)

    assert answer["Location"] == PAGE
    made = Deployment.objects.get()
    bounds = {"enabled": True, "min_number_of_allocations": 1, "max_number_of_allocations": 4}
    assert (made.deployment_id, made.num_threads, made.precision) == ("mine", 2, "int8")
    assert made.adaptive_allocations == bounds


def test_a_built_in_model_is_started_before_anybody_asked_for_it(console: Client) -> None:
    assert "number_of_allocations" in text(console.post(f"{PAGE}/start", {}))
    sent = FORM | {"deployment_id": "mine", "queue_capacity": "0"}
    console.post(f"{PAGE}/start", sent)
    assert not TrainedModel.objects.exists()

    console.post(f"{PAGE}/start", sent | {"queue_capacity": "5"})

    assert Deployment.objects.get().deployment_id == "mine"
    assert Artifact.objects.get().state == ArtifactState.QUEUED


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"number_of_allocations": ""}, "number_of_allocations"),
        ({"number_of_allocations": "0"}, "number_of_allocations"),
        ({"deployment_id": ""}, "deployment_id"),
        ({"deployment_id": "taken"}, "deployment_id"),
        ({"threads_per_allocation": "3"}, "threads_per_allocation"),
        ({"queue_capacity": "0"}, "queue_capacity"),
        ({"priority": "low", "threads_per_allocation": "2"}, "threads_per_allocation"),
        (
            {
                "how_many": "adaptive",
                "min_number_of_allocations": "3",
                "max_number_of_allocations": "2",
            },
            "min_number_of_allocations",
        ),
    ],
)
def test_a_start_that_cannot_be_is_told_at_its_field(
    console: Client, sent: dict[str, str], field: str
) -> None:
    make_deployment("taken", make_model())

    answer = console.post(f"{PAGE}/start", FORM | {"deployment_id": "mine"} | sent)

    assert field in answer.context["form"].errors
    assert Deployment.objects.count() == 1


def test_what_a_start_will_take_is_told_while_somebody_chooses(console: Client) -> None:
    sent = {"how_many": "fixed", "number_of_allocations": "1000", "threads_per_allocation": "2"}

    shown = text(console.get(f"{PAGE}/start", sent, headers=HTMX))

    assert "<h1" not in shown
    assert "1000 allocations, each on 2 threads" in shown
    assert "there is room for 512" in shown


def test_a_deployment_shows_its_figures(console: Client) -> None:
    stats = {
        "inference_count": 12345,
        "average_inference_time_ms": 3.21,
        "number_of_pending_requests": 7,
        "error_count": 2,
        "timeout_count": 1,
        "throughput_last_minute": 90,
        "current_allocations": 2,
        "last_access": 1_700_000_000_000,
    }
    make_deployment("mine", make_model(), num_allocations=3, stats=stats)

    for path in (PAGE, "/console/models/_deployments"):
        shown = text(console.get(path))
        for words in ("12,345", "3.2 ms", "2 of 3", "Running", "days ago"):
            assert words in shown, (path, words)
    assert "Allocations one by one" in text(console.get(PAGE))


def test_a_model_says_how_its_precisions_come_to_be_compared(console: Client) -> None:
    artifact = make_artifact(state=ArtifactState.DOWNLOADING)
    make_model(MINILM, artifact)
    assert "Start it in another" not in text(console.get(PAGE))

    Artifact.objects.update(state=ArtifactState.READY)

    assert "Start it in another" in text(console.get(PAGE))


def test_a_deployment_that_waits_says_for_what(console: Client) -> None:
    waiting = {"state": DeploymentState.WAITING, "reason": "measuring: it is compared first"}
    make_deployment("mine", make_model(), **waiting)

    for path in (PAGE, "/console/models/_deployments"):
        shown = text(console.get(path))
        assert "</span>Measuring</span>" in shown, path
        assert "It is compared first" in shown, path
    scale = text(console.get("/console/models/_deployments/_scale?id=mine"))
    assert "can be changed once it runs" in scale
    assert 'name="number_of_allocations"' not in scale


def test_a_deployment_is_scaled_and_turned_adaptive_and_back(console: Client) -> None:
    make_deployment("a/b *?", make_model())
    page = "/console/models/_deployments/_scale?id=a%2Fb%20%2A%3F"

    def scale(**sent: str) -> tuple[int, Any]:
        assert console.post(page, sent).status_code == 302
        row = Deployment.objects.get()
        return row.num_allocations, row.adaptive_allocations

    assert scale(how_many="fixed", number_of_allocations="3") == (3, None)
    bounds = {"enabled": True, "max_number_of_allocations": 2}
    assert scale(how_many="adaptive", max_number_of_allocations="2") == (2, bounds)
    found = scale(how_many="fixed", number_of_allocations="1")
    assert (found[0], found[1]["enabled"]) == (1, False)


def test_a_deployment_is_changed_to_another_precision(console: Client) -> None:
    make_deployment("mine", make_model(), num_allocations=3)
    page = "/console/models/_deployments/_scale?id=mine"
    assert "Change the precision" in text(console.get(page))

    assert console.post(page, {"precision": "int8"}).status_code == 302
    row = Deployment.objects.get()
    assert (row.precision, row.num_allocations) == ("int8", 3)

    assert "already" in text(console.post(page, {"precision": "int8"}))


def test_what_was_started_for_an_endpoint_is_scaled_there(console: Client) -> None:
    make_endpoint("vectors")
    page = "/console/models/_deployments/_scale?id=vectors"

    assert "is changed as that endpoint" in text(console.get(page))
    answer = console.post(page, {"how_many": "fixed", "number_of_allocations": "2"})

    assert "Update the endpoint instead" in text(answer)
    shown = text(console.get(PAGE))
    assert "_scale?id=vectors" not in shown
    assert re.search(r'href="/console/endpoints/vectors/deployment"\s+aria-label="Change', shown)


def test_stopping_tells_what_depends_on_it_and_takes_only_the_one_that_is_meant(
    console: Client,
) -> None:
    model = make_model()
    make_deployment("*", model)
    make_deployment("other", model)
    make_endpoint("vectors")

    console.post("/console/models/_deployments/_stop?id=%2A")
    assert set(Deployment.objects.values_list("deployment_id", flat=True)) == {"other", "vectors"}

    page = "/console/models/_deployments/_stop?id=vectors"
    assert "It is used by" in text(console.get(page))
    assert "Cannot stop deployment [vectors]" in text(console.post(page))
    console.post(page, {"force": "true"})
    assert list(Deployment.objects.values_list("deployment_id", flat=True)) == ["other"]


def test_a_deployment_that_is_not_there_has_no_page(console: Client) -> None:
    for deed in ("_scale", "_stop"):
        assert console.get(f"/console/models/_deployments/{deed}?id=nobody").status_code == 404


def test_a_model_in_use_is_deleted_only_by_who_writes_its_id(console: Client) -> None:
    make_deployment("runs", make_added_model("mine"))
    page = "/console/models/mine/delete"

    assert "runs" in text(console.get(page))
    assert "This is not its id" in text(console.post(page, {"written_id": "other"}))
    assert TrainedModel.objects.exists()
    assert console.post(page, {"written_id": "mine"})["Location"] == "/console/models"

    assert not TrainedModel.objects.exists()
    assert not Deployment.objects.exists()


def test_many_deployments_take_no_more_queries_to_ask_before_a_model_is_deleted(
    console: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    model, page = make_added_model("mine"), "/console/models/mine/delete"
    make_deployment("first", model)
    console.get(page)
    with CaptureQueriesContext(connection) as counted:
        console.get(page)
    for number in range(3):
        make_deployment(f"runs-{number}", model)

    with django_assert_num_queries(len(counted)):
        console.get(page)


def test_a_model_that_nothing_uses_is_deleted_after_a_question(console: Client) -> None:
    make_added_model("mine")

    assert "Its files are deleted from this machine" in text(
        console.get("/console/models/mine/delete")
    )
    console.post("/console/models/mine/delete")

    assert not TrainedModel.objects.exists()


def test_a_start_that_failed_tells_why_and_what_to_do(console: Client) -> None:
    make_deployment("mine", make_model(), state=DeploymentState.FAILED, reason="out of memory")

    shown = text(console.get(PAGE))

    assert "It could not be started" in shown
    assert "out of memory" in shown
    assert "runner" in shown
