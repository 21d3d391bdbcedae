from inference.types import TaskType
from tests.endpoints.services.cases import Case

CASES = [
    Case(
        TaskType.RERANK,
        {"model_id": "mixedbread-ai/mxbai-rerank-large-v2", "api_key": "planted-secret"} | settings,
        task_settings={"return_documents": True},
        wrong_secrets={"api_key": "wrong"},
        new_secrets={"api_key": "planted-other"},
        override=({"top_n": 1, "return_documents": False}, {"top_k": 1, "return_input": False}),
    )
    for settings in ({}, {"url": "https://mixedbread.sandbox.test/v1/reranking"})
]
