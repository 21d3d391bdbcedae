"""Models that are uploaded in pieces: announced, sent, broken off, gone on with, looked at."""

import hashlib
import io
import shutil
import zipfile
from collections import namedtuple
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from endpoints import jobs, model_uploads, teams
from endpoints.models import AuditEntry, ModelUpload, TeamRole, TrainedModel
from tests.endpoints.api.adding import folder_of, work
from tests.endpoints.conftest import PASSWORD, Api, basic, refused, told
from tests.factories import make_user
from tests.inference.runner.published import write_published

pytestmark = pytest.mark.usefixtures("at_work")
PATH = "/_console/models/my-e5/uploads"
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder of the model on somebody's own machine."""
    return write_published(tmp_path / "at-home")


def sizes(folder: Path) -> list[dict[str, Any]]:
    return [
        {"name": str(path.relative_to(folder)), "size_in_bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def begin(api: Api, folder: Path, **more: Any) -> Any:
    return api("POST", PATH, {"files": sizes(folder), **more})


def send(api: Api, file: dict[str, Any], content: bytes, offset: int, **more: str) -> Any:
    query = "&".join(f"{name}={value}" for name, value in more.items())
    return api("PUT", f"{PATH}/{file['number']}?offset={offset}&{query}", content)


def send_all(api: Api, folder: Path) -> None:
    for file in told(api("GET", PATH))["files"]:
        content = (folder / file["name"]).read_bytes()
        rest = content[file["received_in_bytes"] :]
        assert send(api, file, rest, file["received_in_bytes"]).status_code == 200


def named(api: Api, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        file for file in told(api("GET", PATH))["files"] if file["name"] == name
    )
    return found


def test_an_uploaded_folder_becomes_a_model_that_runs(api: Api, own: Path) -> None:
    (own / "notes.bin").write_bytes(b"not needed")
    announced = told(begin(api, own, license="MIT", prefixes={"search": "query: "}))
    assert "notes.bin" not in [file["name"] for file in announced["files"]]
    assert announced["files"][-1]["name"] == "model.safetensors"  # the large one last

    send_all(api, own)
    shown = told(api("POST", f"{PATH}/_finish"))

    assert (shown["origin"], shown["task_type"], shown["license"]) == (
        "added",
        "text_embedding",
        "MIT",
    )
    assert shown["prefixes"] == {"search": "query: "}
    assert "source" not in shown
    weights = hashlib.sha256((own / "model.safetensors").read_bytes()).hexdigest()
    assert weights in [file["sha256"] for file in shown["files"]]
    model = work()
    assert model.has_files
    assert (folder_of(model) / "model.onnx").exists()
    assert not ModelUpload.objects.exists()


def test_a_broken_upload_goes_on_where_it_stopped(api: Api, own: Path) -> None:
    begin(api, own)
    file = named(api, "model.safetensors")
    content = (own / "model.safetensors").read_bytes()
    send(api, file, content[:1000], 0)

    again = told(begin(api, own))

    received = {file["name"]: file["received_in_bytes"] for file in again["files"]}
    assert received["model.safetensors"] == 1000
    assert refused(send(api, file, content[:1000], 0)) == (409, "status_exception")
    assert "[1000] bytes here" in told(send(api, file, content[2000:], 2000))["error"]["reason"]
    send_all(api, own)
    assert api("POST", f"{PATH}/_finish").status_code == 200


def test_a_piece_that_the_way_spoiled_is_not_taken(api: Api, own: Path) -> None:
    begin(api, own)
    file = named(api, "config.json")
    content = (own / "config.json").read_bytes()
    digest = hashlib.sha256(content).hexdigest()

    assert refused(send(api, file, b"x" + content[1:], 0, sha256=digest))[0] == 400
    assert named(api, "config.json")["received_in_bytes"] == 0
    assert send(api, file, content, 0, sha256=digest).status_code == 200
    assert refused(send(api, file, b"more", len(content)))[0] == 400


def test_a_model_is_not_made_of_a_part_of_its_files(api: Api, own: Path) -> None:
    begin(api, own)

    response = api("POST", f"{PATH}/_finish")

    assert refused(response) == (409, "status_exception")
    assert "not all of [" in told(response)["error"]["reason"]
    assert not TrainedModel.objects.exists()


def test_what_cannot_be_hosted_is_refused_with_the_reason_and_stays(api: Api, own: Path) -> None:
    (own / "config.json").write_text('{"model_type": "gpt2", "architectures": ["GPT2Model"]}')
    begin(api, own)
    send_all(api, own)

    response = api("POST", f"{PATH}/_finish")

    assert refused(response)[0] == 400
    assert ModelUpload.objects.exists()
    assert api("DELETE", PATH).status_code == 200
    assert refused(api("GET", PATH)) == (404, "resource_not_found_exception")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("../config.json", 5)], "[../config.json] is no name of a file"),
        ([("/etc/passwd", 5)], "[/etc/passwd] is no name of a file"),
        ([("tokenizer.json", 5), ("model.safetensors", 5)], "there is no [config.json]"),
        ([("config.json", 5), ("tokenizer.json", 5)], "there are no weights"),
        ([("model.zip", 3_000_000)], "more than the 2 MB that [CONSOLE_MODEL_UPLOAD_MB] allows"),
    ],
)
def test_files_of_no_model_are_refused_before_they_are_sent(
    api: Api, settings: Any, files: list[tuple[str, int]], words: str
) -> None:
    settings.MODEL_UPLOAD_BYTES = 2_000_000
    body = {"files": [{"name": name, "size_in_bytes": size} for name, size in files]}

    response = api("POST", PATH, body)

    assert response.status_code == 400
    assert words in told(response)["error"]["reason"]
    assert not ModelUpload.objects.exists()


