from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

KEY = {"api_key": "planted-secret"}
WRONG = {"api_key": "wrong"}
NEW = {"api_key": "planted-other"}

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        {"model_id": "nvidia/llama-3.2-nv-embedqa-1b-v2"} | KEY,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=({"truncate": "start"}, {"truncate": "START"}),
        sent_types={
            InputType.INGEST: {"input_type": "passage"},
            InputType.SEARCH: {"input_type": "query"},
            InputType.UNSPECIFIED: {"input_type": "query"},
        },
        refused_types=(InputType.CLASSIFICATION, InputType.CLUSTERING),
        updates={"max_input_tokens": 100},
    ),
    *(
        Case(
            task,
            {"model_id": "microsoft/phi-3-mini-128k-instruct"} | KEY,
            wrong_secrets=WRONG,
            new_secrets=NEW,
        )
        for task in (TaskType.COMPLETION, TaskType.CHAT_COMPLETION, TaskType.RERANK)
    ),
]
