from typing import Any

from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

KEY = {"api_key": "planted-secret"}
WRONG = {"api_key": "wrong"}
NEW = {"api_key": "planted-other"}
SENT_TYPES: dict[InputType, dict[str, Any]] = {
    InputType.INGEST: {"task": "retrieval.passage"},
    InputType.SEARCH: {"task": "retrieval.query"},
    InputType.CLASSIFICATION: {"task": "classification"},
    InputType.CLUSTERING: {"task": "separation"},
    InputType.UNSPECIFIED: {"task": None},
}

CASES = [
    *(
        Case(
            task,
            {"model_id": "jina-embeddings-v3", "dimensions": 16} | settings | KEY,
            wrong_secrets=WRONG,
            new_secrets=NEW,
            override=({"late_chunking": True}, {"late_chunking": True}),
            sent_types=SENT_TYPES,
            updates={"max_input_tokens": 100},
        )
        for task, settings in (
            (TaskType.TEXT_EMBEDDING, {}),
            (TaskType.TEXT_EMBEDDING, {"embedding_type": "bit"}),
            (TaskType.EMBEDDING, {}),
            (TaskType.EMBEDDING, {"multimodal_model": False, "embedding_type": "binary"}),
        )
    ),
    Case(
        TaskType.RERANK,
        {"model_id": "jina-reranker-v2-base-multilingual"} | KEY,
        task_settings={"return_documents": True},
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=({"top_n": 1, "return_documents": False}, {"top_n": 1, "return_documents": False}),
    ),
]
