"""What a mapping or a pipeline names is not deleted, nor made into another model, by accident."""

import pytest

from endpoints.models import Deployment, Endpoint
from tests.endpoints.conftest import SETTINGS, Api, refused, told

PATH = "/_inference/text_embedding/e1"
BODY = {"service": "elasticsearch", "service_settings": SETTINGS}
MAPPINGS = {"properties": {"text": {"type": "semantic_text", "inference_id": "e1"}}}
PIPELINE = {"processors": [{"inference": {"model_id": "e1"}}]}


@pytest.fixture
def referenced(api: Api) -> None:
    assert api("PUT", PATH, BODY).status_code == 200
    assert api("PUT", "/docs", {"mappings": MAPPINGS}).status_code == 200
    assert api("PUT", "/_ingest/pipeline/embed", PIPELINE).status_code == 200


def test_a_dry_run_names_what_would_break(api: Api, referenced: None) -> None:
    answer = told(api("DELETE", f"{PATH}?dry_run=true&force=true"))

    assert answer["acknowledged"] is False
    assert (answer["pipelines"], answer["indexes"]) == (["embed"], ["docs"])
    assert "force" in answer["error_message"]
    assert Endpoint.objects.exists()


def test_a_delete_is_refused_with_the_same_words(api: Api, referenced: None) -> None:
    words = told(api("DELETE", f"{PATH}?dry_run"))["error_message"]

    response = api("DELETE", PATH)

    assert refused(response) == (409, "status_exception")
    assert told(response)["error"]["reason"] == words
    assert Deployment.objects.exists()


def test_force_deletes_all_the_same(api: Api, referenced: None) -> None:
    response = api("DELETE", f"{PATH}?force")

    assert told(response) == {"acknowledged": True, "pipelines": [], "indexes": []}
    assert not Endpoint.objects.exists()


def test_what_nothing_names_any_more_can_go(api: Api, referenced: None) -> None:
    api("DELETE", "/docs")
    api("DELETE", "/_ingest/pipeline/embed")

    assert api("DELETE", PATH).status_code == 200


def test_an_id_in_use_for_other_vectors_is_refused(api: Api) -> None:
    field = {
        "type": "semantic_text",
        "inference_id": "e1",
        "model_settings": {
            "task_type": "text_embedding",
            "dimensions": 1024,
            "similarity": "cosine",
            "element_type": "float",
        },
    }
    assert api("PUT", "/docs", {"mappings": {"properties": {"text": field}}}).status_code == 200

    response = api("PUT", PATH, BODY)

    assert refused(response) == (400, "status_exception")
    assert "docs" in told(response)["error"]["reason"]
    assert not Endpoint.objects.exists()
    assert not Deployment.objects.exists()