def test_a_full_disk_is_told(api: Api, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1, 1, 0))

    response = begin(api, own)

    assert response.status_code == 507
    assert "too little room" in told(response)["error"]["reason"]


def test_an_archive_stands_for_the_folder_that_it_holds(api: Api, own: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in own.rglob("*"):
            archive.write(path, f"small/{path.relative_to(own)}")
    content = packed.getvalue()
    api("POST", PATH, {"files": [{"name": "small.zip", "size_in_bytes": len(content)}]})
    send(api, named(api, "small.zip"), content, 0)

    assert api("POST", f"{PATH}/_finish").status_code == 200
    assert work().has_files


@pytest.mark.parametrize("content", [b"no archive at all", None])
def test_an_archive_of_no_model_is_refused(api: Api, content: bytes | None) -> None:
    if content is None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("../../config.json", "{}")
        content = packed.getvalue()
    api("POST", PATH, {"files": [{"name": "small.zip", "size_in_bytes": len(content)}]})
    send(api, named(api, "small.zip"), content, 0)

    assert refused(api("POST", f"{PATH}/_finish"))[0] == 400


def test_an_upload_is_of_a_team_and_hidden_from_others(api: Api, own: Path) -> None:
    ours, theirs = teams.create_team("ours"), teams.create_team("theirs")
    teams.put_member(ours, make_user("ann"), TeamRole.INFERENCE_ADMIN)
    teams.put_member(theirs, make_user("bob"), TeamRole.INFERENCE_ADMIN)
    ann, bob = (Api(basic(name, PASSWORD)) for name in ("ann", "bob"))
    assert told(begin(ann, own))["team"] == "ours"

    assert refused(bob("GET", PATH)) == (404, "resource_not_found_exception")
    assert refused(bob("DELETE", PATH)) == (404, "resource_not_found_exception")
    assert refused(bob("PUT", f"{PATH}/0?offset=0", b"x")) == (404, "resource_not_found_exception")
    assert refused(begin(bob, own))[0] == 400  # the name is taken

    send_all(ann, own)
    ann("POST", f"{PATH}/_finish")
    entries = AuditEntry.objects.filter(actor_name="ann").order_by("number")
    assert list(entries.values_list("verb", flat=True)) == ["model.upload", "model.add"]


def test_an_upload_with_other_files_does_not_go_on(api: Api, own: Path) -> None:
    begin(api, own)
    (own / "model.safetensors").write_bytes(b"longer or shorter")

    assert refused(begin(api, own)) == (409, "status_exception")


def test_what_nobody_goes_on_with_is_forgotten(api: Api, own: Path) -> None:
    begin(api, own)
    send_all(api, own)
    upload = ModelUpload.objects.get()
    model_uploads.forget_old()
    assert upload.folder.exists()

    ModelUpload.objects.update(updated_at=timezone.now() - timedelta(days=8))
    model_uploads.forget_old()

    assert not ModelUpload.objects.exists()


def test_an_upload_whose_files_are_lost_says_so(api: Api, own: Path) -> None:
    begin(api, own)
    send_all(api, own)
    api("POST", f"{PATH}/_finish")
    model = TrainedModel.objects.select_related("artifact").get()
    shutil.rmtree(folder_of(model))

    jobs.fetch_artifact(model.artifact.pk)  # type: ignore[union-attr]  # added

    assert "upload it again" in told(api("GET", "/_console/models/my-e5"))["reason"]
