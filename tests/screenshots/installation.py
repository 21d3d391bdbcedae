"""A small company's installation: what the pages look like once somebody works with them."""

from typing import Any

import httpx

from tests.product.running import Product

KEY = {"api_key": "sk-" + "example"}
HERE = {"num_allocations": 1, "num_threads": 1}
# By the id: the task, the service and its settings.
ENDPOINTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "docs-search": ("text_embedding", "elasticsearch", HERE | {"model_id": ".all-minilm-l6-v2"}),
    "docs-rerank": ("rerank", "elasticsearch", HERE | {"model_id": ".minilm-rerank-v1"}),
    "docs-words": ("sparse_embedding", "elasticsearch", HERE | {"model_id": ".minilm-sparse-v1"}),
    "support-chat": ("chat_completion", "openai", KEY | {"model_id": "gpt-4o-mini"}),
    "shop-vectors": ("text_embedding", "cohere", KEY | {"model_id": "embed-v4.0"}),
    "shop-summaries": ("completion", "anthropic", KEY | {"model_id": "claude-haiku"}),
}
TASK_SETTINGS = {"shop-summaries": {"max_tokens": 400}}
TEXTS = (
    "How do I reset my password?",
    "I forgot my login and cannot get in.",
    "Where is my parcel?",
    "Can I change the address of an order?",
)


class Installation:
    """Fills a running product through its API, as its people would."""

    def __init__(self, product: Product) -> None:
        self._client = httpx.Client(
            base_url=product.url, auth=("elastic", product.password), timeout=120
        )

    def fill(self) -> None:
        for name, words in (("search", "Finds things."), ("shop", "Sells things.")):
            self.put(f"/_console/teams/{name}", {"description": words})
        for inference_id, (task, service, settings) in ENDPOINTS.items():
            body = {"service": service, "service_settings": settings}
            if inference_id in TASK_SETTINGS:
                body["task_settings"] = TASK_SETTINGS[inference_id]
            self.put(f"/_inference/{task}/{inference_id}", body)
        self.use()
        fields = {"body": {"type": "semantic_text", "inference_id": "docs-search"}}
        self.put("/handbook", {"mappings": {"properties": fields}})
        step = {
            "model_id": "docs-words",
            "input_output": {"input_field": "body", "output_field": "words"},
        }
        self.put("/_ingest/pipeline/handbook", {"processors": [{"inference": step}]})
        self.ask("POST", "/_security/api_key", {"name": "website", "expiration": "5d"})

    def use(self) -> None:
        """Some calls, and a few that are refused."""
        for number in range(24):
            self.ask("POST", "/_inference/docs-search", {"input": TEXTS[: 1 + number % 4]})
        for text in TEXTS:
            self.ask("POST", "/_inference/shop-vectors", {"input": text})
            body = {"query": text, "input": list(TEXTS)}
            self.ask("POST", "/_inference/rerank/docs-rerank", body)
        for _ in range(6):
            self.ask("POST", "/_inference/shop-summaries", {"input": []}, is_refused=True)

    def put(self, path: str, body: dict[str, Any]) -> None:
        self.ask("PUT", path, body)

    def ask(
        self, method: str, path: str, body: dict[str, Any], *, is_refused: bool = False
    ) -> None:
        answer = self._client.request(method, path, json=body)
        assert answer.is_error == is_refused, f"{method} {path}: {answer.text}"
