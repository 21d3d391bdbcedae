from typing import Any

from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

SETTINGS = {
    "api_key": "planted-secret",
    "url": "us-south.ml.cloud.ibm.com",
    "api_version": "2024-05-02",
    "model_id": "ibm/slate-30m-english-rtrvr",
    "project_id": "p1",
}
SECRETS: dict[str, Any] = {
    "wrong_secrets": {"api_key": "wrong"},
    "new_secrets": {"api_key": "planted-other"},
}

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        SETTINGS,
        refused_types=(InputType.SEARCH, InputType.INGEST),
        updates={"max_input_tokens": 100},
        **SECRETS,
    ),
    Case(
        TaskType.RERANK,
        SETTINGS | {"url": "https://us-south.ml.cloud.ibm.com"},
        override=(
            {"top_n": 1, "truncate_input_tokens": 400},
            {"parameters": {"truncate_input_tokens": 400, "return_options": {"top_n": 1}}},
        ),
        **SECRETS,
    ),
    Case(TaskType.COMPLETION, SETTINGS, **SECRETS),
    Case(TaskType.CHAT_COMPLETION, SETTINGS, **SECRETS),
]
