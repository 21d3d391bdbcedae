from typing import Any

from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case
from tests.endpoints.services.cases.aws_keys import MISTYPED, OTHER, PLANTED

REFUSED = (400, 401, 403, 404, 424, 429, 500, 503, 530)
HEADERS = {"session_id": "NEW_SESSION", "custom_attributes": "c=1"}


def case(task_type: TaskType, endpoint: str, **more: Any) -> Case:
    settings = {"region": "us-east-1", "endpoint_name": endpoint} | more.pop("settings") | PLANTED
    return Case(
        task_type,
        settings,
        wrong_secrets=MISTYPED,
        new_secrets=OTHER,
        has_rate_limit=False,
        told_statuses={500: 500, 503: 503, 530: 500},
        malformed_status=500,
        refused_statuses=REFUSED,
        **more,
    )


def openai(task_type: TaskType, **more: Any) -> Case:
    return case(task_type, "my-model", settings={"api": "openai"}, **more)


def elastic(task_type: TaskType, endpoint: str, **more: Any) -> Case:
    settings = {"api": "elastic"} | more.pop("settings", {})
    return case(task_type, endpoint, settings=settings, takes_any_task_settings=True, **more)


ANY = ({"truncate": True}, {"task_settings": {"truncate": True}})
USER = ({"user": "someone"}, {"user": "someone"})

CASES = [
    openai(
        TaskType.TEXT_EMBEDDING,
        task_settings=HEADERS,
        told_headers={
            "X-elastic-sagemaker-custom-attributes": "c=1",
            "X-elastic-sagemaker-new-session-id": "sandbox; Expires=2030-01-01T00:00:00Z",
        },
        override=USER,
        updates={"batch_size": 10},
    ),
    openai(TaskType.COMPLETION, override=USER),
    openai(TaskType.CHAT_COMPLETION),
    elastic(
        TaskType.TEXT_EMBEDDING,
        "elastic-embeddings",
        settings={"element_type": "float"},
        override=ANY,
        sent_types={
            InputType.SEARCH: {"input_type": "search"},
            InputType.UNSPECIFIED: {"input_type": None},
        },
    ),
    elastic(TaskType.TEXT_EMBEDDING, "elastic-bits", settings={"element_type": "bit"}),
    elastic(TaskType.SPARSE_EMBEDDING, "elastic-sparse", override=ANY),
    elastic(TaskType.RERANK, "elastic-rerank", task_settings=HEADERS, override=ANY),
    elastic(TaskType.COMPLETION, "elastic-completion", override=ANY),
    elastic(TaskType.CHAT_COMPLETION, "elastic-chat"),
]
