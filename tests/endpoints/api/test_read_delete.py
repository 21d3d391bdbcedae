from typing import Any

import pytest

from endpoints import actions
from endpoints.models import Deployment, Endpoint, TrainedModel, User
from tests.endpoints.conftest import SETTINGS, Api, refused, told
from tests.factories import make_endpoint


@pytest.fixture
def two_endpoints(api: Api) -> None:
    create(api, "text_embedding", "zebra", ".all-minilm-l6-v2")
    create(api, "rerank", "ape", ".minilm-rerank-v1")


def create(api: Api, task: str, inference_id: str, model_id: str) -> None:
    settings = SETTINGS | {"model_id": model_id}
    body = {"service": "elasticsearch", "service_settings": settings}
    assert api("PUT", f"/_inference/{task}/{inference_id}", body).status_code == 200


def ids(api: Api, path: str) -> list[str]:
    return [one["inference_id"] for one in told(api("GET", path))["endpoints"]]


@pytest.mark.parametrize("path", ["/_inference", "/_inference/_all", "/_inference/*"])
def test_all_endpoints_are_listed_by_id(api: Api, two_endpoints: None, path: str) -> None:
    assert ids(api, path) == ["ape", "zebra"]


def test_a_list_can_be_of_one_task(api: Api, two_endpoints: None) -> None:
    assert ids(api, "/_inference/rerank/_all") == ["ape"]
    assert ids(api, "/_inference/completion/_all") == []
    assert ids(api, "/_inference/any/_all") == ["ape", "zebra"]


def test_one_endpoint_is_a_list_of_one(api: Api, two_endpoints: None) -> None:
    assert ids(api, "/_inference/zebra") == ["zebra"]
    assert ids(api, "/_inference/text_embedding/zebra?return_minimal_config=true") == ["zebra"]


def test_an_empty_installation_lists_nothing(api: Api) -> None:
    assert told(api("GET", "/_inference")) == {"endpoints": []}


def test_what_is_not_there_is_not_found(api: Api, two_endpoints: None) -> None:
    for method in ("GET", "DELETE"):
        expected = (404, "resource_not_found_exception")
        assert refused(api(method, "/_inference/nobody")) == expected
        assert refused(api(method, "/_inference/z*")) == expected


def test_another_task_in_the_path_is_refused(api: Api, two_endpoints: None) -> None:
    for method in ("GET", "DELETE"):
        assert refused(api(method, "/_inference/rerank/zebra")) == (400, "status_exception")
        assert refused(api(method, "/_inference/poem/zebra")) == (400, "status_exception")


def test_a_deleted_endpoint_takes_its_deployment_along_and_leaves_the_model(
    api: Api, two_endpoints: None
) -> None:
    response = api("DELETE", "/_inference/zebra")

    assert told(response) == {"acknowledged": True, "pipelines": [], "indexes": []}
    assert ids(api, "/_inference") == ["ape"]
    assert [one.deployment_id for one in Deployment.objects.all()] == ["ape"]
    assert TrainedModel.objects.filter(model_id=".all-minilm-l6-v2").exists()


def test_a_dry_run_deletes_nothing(api: Api, two_endpoints: None) -> None:
    response = api("DELETE", "/_inference/zebra?dry_run=true&force")

    assert response.status_code == 200
    assert told(response) == {
        "acknowledged": False,
        "pipelines": [],
        "indexes": [],
        "error_message": "",
    }
    assert Endpoint.objects.count() == 2


def test_a_list_of_any_length_is_one_query(
    api: Api, two_endpoints: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        api("GET", "/_inference")


def test_who_deletes_too_late_takes_nothing_of_the_next_endpoint(api: Api, admin: User) -> None:
    create(api, "text_embedding", "ape", ".all-minilm-l6-v2")
    stale = Endpoint.objects.get()
    api("DELETE", "/_inference/ape")
    create(api, "text_embedding", "ape", ".all-minilm-l6-v2")

    actions.delete_endpoint(admin, stale)

    assert Endpoint.objects.get().deployment == Deployment.objects.get()


def test_an_endpoint_whose_deployment_went_meanwhile_is_still_told(api: Api) -> None:
    """As a create tells it that another client undoes at the same time."""
    make_endpoint("e1")
    endpoint = Endpoint.objects.get(inference_id="e1")
    Deployment.objects.all().delete()

    assert endpoint.to_response()["service_settings"]["num_allocations"] == 1
