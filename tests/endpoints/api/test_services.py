import json
from typing import Any

import pytest

from tests.endpoints.conftest import SETTINGS, Api, refused, told

TASKS = ["text_embedding", "sparse_embedding", "rerank"]


def test_the_catalogue_is_a_list_sorted_by_service(api: Api) -> None:
    services = told(api("GET", "/_inference/_services"))

    names = [service["service"] for service in services]
    assert names == sorted(names)
    assert "elasticsearch" in names


def test_a_service_tells_what_it_needs(api: Api) -> None:
    services: list[dict[str, Any]] = told(api("GET", "/_inference/_services"))
    service = next(one for one in services if one["service"] == "elasticsearch")

    assert (service["name"], service["task_types"]) == ("Elasticsearch", TASKS)
    assert service["configurations"]["model_id"] == {
        "description": "The name of the model to use.",
        "label": "Model ID",
        "required": True,
        "sensitive": False,
        "updatable": False,
        "type": "str",
        "supported_task_types": TASKS,
    }
    allocations = service["configurations"]["num_allocations"]
    assert (allocations["type"], allocations["updatable"]) == ("int", True)
    assert allocations["default_value"] == 1


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("deepseek", "https://api.deepseek.com/chat/completions"),
        ("groq", "https://api.groq.com/openai/v1/chat/completions"),
        ("mixedbread", "https://api.mixedbread.com/v1/reranking"),
        ("openai", "https://api.openai.com/v1/embeddings"),
    ],
)
def test_a_service_tells_which_address_it_calls_unless_told(api: Api, name: str, url: str) -> None:
    services = {one["service"]: one for one in told(api("GET", "/_inference/_services"))}

    shown = services[name]["configurations"]["url"]

    assert (shown["default_value"], shown["required"]) == (url, False)


def test_the_catalogue_can_be_of_one_task(api: Api) -> None:
    ids = [one["service"] for one in told(api("GET", "/_inference/_services/rerank"))]
    assert "elasticsearch" in ids

    ids = [one["service"] for one in told(api("GET", "/_inference/_services/completion"))]
    assert "elasticsearch" not in ids

    assert refused(api("GET", "/_inference/_services/poetry")) == (400, "status_exception")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_inference/text_embedding/e1/_stream", 405),
        ("/_inference/e1/_stream", 405),
        ("/_inference/rerank/e1/_stream", 400),
        ("/_inference/nobody/_stream", 404),
    ],
)
def test_a_refused_stream_is_an_event(api: Api, path: str, status: int) -> None:
    body = {"service": "elasticsearch", "service_settings": SETTINGS}
    api("PUT", "/_inference/text_embedding/e1", body)

    response = api(
        "POST", path, {"input": "a", "query": "q"} if "rerank" in path else {"input": "a"}
    )

    assert response.status_code == status
    assert response["Content-Type"] == "text/event-stream"
    head, data, end = response.content.partition(b"data: ")
    assert head == b"event: error\n"
    assert end.endswith(b"\n\n")
    assert json.loads(end)["status"] == status
    assert data
