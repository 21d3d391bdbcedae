from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

KEY = {"api_key": "sk-planted-secret"}
WRONG = {"api_key": "sk-wrong"}
NEW = {"api_key": "sk-planted-other"}
USER = ({"user": "someone"}, {"user": "someone"})

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        {"model_id": "text-embedding-3-small"} | KEY,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=USER,
        refused_types=(InputType.SEARCH, InputType.INGEST),
        updates={"max_input_tokens": 100},
    ),
    Case(
        TaskType.EMBEDDING,
        {"model_id": "text-embedding-3-small", "dimensions": 4} | KEY,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=USER,
    ),
    *(
        Case(
            task,
            {"model_id": "gpt-4o"} | KEY,
            wrong_secrets=WRONG,
            new_secrets=NEW,
            override=USER if task == TaskType.COMPLETION else None,
            updates={"organization_id": "org-1"},
        )
        for task in (TaskType.COMPLETION, TaskType.CHAT_COMPLETION)
    ),
]
