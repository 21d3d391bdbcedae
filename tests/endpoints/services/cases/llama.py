from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

PLACE = "https://llama.sandbox.test"
KEY = {"api_key": "planted-secret"}
WRONG, NEW = {"api_key": "wrong"}, {"api_key": "planted-other"}
EMBEDDING = {"url": f"{PLACE}/v1/inference/embeddings", "model_id": "all-MiniLM-L6-v2"}
CHAT = {"url": f"{PLACE}/v1/openai/v1/chat/completions", "model_id": "llama3.2:3b"}

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        EMBEDDING,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        refused_types=(InputType.SEARCH,),
        updates={"max_input_tokens": 100},
        needs_secret=False,
    ),
    *(
        Case(task, CHAT | KEY, wrong_secrets=WRONG, new_secrets=NEW, needs_secret=False)
        for task in (TaskType.COMPLETION, TaskType.CHAT_COMPLETION)
    ),
]
