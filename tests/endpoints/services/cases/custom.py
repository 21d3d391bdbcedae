from typing import Any

from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

HOST = "https://custom.sandbox.test"
BEARER = {"headers": {"Authorization": "Bearer ${token}", "X-Trace": "inference"}}


def secrets(name: str) -> dict[str, Any]:
    return {
        "wrong_secrets": {"secret_parameters": {name: "wrong"}},
        "new_secrets": {"secret_parameters": {name: "planted-other"}},
    }


CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        {
            "secret_parameters": {"token": "planted-secret"},
            "url": f"{HOST}/${{tenant}}/embed",
            "query_parameters": [["version", "2024-06-01"], ["tag", "a b"]],
            "request": '{"texts":${input},"model":${model},"mode":${input_type},"norm":${norm}}',
            "response": {
                "json_parser": {
                    "text_embeddings": "$.output.items[*].vec",
                    "embedding_type": "byte",
                }
            },
            "input_type": {"translation": {"ingest": "doc", "search": "qry"}, "default": "doc"},
            "batch_size": 2,
            "similarity": "cosine",
        }
        | BEARER,
        task_settings={"parameters": {"tenant": "acme", "model": "m-1", "norm": True}},
        override=({"parameters": {"model": "m-2"}}, {"model": "m-2", "norm": True}),
        sent_types={
            InputType.SEARCH: {"mode": "qry"},
            InputType.INGEST: {"mode": "doc"},
            InputType.CLUSTERING: {"mode": "doc"},
            InputType.UNSPECIFIED: {"mode": "doc"},
        },
        updates={"max_input_tokens": 100},
        **secrets("token"),
    ),
    Case(
        TaskType.SPARSE_EMBEDDING,
        {
            "secret_parameters": {"token": "planted-secret"},
            "url": f"{HOST}/sparse",
            "request": '{"input":${input},"mode":${input_type}}',
            "response": {
                "json_parser": {
                    "token_path": "$.result[*].terms[*].id",
                    "weight_path": "$.result[*].terms[*].w",
                }
            },
        }
        | BEARER,
        **secrets("token"),
    ),
    Case(
        TaskType.RERANK,
        {
            "secret_parameters": {"key": "planted-secret"},
            "url": f"{HOST}/rank",
            "headers": {"x-api-key": "${key}"},
            "request": '{"q":${query},"docs":${input},"k":${top_n}}',
            "response": {
                "json_parser": {
                    "relevance_score": "$.ranked[*].s",
                    "reranked_index": "$.ranked[*].i",
                    "document_text": "$.ranked[*].t",
                }
            },
        },
        task_settings={"parameters": {"top_n": 3}},
        override=({"parameters": {"top_n": 1}}, {"k": 1}),
        **secrets("key"),
    ),
    Case(
        TaskType.COMPLETION,
        {
            "secret_parameters": {"api_key": "planted-secret"},
            "url": f"{HOST}/v1/complete",
            "headers": {"Authorization": "Bearer ${api_key}"},
            "request": (
                '{"model":"m","temperature":${temperature:-0.2},'
                '"messages":[{"role":"user","content":${input}}]}'
            ),
            "response": {"json_parser": {"completion_result": "$.choices[*].message.content"}},
        },
        override=({"parameters": {"temperature": 0.7}}, {"temperature": 0.7}),
        **secrets("api_key"),
    ),
]
