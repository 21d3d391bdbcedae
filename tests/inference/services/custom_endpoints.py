"""Endpoints of the custom service, as tests ask them."""

from typing import Any

from inference.types import TaskType
from tests.inference.services.asking import Asking, endpoint

EMBEDDING: dict[str, Any] = {
    "secret_parameters": {"token": "s3cret"},
    "url": "https://emb.example.org/${tenant}/embed",
    "headers": {"Authorization": "Token ${token}", "X-Trace": "inference"},
    "query_parameters": [["version", "2024-06-01"], ["tag", "a b"], ["tag", "${tenant}"]],
    "request": '{"texts":${input},"model":${model},"mode":${input_type},"norm":${norm}}',
    "response": {
        "json_parser": {"text_embeddings": "$.output.items[*].vec", "embedding_type": "byte"}
    },
    "input_type": {"translation": {"ingest": "doc", "search": "qry"}, "default": "doc"},
    "batch_size": 2,
    "similarity": "cosine",
}
PARAMETERS = {"parameters": {"tenant": "acme", "model": "m-1", "norm": True}}
EMBEDDED = b'{"output":{"items":[{"vec":[1,-2]},{"vec":[3,127]}]}}'
RERANK: dict[str, Any] = {
    "secret_parameters": {"key": "k"},
    "url": "https://rr.example.org/rank",
    "headers": {"x-api-key": "${key}"},
    "request": '{"q":${query},"docs":${input},"k":${top_n}}',
    "response": {
        "json_parser": {
            "relevance_score": "$.ranked[*].s",
            "reranked_index": "$.ranked[*].i",
            "document_text": "$.ranked[*].t",
        }
    },
}
SPARSE: dict[str, Any] = {
    "url": "http://sp.local:9000/sparse",
    "request": '{"input":${input}}',
    "response": {
        "json_parser": {
            "token_path": "$.result[*].terms[*].id",
            "weight_path": "$.result[*].terms[*].w",
        }
    },
}
COMPLETION: dict[str, Any] = {
    "secret_parameters": {"api_key": "k"},
    "url": "https://llm.example.org/v1/chat/completions",
    "headers": {"Authorization": "Bearer ${api_key}"},
    "request": '{"model":"m","temperature":${temperature:-0.2},"prompt":${input}}',
    "response": {"json_parser": {"completion_result": "$.choices[*].message.content"}},
}


def embedding(*replies: Any, task_settings: Any = PARAMETERS, **settings: Any) -> Asking:
    settings = {**EMBEDDING, **settings}
    task = TaskType.TEXT_EMBEDDING
    return endpoint("custom", task, settings, *replies, task_settings=task_settings)


def ranker(*replies: Any, **settings: Any) -> Asking:
    top_n = {"parameters": {"top_n": 3}}
    return endpoint("custom", TaskType.RERANK, RERANK | settings, *replies, task_settings=top_n)


def completion(*replies: Any, **settings: Any) -> Asking:
    return endpoint("custom", TaskType.COMPLETION, COMPLETION | settings, *replies)


def parser(**paths: Any) -> dict[str, Any]:
    return {"json_parser": paths}
