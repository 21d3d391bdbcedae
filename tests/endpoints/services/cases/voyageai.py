from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

KEY = {"api_key": "planted-secret"}
WRONG = {"api_key": "wrong"}
NEW = {"api_key": "planted-other"}

CASES = [
    *(
        Case(
            task,
            {"model_id": "voyage-3-large"} | settings | KEY,
            wrong_secrets=WRONG,
            new_secrets=NEW,
            override=({"truncation": False}, {"truncation": False}),
            sent_types={
                InputType.INGEST: {"input_type": "document"},
                InputType.SEARCH: {"input_type": "query"},
                InputType.UNSPECIFIED: {"input_type": None},
            },
            refused_types=(InputType.CLASSIFICATION, InputType.CLUSTERING),
            updates={"max_input_tokens": 100},
        )
        for task, settings in (
            (TaskType.TEXT_EMBEDDING, {"dimensions": 256}),
            (TaskType.TEXT_EMBEDDING, {"embedding_type": "int8"}),
            (TaskType.TEXT_EMBEDDING, {"embedding_type": "bit"}),
            (TaskType.EMBEDDING, {}),
            (TaskType.EMBEDDING, {"multimodal_model": False, "embedding_type": "byte"}),
        )
    ),
    Case(
        TaskType.RERANK,
        {"model_id": "rerank-2"} | KEY,
        task_settings={"return_documents": True},
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=({"top_k": 1, "truncation": True}, {"top_k": 1, "truncation": True}),
    ),
]
