"""What endpoints, the runner and the trained models API make of a model that was added."""

from pathlib import Path
from typing import Any

import pytest

from endpoints.models import Deployment, Endpoint
from endpoints.reconcile import Reconciler
from inference.runner.outputs import Output
from inference.runner.pooling import read_pooling
from inference.runner.spec import HostSpec
from inference.types import InputType, TaskType
from tests.endpoints.api.adding import PATH, SETTINGS, add, create, folder_of, work
from tests.endpoints.conftest import Api, World, refused, told
from tests.inference.runner.checkpoints import DIM, WINDOW
from tests.inference.runner.published import change_json, write_published

pytestmark = pytest.mark.usefixtures("at_work")


@pytest.mark.parametrize(
    ("task", "output"),
    [
        ("text_embedding", Output.STATES),
        ("sparse_embedding", Output.LOGITS),
        ("rerank", Output.SCORE),
    ],
)
def test_an_endpoint_runs_it_for_its_task(
    api: Api, tmp_path: Path, task: str, output: Output
) -> None:
    add(api, write_published(tmp_path / "published" / "other", output=output, steps=()))
    work()

    response = create(api, task)

    assert response.status_code == 200
    assert told(response)["service_settings"] == SETTINGS
    body: dict[str, Any] = {"input": ["a port"]} | ({"query": "port"} if task == "rerank" else {})
    assert api("POST", f"/_inference/{task}/mine", body).status_code == 200


def test_an_endpoint_of_another_task_is_refused(api: Api, folder: Path) -> None:
    add(api, folder)
    work()

    response = create(api, "rerank")

    assert refused(response) == (400, "validation_exception")
    assert "is made for task type [text_embedding]" in told(response)["error"]["reason"]


def test_what_its_files_say_of_vectors_is_not_said_again(api: Api, folder: Path) -> None:
    add(api, folder)
    work()

    response = create(api, similarity="dot_product")

    assert refused(response) == (400, "status_exception")
    assert not Endpoint.objects.exists()


def test_an_endpoint_waits_for_hashes_that_nobody_told(api: Api, folder: Path) -> None:
    add(api, folder)

    response = create(api)

    assert refused(response) == (409, "status_exception")
    assert "the hashes of its files are known once they are here" in response.content.decode()
    work()
    assert create(api).status_code == 200


def test_its_vectors_are_known_by_its_files_and_not_by_where_they_came_from(
    api: Api, folder: Path, tmp_path: Path
) -> None:
    def fingerprint(inference_id: str) -> str:
        assert create(api, inference_id=inference_id).status_code == 200
        found = Endpoint.objects.get(inference_id=inference_id).fingerprint
        api("DELETE", f"/_inference/{inference_id}?force=true")
        api("DELETE", f"{PATH}?force=true")
        return found

    add(api, folder)
    work()
    first = fingerprint("one")
    moved = tmp_path / "published" / "moved"
    folder.rename(moved)
    add(api, moved)
    work()
    assert fingerprint("two") == first

    add(api, moved, pooling="cls")
    work()
    assert fingerprint("three") != first
    change_json(moved, "config.json", remark="other bytes")
    add(api, moved)
    work()
    assert fingerprint("four") != first


def test_an_update_keeps_the_fingerprint(api: Api, folder: Path) -> None:
    add(api, folder)
    work()
    create(api)
    before = Endpoint.objects.get().fingerprint

    changes = {"service_settings": {"num_allocations": 2}}
    assert api("PUT", "/_inference/text_embedding/mine/_update", changes).status_code == 200

    assert Endpoint.objects.get().fingerprint == before != ""


@pytest.mark.parametrize(("dimensions", "status"), [(DIM, 200), (DIM + 1, 400)])
def test_an_id_that_mappings_know_with_other_dimensions_is_refused(
    api: Api, folder: Path, dimensions: int, status: int
) -> None:
    add(api, folder)
    work()
    known = {
        "task_type": "text_embedding",
        "dimensions": dimensions,
        "similarity": "cosine",
        "element_type": "float",
    }
    field = {"type": "semantic_text", "inference_id": "mine", "model_settings": known}
    created = api("PUT", "/books", {"mappings": {"properties": {"title": field}}})
    assert created.status_code == 200

    assert create(api).status_code == status


def test_the_runner_is_told_what_the_files_say(
    api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(api, folder, pooling="max", prefixes={"search": "query: "})
    model = work()
    create(api)

    spec = Reconciler(None)._spec(Deployment.objects.with_files().get(), "fp32")  # type: ignore[arg-type]  # nothing runs

    assert isinstance(spec, HostSpec)
    assert (spec.task_type, spec.max_input_tokens) == (TaskType.TEXT_EMBEDDING, WINDOW)
    assert spec.prefixes == {InputType.SEARCH: "query: "}
    assert spec.model_folder == str(folder_of(model))
    assert read_pooling(folder_of(model)).mode == "max"


def test_the_trained_models_api_shows_starts_and_asks_it(
    api: Api, world: World, folder: Path
) -> None:
    add(api, folder, prefixes={"ingest": "passage: "})
    work()
    path = "/_ml/trained_models/my-e5"

    (config,) = told(api("GET", f"{path}?include=definition_status"))["trained_model_configs"]
    assert config["model_type"] == "pytorch"
    assert config["inference_config"]["text_embedding"]["embedding_size"] == DIM
    assert config["prefix_strings"] == {"ingest": "passage: "}
    assert config["fully_defined"] is True
    assert config["model_size_bytes"] == told(api("GET", PATH))["size_in_bytes"]

    started = api("POST", f"{path}/deployment/_start?precision=auto&timeout=30s")
    assert started.status_code == 200
    (stats,) = told(api("GET", f"{path}/_stats"))["trained_model_stats"]
    assert stats["deployment_stats"]["state"] == "started"
    asked = api("POST", f"{path}/_infer", {"docs": [{"text_field": "a port"}]})
    assert told(asked)["inference_results"] == [{"predicted_value": [6.0, 0.5]}]
    assert told(api("GET", PATH))["deployments"] == ["my-e5"]
