from inference.types import TaskType
from tests.endpoints.services.cases import Case

CASES = [
    Case(
        task,
        {"model_id": "deepseek-chat", "api_key": "planted-secret"},
        wrong_secrets={"api_key": "wrong"},
        new_secrets={"api_key": "planted-other"},
        has_rate_limit=False,
    )
    for task in (TaskType.COMPLETION, TaskType.CHAT_COMPLETION)
]
