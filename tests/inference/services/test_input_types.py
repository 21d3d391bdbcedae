"""Input types where they have nothing to say: a service takes those that its vectors know."""

import pytest

from inference.errors import InvalidSettings
from inference.services import SERVICES
from inference.services.calls import Call
from inference.services.remote import RemoteService
from inference.types import InferenceRequest, InputType, TaskType


@pytest.mark.parametrize(
    ("name", "task_type", "refused"),
    [
        ("alibabacloud-ai-search", TaskType.RERANK, {InputType.CLASSIFICATION}),
        ("alibabacloud-ai-search", TaskType.COMPLETION, {InputType.CLUSTERING}),
        ("cohere", TaskType.RERANK, set()),
        ("cohere", TaskType.COMPLETION, set()),
        ("jinaai", TaskType.RERANK, set()),
        ("nvidia", TaskType.RERANK, {InputType.CLUSTERING}),
        ("nvidia", TaskType.COMPLETION, {InputType.CLUSTERING}),
        ("voyageai", TaskType.RERANK, {InputType.CLASSIFICATION, InputType.CLUSTERING}),
    ],
)
def test_tasks_without_vectors_take_what_the_vectors_of_their_service_know(
    name: str, task_type: TaskType, refused: set[InputType]
) -> None:
    service = SERVICES[name]
    assert isinstance(service, RemoteService)
    task = service.tasks[task_type]

    def check(input_type: InputType) -> None:
        request = InferenceRequest(("a",), query="q", input_type=input_type)
        task.check(Call(None, None, request, task_type), service.label)

    for input_type in {InputType.INGEST, InputType.SEARCH, InputType.UNSPECIFIED}:
        check(input_type)
    for input_type in refused:
        with pytest.raises(InvalidSettings, match=r"is not supported for \["):
            check(input_type)
