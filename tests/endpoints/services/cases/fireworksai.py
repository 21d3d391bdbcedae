from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

KEY = {"api_key": "planted-secret"}
WRONG = {"api_key": "wrong"}
NEW = {"api_key": "planted-other"}
ELSEWHERE = "https://fireworksai.sandbox.test/inference/v1/chat/completions"

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        {"model_id": "fireworks/qwen3-embedding-8b", "dimensions": 4} | KEY,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        refused_types=tuple(set(InputType) - {InputType.UNSPECIFIED}),
        updates={"max_input_tokens": 100},
    ),
    Case(
        TaskType.COMPLETION,
        {"model_id": "accounts/fireworks/models/deepseek-v3p1"} | KEY,
        task_settings={"headers": {"X-Team": "search"}},
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=({"user": "someone"}, {"user": "someone"}),
    ),
    Case(
        TaskType.CHAT_COMPLETION,
        {"model_id": "accounts/fireworks/models/deepseek-v3p1", "url": ELSEWHERE} | KEY,
        task_settings={"user": "someone"},
        wrong_secrets=WRONG,
        new_secrets=NEW,
    ),
]
