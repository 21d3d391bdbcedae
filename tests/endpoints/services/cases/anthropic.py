from inference.services.remote import CHATS
from inference.types import TaskType
from tests.endpoints.services.cases import Case

CASES = [
    Case(
        task,
        {"model_id": "claude-opus", "api_key": "sk-ant-planted-secret"},
        {"max_tokens": 100},
        wrong_secrets={"api_key": "sk-ant-wrong"},
        new_secrets={"api_key": "sk-ant-planted-other"},
        override=(
            ({"max_tokens": 7, "top_k": 3}, {"max_tokens": 7, "top_k": 3})
            if task == TaskType.COMPLETION
            else None
        ),
        refused_statuses=(400, 401, 403, 404, 413, 429, 500, 503, 529),
    )
    for task in CHATS
]
