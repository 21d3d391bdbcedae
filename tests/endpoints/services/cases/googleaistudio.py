from typing import Any

from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

SECRETS: dict[str, Any] = {
    "wrong_secrets": {"api_key": "wrong"},
    "new_secrets": {"api_key": "planted-other"},
}
KEY = {"api_key": "planted-secret"}

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        KEY | {"model_id": "text-embedding-004", "dimensions": 4},
        refused_types=(InputType.SEARCH, InputType.CLUSTERING),
        updates={"max_input_tokens": 100},
        **SECRETS,
    ),
    Case(TaskType.TEXT_EMBEDDING, KEY | {"model_id": "embedding-001"}, **SECRETS),
    Case(TaskType.COMPLETION, KEY | {"model_id": "gemini-2.5-flash"}, **SECRETS),
]
