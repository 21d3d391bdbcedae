from inference.types import TaskType
from tests.endpoints.services.cases import Case

CASES = [
    Case(
        TaskType.RERANK,
        {"model_id": "ctxl-rerank-v2-instruct-multilingual", "api_key": "planted-secret"},
        task_settings={"top_k": 2},
        wrong_secrets={"api_key": "wrong"},
        new_secrets={"api_key": "planted-other"},
        override=({"top_k": 1, "instruction": "new"}, {"top_n": 1, "instruction": "new"}),
    )
]
