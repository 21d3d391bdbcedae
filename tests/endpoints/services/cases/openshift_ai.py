from typing import Any

from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

SECRETS: dict[str, Any] = {
    "wrong_secrets": {"api_key": "wrong"},
    "new_secrets": {"api_key": "planted-other"},
}
HOST = "https://model.apps.openshift.sandbox.test/v1"
KEY = {"api_key": "planted-secret"}

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        KEY | {"url": f"{HOST}/embeddings", "model_id": "gritlm-7b", "dimensions": 4},
        refused_types=(InputType.SEARCH, InputType.INGEST),
        updates={"max_input_tokens": 100},
        **SECRETS,
    ),
    Case(TaskType.COMPLETION, KEY | {"url": f"{HOST}/chat/completions"}, **SECRETS),
    Case(
        TaskType.CHAT_COMPLETION,
        KEY | {"url": f"{HOST}/chat/completions", "model_id": "llama-31-8b-instruct"},
        **SECRETS,
    ),
    Case(
        TaskType.RERANK,
        KEY | {"url": f"{HOST}/rerank", "model_id": "bge-reranker-v2-m3"},
        task_settings={"return_documents": True},
        override=({"top_n": 1}, {"top_n": 1, "return_documents": True}),
        **SECRETS,
    ),
]
