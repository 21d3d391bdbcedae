from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

KEY = {"api_key": "planted-secret"}
WRONG = {"api_key": "wrong"}
NEW = {"api_key": "planted-other"}

CASES = [
    *(
        Case(
            TaskType.TEXT_EMBEDDING,
            {"model_id": "embed-v4.0", "embedding_type": kind} | KEY,
            task_settings={"truncate": "end"},
            wrong_secrets=WRONG,
            new_secrets=NEW,
            override=({"truncate": "START"}, {"truncate": "START"}),
            sent_types={
                InputType.INGEST: {"input_type": "search_document"},
                InputType.SEARCH: {"input_type": "search_query"},
                InputType.CLASSIFICATION: {"input_type": "classification"},
                InputType.CLUSTERING: {"input_type": "clustering"},
                InputType.UNSPECIFIED: {"input_type": "search_query"},
            },
            updates={"max_input_tokens": 100},
        )
        for kind in ("float", "byte", "bit")
    ),
    Case(
        TaskType.COMPLETION,
        {"model_id": "command-r"} | KEY,
        wrong_secrets=WRONG,
        new_secrets=NEW,
    ),
    Case(
        TaskType.RERANK,
        {"model_id": "rerank-v3.5"} | KEY,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=({"top_n": 1}, {"top_n": 1}),
    ),
]
