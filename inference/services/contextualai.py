"""Contextual AI."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
from pydantic import model_validator

from inference.services.base import EndpointConfig
from inference.services.calls import Call, given, post
from inference.services.documents import RankedReply, RerankDocuments
from inference.services.refusals import PLAIN, whole_body
from inference.services.remote import RemoteService
from inference.services.remote_settings import RemoteSettings
from inference.services.replies import ranking
from inference.services.settings import Secret, Text, setting
from inference.services.task_settings import RerankTaskSettings
from inference.types import Ranking, TaskType
from inference.upstream.auth import Auth, bearer
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

RERANK_URL = "https://api.contextual.ai/v1/rerank"


class ContextualSettings(RemoteSettings):
    api_key: Secret = setting(
        "API Key", "The Contextual AI API key.", sensitive=True, updatable=True
    )
    model_id: Text = setting("Model ID", "The name of the model to use.")


class ContextualRerankSettings(RerankTaskSettings):
    """top_n may be called top_k. return_documents has no effect: no texts come back."""

    instruction: Text | None = setting(
        "Instruction", "What the model is to prefer.", updatable=True, default=None
    )

    @model_validator(mode="before")
    @classmethod
    def _with_one_name(cls, raw: Any) -> Any:
        return with_one_name(raw) if isinstance(raw, Mapping) else raw


def with_one_name(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Task settings with top_n for top_k; with both, the one that is left over is unknown."""
    renamed = dict(raw)
    if "top_k" in raw and "top_n" not in raw:
        renamed["top_n"] = renamed.pop("top_k")
    return renamed


class Rerank(RerankDocuments[ContextualSettings]):
    task_settings = ContextualRerankSettings
    requests_per_minute = 1000
    input_types = None
    own_categories = PLAIN

    def build(self, call: Call[ContextualSettings]) -> httpx.Request:
        body = {
            "query": call.input.query,
            "documents": call.texts,
            "model": call.settings.model_id,
            **given(top_n=call.top_n, instruction=call.task_settings.instruction),
        }
        return post(RERANK_URL, body)

    def parse(self, reply: RankedReply, call: Call[ContextualSettings]) -> Ranking:
        rows = ((row.index, row.relevance_score, None) for row in reply.results)
        return ranking(rows, call, has_texts=False)


class ContextualAI(RemoteService):
    name, label = "contextualai", "Contextual AI"
    settings = ContextualSettings
    tasks: ClassVar = {TaskType.RERANK: Rerank()}
    rate_limit_group = ("api_key",)

    def auth(self, settings: ContextualSettings) -> Auth:
        return bearer(settings.api_key)

    def told(self, reply: Reply) -> ProviderError:
        return whole_body(reply)

    def parse_update(
        self, task_type: TaskType, stored: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> EndpointConfig:
        """As in Elasticsearch, new task settings take the place of all that there were."""
        kept = {**stored, "task_settings": {}} if "task_settings" in changes else stored
        return super().parse_update(task_type, kept, changes)

    def merge_task_settings(
        self, stored: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        return super().merge_task_settings(with_one_name(stored), with_one_name(changes))
