from typing import Any

import pytest

from endpoints.models import Deployment, Endpoint
from tests.endpoints.conftest import SETTINGS, Api, refused, told

PATH = "/_inference/text_embedding/e1/_update"


@pytest.fixture
def vectors(api: Api) -> None:
    body = {"service": "elasticsearch", "service_settings": SETTINGS}
    assert api("PUT", "/_inference/text_embedding/e1", body).status_code == 200


@pytest.fixture
def ranks(api: Api) -> None:
    settings = SETTINGS | {"model_id": ".minilm-rerank-v1"}
    body = {
        "service": "elasticsearch",
        "service_settings": settings,
        "task_settings": {"return_documents": False},
    }
    assert api("PUT", "/_inference/rerank/r1", body).status_code == 200


def allocations(number: Any) -> dict[str, Any]:
    return {"service_settings": {"num_allocations": number}}


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("path", [PATH, "/_inference/e1/_update", "/_inference/any/e1/_update"])
def test_the_number_of_allocations_changes_for_endpoint_and_deployment(
    api: Api, vectors: None, method: str, path: str
) -> None:
    response = api(method, path, allocations(3))

    assert response.status_code == 200
    assert told(response)["service_settings"] == SETTINGS | {"num_allocations": 3}
    assert told(api("GET", "/_inference/e1"))["endpoints"] == [told(response)]
    assert Deployment.objects.get().num_allocations == 3


def test_task_settings_change_key_by_key(api: Api, ranks: None) -> None:
    body = {"task_settings": {"return_documents": True}, "service": "elasticsearch"}

    response = api("PUT", "/_inference/rerank/r1/_update", body)

    assert told(response)["task_settings"] == {"return_documents": True}
    assert told(response)["service_settings"]["num_allocations"] == 1


def test_chunking_settings_are_replaced_as_a_whole(api: Api, vectors: None) -> None:
    response = api("PUT", PATH, {"chunking_settings": {"strategy": "none"}})

    assert told(response)["chunking_settings"] == {"strategy": "none"}


def test_no_change_is_fine(api: Api, vectors: None) -> None:
    assert api("PUT", PATH, allocations(1)).status_code == 200


REFUSALS: dict[str, tuple[Any, str]] = {
    "an empty body": ({}, "status_exception"),
    "no body": (b"", "parse_exception"),
    "another model": ({"service_settings": {"model_id": ".x"}}, "status_exception"),
    "other threads": ({"service_settings": {"num_threads": 2}}, "status_exception"),
    "an unknown setting": ({"service_settings": {"colour": "red"}}, "status_exception"),
    "no allocations": (allocations(0), "validation_exception"),
    "settings that are no object": ({"service_settings": 3}, "x_content_parse_exception"),
    "another service": ({"service": "cohere", **allocations(2)}, "status_exception"),
    "another task": ({"task_type": "rerank", **allocations(2)}, "status_exception"),
    "an unknown field": ({"colour": "red", **allocations(2)}, "status_exception"),
    "bad chunking": (
        {"chunking_settings": {"strategy": "word", "max_chunk_size": 10}, **allocations(2)},
        "validation_exception",
    ),
}


@pytest.mark.parametrize(("body", "kind"), REFUSALS.values(), ids=REFUSALS)
def test_a_bad_update_changes_nothing(api: Api, vectors: None, body: Any, kind: str) -> None:
    before = told(api("GET", "/_inference/e1"))

    assert refused(api("PUT", PATH, body)) == (400, kind)

    assert told(api("GET", "/_inference/e1")) == before
    assert Deployment.objects.get().num_allocations == 1


def test_another_task_in_the_path_is_refused(api: Api, vectors: None) -> None:
    response = api("PUT", "/_inference/rerank/e1/_update", allocations(2))

    assert refused(response) == (400, "status_exception")


def test_what_is_not_there_cannot_be_updated(api: Api) -> None:
    response = api("PUT", "/_inference/nobody/_update", allocations(2))

    assert refused(response) == (404, "status_exception")


def test_the_endpoints_of_the_house_cannot_be_updated(api: Api) -> None:
    assert api("PUT", "/_inference/.elser/_update", allocations(2)).status_code == 400


def test_of_two_updates_at_once_one_is_told_so(
    api: Api, vectors: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = Endpoint.objects.with_status().get()
    api("PUT", PATH, allocations(2))
    monkeypatch.setattr("endpoints.api.views.get_endpoint", lambda *_, **__: stale)

    response = api("PUT", PATH, allocations(3))

    assert refused(response) == (409, "status_exception")
    assert Deployment.objects.get().num_allocations == 2
