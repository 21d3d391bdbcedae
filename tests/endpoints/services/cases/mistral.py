from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

SETTINGS = {"model": "mistral-small-latest", "api_key": "planted-secret"}
WRONG, NEW = {"api_key": "wrong"}, {"api_key": "planted-other"}

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        SETTINGS | {"model": "mistral-embed"},
        wrong_secrets=WRONG,
        new_secrets=NEW,
        refused_types=(InputType.SEARCH, InputType.CLUSTERING),
        updates={"max_input_tokens": 100},
    ),
    *(
        Case(task, SETTINGS, wrong_secrets=WRONG, new_secrets=NEW)
        for task in (TaskType.COMPLETION, TaskType.CHAT_COMPLETION)
    ),
]
