from typing import Any

from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

WRONG, NEW = {"api_key": "wrong"}, {"api_key": "planted-other"}
CREATIVE = ({"temperature": 1.5}, {"parameters": {"temperature": 1.5, "max_new_tokens": 64}})


def deployment(provider: str, target: str, endpoint_type: str = "token") -> dict[str, Any]:
    return {
        "api_key": "planted-secret",
        "provider": provider,
        "endpoint_type": endpoint_type,
        "target": f"https://ours.{target}",
    }


COHERE = deployment("cohere", "eastus.models.ai.azure.com/")
META = deployment("meta", "eastus.models.ai.azure.com")
HOURLY = deployment("mistral", "eastus.inference.ml.azure.com/score", "realtime")

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        deployment("openai", "services.ai.azure.com/openai/embeddings?api-version=1"),
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=({"user": "someone"}, {"user": "someone"}),
        refused_types=(InputType.SEARCH, InputType.CLUSTERING),
        updates={"similarity": "cosine", "max_input_tokens": 100},
    ),
    Case(
        TaskType.TEXT_EMBEDDING,
        COHERE,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        sent_types={
            InputType.SEARCH: {"input_type": "query"},
            InputType.INGEST: {"input_type": "document"},
            InputType.UNSPECIFIED: {"input_type": None},
        },
        refused_types=(InputType.CLASSIFICATION, InputType.CLUSTERING),
        updates={"dimensions": 16},
    ),
    Case(TaskType.COMPLETION, META, wrong_secrets=WRONG, new_secrets=NEW, override=CREATIVE),
    Case(
        TaskType.COMPLETION,
        HOURLY,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=(
            {"max_new_tokens": 5},
            {
                "input_data": {
                    "input_string": [{"role": "user", "content": "one two three"}],
                    "parameters": {"max_new_tokens": 5},
                }
            },
        ),
    ),
    Case(
        TaskType.RERANK,
        COHERE,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=({"return_documents": True, "top_n": 1}, {"return_documents": True, "top_n": 1}),
    ),
]
