from typing import Any

from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

SECRETS: dict[str, Any] = {
    "wrong_secrets": {"api_key": "wrong"},
    "new_secrets": {"api_key": "planted-other"},
}
SETTINGS = {
    "api_key": "planted-secret",
    "host": "default-j01.platform-cn-shanghai.opensearch.aliyuncs.com",
    "workspace": "default",
}

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        SETTINGS | {"service_id": "ops-text-embedding-001"},
        task_settings={"input_type": "ingest"},
        override=({"input_type": "search"}, {"input_type": "query"}),
        sent_types={
            InputType.SEARCH: {"input_type": "query"},
            InputType.INGEST: {"input_type": "document"},
            InputType.UNSPECIFIED: {"input_type": "document"},
        },
        refused_types=(InputType.CLASSIFICATION, InputType.CLUSTERING),
        updates={"max_input_tokens": 100},
        **SECRETS,
    ),
    Case(
        TaskType.SPARSE_EMBEDDING,
        SETTINGS | {"service_id": "ops-text-sparse-embedding-001"},
        override=(
            {"input_type": "search", "return_token": True},
            {"input_type": "query", "return_token": True},
        ),
        **SECRETS,
    ),
    Case(TaskType.RERANK, SETTINGS | {"service_id": "ops-bge-reranker-larger"}, **SECRETS),
    Case(
        TaskType.COMPLETION,
        SETTINGS | {"service_id": "ops-qwen-turbo", "http_schema": "https"},
        override=({"parameters": {"temperature": 0.5}}, {"parameters": {"temperature": 0.5}}),
        **SECRETS,
    ),
]
