"""The endpoints that are always there."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from endpoints import deployments, preconfigured
from endpoints.models import Deployment, DeploymentState, Endpoint
from tests.endpoints.conftest import Api, World, refused, told

ADAPTIVE = {"enabled": True, "min_number_of_allocations": 0, "max_number_of_allocations": 32}
CHUNKING = {"strategy": "sentence", "max_chunk_size": 250, "sentence_overlap": 1}
E5, RERANK = ".multilingual-e5-small-elasticsearch", ".rerank-v1-elasticsearch"


@pytest.fixture(autouse=True)
def _always_there(db: None) -> None:
    preconfigured.ensure_preconfigured()


def expected(inference_id: str, task_type: str, model_id: str, **more: Any) -> dict[str, Any]:
    return {
        "inference_id": inference_id,
        "task_type": task_type,
        "service": "elasticsearch",
        "service_settings": {
            "num_threads": 1,
            "model_id": model_id,
            "adaptive_allocations": ADAPTIVE,
        },
        **more,
    }


def test_they_are_listed_on_an_empty_system(api: Api) -> None:
    assert told(api("GET", "/_inference"))["endpoints"] == [
        expected(
            ".elser-2-elasticsearch",
            "sparse_embedding",
            ".elser_model_2",
            chunking_settings=CHUNKING,
        ),
        expected(E5, "text_embedding", ".multilingual-e5-small", chunking_settings=CHUNKING),
        expected(RERANK, "rerank", ".rerank-v1", task_settings={"return_documents": True}),
    ]


def test_nothing_runs_until_the_first_call(api: Api) -> None:
    assert not Deployment.objects.exists()

    response = api("POST", f"/_inference/{E5}", {"input": "a"})

    assert response.status_code == 200
    deployment = Deployment.objects.get()
    assert deployment.deployment_id == E5
    assert deployment.num_allocations == 1
    (shown,) = told(api("GET", f"/_inference/{E5}"))["endpoints"]
    assert shown["service_settings"]["num_allocations"] == 1


def test_a_first_call_that_cannot_be_served_says_why(api: Api, world: World) -> None:
    world.load_fails = "no source has the files"

    response = api("POST", f"/_inference/{E5}", {"input": "a"})

    assert refused(response) == (409, "status_exception")
    assert "no source has the files" in response.content.decode()


def test_a_failure_is_tried_again_by_a_later_call(api: Api, world: World) -> None:
    world.load_fails = "no source has the files"
    api("POST", f"/_inference/{E5}", {"input": "a"})
    world.load_fails = ""

    assert refused(api("POST", f"/_inference/{E5}", {"input": "a"})) == (409, "status_exception")
    Deployment.objects.update(state_changed_at=timezone.now() - timedelta(minutes=2))
    assert api("POST", f"/_inference/{E5}", {"input": "a"}).status_code == 200
    assert Deployment.objects.get().state == DeploymentState.STARTED


def test_two_first_callers_start_it_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy = deployments.deploy

    def deploy_after_another(*settings: Any) -> Deployment:
        deploy(*settings)
        return deploy(*settings)

    monkeypatch.setattr(deployments, "deploy", deploy_after_another)

    assert api("POST", f"/_inference/{E5}", {"input": "a"}).status_code == 200
    assert Deployment.objects.count() == 1


def test_they_can_be_neither_created_nor_updated(api: Api) -> None:
    body = {"service": "elasticsearch", "service_settings": {"num_threads": 1}}

    assert api("PUT", f"/_inference/text_embedding/{E5}", body).status_code == 400
    changed = {"service_settings": {"num_allocations": 2}}
    update = api("PUT", f"/_inference/{E5}/_update", changed)
    assert refused(update) == (400, "status_exception")


def test_they_are_deleted_only_by_force_and_are_there_again(api: Api) -> None:
    api("POST", f"/_inference/{E5}", {"input": "a"})

    assert refused(api("DELETE", f"/_inference/{E5}")) == (400, "status_exception")
    assert Deployment.objects.exists()

    response = api("DELETE", f"/_inference/{E5}?force=true")
    assert told(response) == {"acknowledged": True, "pipelines": [], "indexes": []}
    assert not Deployment.objects.exists()
    assert Endpoint.objects.filter(inference_id=E5).exists()


def test_one_that_is_referenced_says_so_first(api: Api) -> None:
    mapping = {"properties": {"text": {"type": "semantic_text", "inference_id": E5}}}
    api("PUT", "/docs", {"mappings": mapping})

    assert refused(api("DELETE", f"/_inference/{E5}")) == (409, "status_exception")
