"""Models that are added by name: looked at, fetched, used, and deleted with their files."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from endpoints import added_models, jobs
from endpoints.known_models import known_models
from endpoints.models import Artifact, ArtifactState, TrainedModel, User
from inference.errors import EndpointExists
from inference.runner.adding import Wish, find
from inference.runner.outputs import Output
from inference.types import InputType
from tests.endpoints.api.adding import PATH, add, create, folder_of, work
from tests.endpoints.conftest import PASSWORD, Api, World, basic, refused, told
from tests.factories import make_added_model
from tests.inference.runner.checkpoints import DIM, WINDOW
from tests.inference.runner.hub import running_hub
from tests.inference.runner.published import (
    COMMIT,
    REPOSITORY,
    publish,
    write_published,
)

pytestmark = pytest.mark.usefixtures("at_work")
OnCommit = Callable[..., Any]


def test_a_model_is_shown_at_once_as_its_files_describe_it(api: Api, folder: Path) -> None:
    response = add(api, folder, license="MIT", prefixes={"search": "query: "})

    shown = told(response)
    assert response.status_code == 200
    assert shown == told(api("GET", PATH))
    assert (shown["origin"], shown["task_type"]) == ("added", "text_embedding")
    assert (shown["state"], shown["source"]) == ("queued", {"folder": str(folder)})
    assert (shown["dimensions"], shown["max_input_tokens"]) == (DIM, WINDOW)
    assert (shown["similarity"], shown["pooling"]) == ("cosine", "mean")
    assert (shown["license"], shown["prefixes"]) == ("MIT", {"search": "query: "})
    assert shown["download"]["bytes_total"] == shown["size_in_bytes"] > 0


def test_its_files_come_in_the_background_and_their_hashes_are_noted(
    api: Api, folder: Path, django_capture_on_commit_callbacks: OnCommit
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        add(api, folder)
    assert len(callbacks) == 1  # a message to a worker

    model = work()

    shown = told(api("GET", PATH))
    assert shown["state"] == "ready"
    assert "download" not in shown
    assert all(len(file["sha256"]) == 64 for file in shown["files"])
    assert (folder_of(model) / "model.onnx").exists()


def test_a_download_that_a_worker_left_is_taken_up(api: Api, folder: Path) -> None:
    add(api, folder)

    assert jobs.abandoned_artifacts() == [Artifact.objects.get().pk]


def test_the_list_holds_built_in_added_and_uploaded_models(api: Api, folder: Path) -> None:
    add(api, folder)
    config = {"inference_config": {"text_embedding": {}}, "model_type": "pytorch"}
    api("PUT", "/_ml/trained_models/mine", config)

    listed = told(api("GET", "/_console/models"))

    origins = {model["model_id"]: model["origin"] for model in listed["models"]}
    assert listed["count"] == len(origins) == 8
    assert (origins["my-e5"], origins["mine"]) == ("added", "uploaded")
    assert origins[".multilingual-e5-small"] == "builtin"
    assert list(origins) == sorted(origins)


def test_a_list_of_many_asks_the_database_no_more_than_one_of_few(
    admin: User, django_assert_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    for number in range(5):
        make_added_model(f"model-{number}")

    with django_assert_num_queries(2):
        assert len(known_models(admin)) == 11


def test_a_repository_comes_from_the_mirror(api: Api, folder: Path) -> None:
    response = api("PUT", PATH, {"source": {"repository": REPOSITORY}})
    assert told(response)["source"] == {"repository": REPOSITORY, "revision": "main"}

    assert work().has_files


def test_a_repository_comes_from_an_address_at_the_commit_that_it_told(
    api: Api, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with running_hub() as hub:
        publish(hub, folder, "main", COMMIT)
        hub.commit, settings.MODEL_MIRROR = COMMIT, hub.url
        shown = told(api("PUT", PATH, {"source": {"repository": REPOSITORY}}))
        assert shown["source"]["revision"] == COMMIT
        assert all(file["sha256"] for file in shown["files"])
        hub.asked.clear()
        hub.drops = [10_000]

        assert work().has_files

    assert all(COMMIT in path for path, _ in hub.asked)


def test_other_weights_than_were_announced_are_not_taken(
    api: Api, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with running_hub() as hub:
        publish(hub, folder, "main")
        settings.MODEL_MIRROR = hub.url
        api("PUT", PATH, {"source": {"repository": REPOSITORY}})
        path = f"/{REPOSITORY}/resolve/main/model.safetensors"
        hub.files[path] = hub.files[path][:-1] + b"x"

        model = work()

    assert model.artifact
    assert model.artifact.state == ArtifactState.FAILED
    assert "model.safetensors has SHA-256" in told(api("GET", PATH))["reason"]


def test_deleting_it_takes_its_files_away(
    api: Api, folder: Path, django_capture_on_commit_callbacks: OnCommit
) -> None:
    add(api, folder)
    own = folder_of(work())
    create(api)

    response = api("DELETE", PATH)
    assert refused(response) == (409, "status_exception")
    assert own.exists()

    api("DELETE", "/_inference/mine")
    with django_capture_on_commit_callbacks(execute=True):
        assert api("DELETE", PATH).status_code == 200
    assert not own.exists()
    assert not Artifact.objects.exists()
    assert refused(api("GET", PATH)) == (404, "resource_not_found_exception")


def test_a_worker_that_finds_its_model_deleted_leaves_nothing(
    api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(api, folder)
    model = TrainedModel.objects.get()
    own = folder_of(model)

    def delete(_folder: Path, _output: Output) -> None:
        assert own.exists()
        api("DELETE", PATH)

    monkeypatch.setattr(jobs, "convert", delete)
    assert model.artifact
    jobs.fetch_artifact(model.artifact.pk)

    assert not own.exists()


def test_a_download_is_cancelled_with_what_is_half_here_and_tried_again(
    api: Api, folder: Path
) -> None:
    add(api, folder)
    own = folder_of(TrainedModel.objects.get())
    own.mkdir(parents=True)
    (own / "model.safetensors.part").write_bytes(b"half")

    assert told(api("POST", f"{PATH}/_cancel"))["state"] == "absent"
    assert not list(own.glob("*.part"))
    assert refused(api("POST", f"{PATH}/_cancel")) == (409, "status_exception")

    assert told(api("POST", f"{PATH}/_retry"))["state"] == "queued"
    assert work().has_files


def test_a_download_that_a_deployment_waits_for_is_not_cancelled(
    api: Api, world: World, folder: Path
) -> None:
    add(api, folder)
    world.stands_still = True
    assert api("POST", "/_ml/trained_models/my-e5/deployment/_start?timeout=1s").status_code == 408

    response = api("POST", f"{PATH}/_cancel")

    assert refused(response) == (409, "status_exception")
    assert "[my-e5]: stop them first" in told(response)["error"]["reason"]


def test_what_failed_is_tried_again(api: Api, folder: Path) -> None:
    add(api, folder)
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(b"")
    work()
    assert told(api("GET", PATH))["state"] == "failed"

    (folder / "model.safetensors").write_bytes(weights)
    api("POST", f"{PATH}/_retry")

    assert work().has_files


def test_a_folder_elsewhere_is_refused_by_the_name_of_the_setting(
    api: Api, folder: Path, settings: Any, tmp_path: Path
) -> None:
    outside = write_published(tmp_path / "outside")
    sneaky = tmp_path / "published" / ".." / "outside"
    link = tmp_path / "published" / "link"
    link.symlink_to(outside)
    for path in (outside, sneaky, link):
        response = add(api, path)
        assert refused(response) == (400, "status_exception")
        assert "[CONSOLE_MODEL_FOLDERS]" in told(response)["error"]["reason"]

    settings.MODEL_FOLDERS = ()
    assert "which are [none]" in told(add(api, folder))["error"]["reason"]
    assert not TrainedModel.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, "x_content_parse_exception"),
        ({"source": {}}, "status_exception"),
        ({"source": {"repository": "../etc"}}, "status_exception"),
        ({"source": {"repository": "no/such"}}, "status_exception"),
        ({"source": {"repository": REPOSITORY}, "task_type": "rerank"}, "status_exception"),
        ({"source": {"repository": REPOSITORY}, "pooling": "last"}, "status_exception"),
        (
            {"source": {"repository": REPOSITORY}, "prefixes": {"x": ""}},
            "x_content_parse_exception",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_changes(
    api: Api, folder: Path, body: dict[str, Any], kind: str
) -> None:
    assert refused(api("PUT", PATH, body)) == (400, kind)
    assert not TrainedModel.objects.exists()
    assert not Artifact.objects.exists()


@pytest.mark.parametrize("model_id", [".my-e5", "My-E5", "x" * 65])
def test_an_id_must_be_one_of_a_trained_model(api: Api, folder: Path, model_id: str) -> None:
    assert add(api, folder, f"/_console/models/{model_id}").status_code == 400
    assert not TrainedModel.objects.exists()


def test_an_id_stands_for_one_model(api: Api, folder: Path) -> None:
    add(api, folder)

    assert refused(add(api, folder)) == (400, "resource_already_exists_exception")
    assert refused(create(api, inference_id="my-e5"))[0] == 400


def test_the_command_adds_from_any_folder(db: None, tmp_path: Path) -> None:
    folder = write_published(tmp_path / "anywhere")
    arguments = ["--search-prefix", "query: ", "--license", "MIT", "--pooling", "cls"]

    call_command("add_model", "my-e5", "--folder", str(folder), *arguments)

    facts = work().facts
    assert (facts.licence, facts.pooling) == ("MIT", "cls")
    assert facts.prefixes == {InputType.SEARCH: "query: "}
    with pytest.raises(CommandError, match="already exists"):
        call_command("add_model", "my-e5", "--folder", str(folder))


def test_two_that_add_one_id_at_once_leave_one_model(
    admin: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = Wish("my-e5", folder=folder)

    def find_late(*arguments: Any) -> Any:
        monkeypatch.setattr(added_models, "find", find)
        added_models.add_model(admin, wish, added_models.ANY_FOLDER)
        return find(*arguments)

    monkeypatch.setattr(added_models, "find", find_late)

    with pytest.raises(EndpointExists):
        added_models.add_model(admin, wish, added_models.ANY_FOLDER)
    assert Artifact.objects.count() == TrainedModel.objects.count() == 1


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        (["machine_learning_admin"], {"GET", "PUT", "POST", "DELETE"}),
        (["machine_learning_user"], {"GET"}),
        (["inference_admin"], set()),
    ],
)
def test_who_may_see_and_who_may_change_them(
    api: Api, folder: Path, roles: list[str], allowed: set[str]
) -> None:
    add(api, folder)
    User.objects.create_user("bob", password=PASSWORD, roles=roles)
    call = Api(basic("bob", PASSWORD))
    other = "/_console/models/other"

    answers = {
        "GET": call("GET", PATH),
        "PUT": add(call, folder, other),
        "POST": call("POST", f"{PATH}/_cancel"),
        "DELETE": call("DELETE", PATH),
    }

    assert {method for method, one in answers.items() if one.status_code != 403} == allowed
    assert (call("GET", "/_console/models").status_code == 200) == ("GET" in allowed)
    assert TrainedModel.objects.filter(model_id="my-e5").exists() == ("DELETE" not in allowed)
    assert Api("")("GET", PATH).status_code == 401
