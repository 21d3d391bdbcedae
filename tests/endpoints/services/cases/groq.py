from inference.types import TaskType
from tests.endpoints.services.cases import Case

CASES = [
    Case(
        TaskType.CHAT_COMPLETION,
        {"model_id": "llama-3.3-70b-versatile", "api_key": "planted-secret"},
        task_settings={"user": "someone"},
        wrong_secrets={"api_key": "wrong"},
        new_secrets={"api_key": "planted-other"},
        updates={"organization_id": "org-1"},
    )
]
