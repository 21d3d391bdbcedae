"""The Elastic Inference Service: its endpoints are kept, and a call says what is missing."""

from typing import Any

import pytest

from endpoints.models import Endpoint
from inference.types import TaskType
from tests.endpoints.conftest import Api, refused, told

pytestmark = pytest.mark.django_db

NO_GATEWAY = "no gateway to it is configured"
OTHERS = [task for task in TaskType if task != TaskType.CHAT_COMPLETION]


def create(api: Api, task_type: TaskType, **settings: Any) -> Any:
    body = {"service": "elastic", "service_settings": {"model_id": "m-1"} | settings}
    return api("PUT", f"/_inference/{task_type}/mine", body)


def body_for(task_type: TaskType) -> dict[str, Any]:
    if task_type == TaskType.CHAT_COMPLETION:
        return {"messages": [{"role": "user", "content": "hi"}]}
    return {"input": "hi"} | ({"query": "q"} if task_type == TaskType.RERANK else {})


@pytest.mark.parametrize("task_type", TaskType)
def test_an_endpoint_is_stored_without_a_call(api: Api, task_type: TaskType) -> None:
    created = create(api, task_type)

    assert created.status_code == 200, created.content
    assert told(created) == told(api("GET", "/_inference/mine"))["endpoints"][0]
    expected: dict[str, Any] = {"model_id": "m-1"}
    if task_type == TaskType.SPARSE_EMBEDDING:
        expected["max_batch_size"] = 16
    assert told(created)["service_settings"] == expected
    assert ("chunking_settings" in told(created)) == task_type.is_chunked


@pytest.mark.parametrize("task_type", TaskType)
def test_a_call_says_that_there_is_no_gateway(api: Api, task_type: TaskType) -> None:
    create(api, task_type)

    answer = api("POST", f"/_inference/{task_type}/mine", body_for(task_type))

    assert answer.status_code == 400
    assert NO_GATEWAY in answer.content.decode()


def test_so_does_a_stream(api: Api) -> None:
    create(api, TaskType.CHAT_COMPLETION)

    answer = api(
        "POST", "/_inference/chat_completion/mine/_stream", body_for(TaskType.CHAT_COMPLETION)
    )

    assert NO_GATEWAY in b"".join(answer).decode()


@pytest.mark.parametrize("task_type", OTHERS)
def test_only_a_chat_streams(api: Api, task_type: TaskType) -> None:
    create(api, task_type)

    answer = api("POST", f"/_inference/{task_type}/mine/_stream", body_for(task_type))

    assert answer.status_code == 405
    assert b"Supported tasks: [chat_completion]" in b"".join(answer)


def test_a_ranking_without_texts_cannot_be_asked_for(api: Api) -> None:
    create(api, TaskType.RERANK)

    answer = api(
        "POST",
        "/_inference/rerank/mine",
        {"input": "hi", "query": "q", "return_documents": True},
    )

    assert (
        "Invalid return_documents [true]. The return_documents option is not supported by this "
        "service"
    ) in told(answer)["error"]["reason"]


@pytest.mark.parametrize(
    ("task_type", "settings"),
    [
        (TaskType.TEXT_EMBEDDING, {"rate_limit": {"requests_per_minute": 5}}),
        (TaskType.TEXT_EMBEDDING, {"max_batch_size": 5}),
        (TaskType.RERANK, {"similarity": "cosine"}),
        (TaskType.COMPLETION, {"max_input_tokens": 5}),
        (TaskType.COMPLETION, {"foo": 1}),
    ],
)
def test_settings_that_it_does_not_have_are_refused(
    api: Api, task_type: TaskType, settings: dict[str, Any]
) -> None:
    answer = create(api, task_type, **settings)

    assert refused(answer) == (400, "status_exception")
    assert "unknown to the [elastic] service" in told(answer)["error"]["reason"]
    assert not Endpoint.objects.exists()


def test_what_may_change_is_updated_without_a_call(api: Api) -> None:
    create(api, TaskType.SPARSE_EMBEDDING)

    answer = api(
        "PUT",
        "/_inference/sparse_embedding/mine/_update",
        {"service_settings": {"max_batch_size": 32}},
    )

    assert told(answer)["service_settings"]["max_batch_size"] == 32


def test_the_catalogue_does_not_offer_it(api: Api) -> None:
    listed = told(api("GET", "/_inference/_services"))

    assert "elastic" not in {one["service"] for one in listed}
