"""The models that Elasticsearch's users name, from a create to a call."""

import platform
from typing import Any

import pytest

from endpoints import jobs
from endpoints.models import Artifact, ArtifactState, Endpoint, TrainedModel
from tests.endpoints.conftest import Api, World, refused, told

THREADS = {"num_allocations": 1, "num_threads": 1}
CHUNKED = {"model_id": ".rerank-v1", "long_document_strategy": "chunk"}
TASKS = {
    ".multilingual-e5-small": "text_embedding",
    ".multilingual-e5-small_linux-x86_64": "text_embedding",
    ".elser_model_2": "sparse_embedding",
    ".elser_model_2_linux-x86_64": "sparse_embedding",
    ".rerank-v1": "rerank",
}


@pytest.fixture(autouse=True)
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    runs_on(monkeypatch, "Linux", "x86_64")


def runs_on(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)


def create(api: Api, inference_id: str, task: str = "rerank", **settings: Any) -> Any:
    body = {"service": "elasticsearch", "service_settings": THREADS | settings}
    return api("PUT", f"/_inference/{task}/{inference_id}", body)


@pytest.mark.parametrize("model_id", TASKS)
def test_each_can_be_created_by_its_name(api: Api, model_id: str) -> None:
    response = create(api, "mine", TASKS[model_id], model_id=model_id)

    assert response.status_code == 200
    assert told(response)["service_settings"]["model_id"] == model_id


def test_two_names_of_one_model_share_its_files_and_other_models_do_not(api: Api) -> None:
    for number, model_id in enumerate(TASKS):
        assert create(api, f"e{number}", TASKS[model_id], model_id=model_id).status_code == 200

    assert TrainedModel.objects.count() == len(TASKS)
    repositories = TrainedModel.objects.values_list("artifact__repository", flat=True)
    assert len(set(repositories)) == Artifact.objects.count() == 3


@pytest.mark.parametrize("model_id", [name for name in TASKS if name.endswith("x86_64")])
def test_a_name_for_another_platform_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch, model_id: str
) -> None:
    runs_on(monkeypatch, "Linux", "aarch64")

    response = create(api, "mine", TASKS[model_id], model_id=model_id)

    assert refused(response) == (400, "illegal_argument_exception")
    assert "does not match any models available on this platform" in response.content.decode()
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("model_id", list(TASKS))
def test_where_the_files_cannot_be_had_each_source_and_another_model_are_named(
    api: Api, world: World, settings: Any, monkeypatch: pytest.MonkeyPatch, model_id: str
) -> None:
    """The reason is that of the real fetch, which a worker writes down."""
    settings.MODEL_SOURCES, settings.MODEL_MIRROR = ("mirror", "package"), "/nowhere"
    monkeypatch.setattr(jobs, "SIGN_OF_LIFE_S", 3600)
    world.stands_still = True
    world.before_step = lambda: jobs.fetch_artifact(Artifact.objects.get().pk)

    response = create(api, "mine", TASKS[model_id], model_id=model_id)

    reason = told(response)["error"]["reason"]
    assert response.status_code == 400
    assert "mirror: /nowhere/" in reason
    assert "package: no package carries these files" in reason
    instead = {
        "text_embedding": ".all-minilm-l6-v2",
        "sparse_embedding": ".minilm-sparse-v1",
        "rerank": ".minilm-rerank-v1",
    }[TASKS[model_id]]
    assert reason.endswith(
        f"For [{TASKS[model_id]}] there is [{instead}], which needs neither mirror nor hub"
    )
    assert Artifact.objects.get().state == ArtifactState.FAILED
    assert not Endpoint.objects.exists()


def test_what_a_text_is_for_reaches_the_model(api: Api, world: World) -> None:
    create(api, "e5", "text_embedding", model_id=".multilingual-e5-small")
    world.hosts.asked.clear()

    for input_type in ("search", "ingest", "clustering"):
        body = {"input": "a port", "input_type": input_type}
        assert api("POST", "/_inference/text_embedding/e5", body).status_code == 200
    api("POST", "/_inference/text_embedding/e5", {"input": "a port"})

    sent = [request.input_type for request in world.hosts.asked]
    assert sent == ["search", "ingest", "clustering", "unspecified"]


def test_long_documents_are_read_in_chunks_where_the_endpoint_says_so(
    api: Api, world: World
) -> None:
    settings: dict[str, Any] = CHUNKED | {"max_chunks_per_doc": 2}
    response = create(api, "ranks", **settings)
    assert told(response)["service_settings"] == THREADS | settings
    world.hosts.asked.clear()
    document = "The port is quiet at night. " * 200

    response = api("POST", "/_inference/rerank/ranks", {"input": [document], "query": "port"})

    (row,) = told(response)["rerank"]
    assert row["text"] == document
    (request,) = world.hosts.asked
    assert len(request.texts) == 2
    assert row["relevance_score"] == max(len(text) for text in request.texts) / 100


def test_truncating_sends_documents_whole(api: Api, world: World) -> None:
    create(api, "ranks", model_id=".rerank-v1", long_document_strategy="truncate")
    world.hosts.asked.clear()
    document = "The port is quiet at night. " * 200

    api("POST", "/_inference/rerank/ranks", {"input": [document], "query": "port"})

    assert world.hosts.asked[0].texts == (document,)


@pytest.mark.parametrize(
    ("settings", "kind", "reason"),
    [
        (
            CHUNKED | {"model_id": ".minilm-rerank-v1"},
            "status_exception",
            "settings [{long_document_strategy=chunk}] unknown to the [elasticsearch] service",
        ),
        (
            {"model_id": ".rerank-v1", "max_chunks_per_doc": 3},
            "validation_exception",
            "[max_chunks_per_doc] setting requires [long_document_strategy] to be set to [chunk]",
        ),
        (
            CHUNKED | {"long_document_strategy": "truncate", "max_chunks_per_doc": 3},
            "validation_exception",
            "[max_chunks_per_doc] setting requires [long_document_strategy] to be set to [chunk]",
        ),
        (
            CHUNKED | {"max_chunks_per_doc": 0},
            "validation_exception",
            "[max_chunks_per_doc] must be a positive integer",
        ),
        (
            CHUNKED | {"long_document_strategy": "shred"},
            "validation_exception",
            "[service_settings] Invalid value [shred] received. [long_document_strategy] must be "
            "one of [chunk, truncate]",
        ),
    ],
)
def test_settings_of_long_documents_that_make_no_sense_are_refused(
    api: Api, settings: dict[str, Any], kind: str, reason: str
) -> None:
    response = create(api, "ranks", **settings)

    assert refused(response) == (400, kind)
    assert reason in told(response)["error"]["reason"]
    assert not Endpoint.objects.exists()
