"""NVIDIA, hosted or as a container of one's own."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx

from inference.services.calls import Call, given, post
from inference.services.openai_chat import OpenAIChat
from inference.services.openai_errors import OpenAIShaped
from inference.services.openai_vectors import OpenAIEmbedding
from inference.services.remote import CHATS, Task
from inference.services.remote_settings import (
    RemoteSettings,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.replies import Received, ranking
from inference.services.settings import (
    PositiveInt,
    Secret,
    Settings,
    Similarity,
    Text,
    Url,
    setting,
)
from inference.services.vectors import SearchInputType, Truncate, input_type_setting
from inference.types import InputType, Ranking, TaskType
from inference.upstream.auth import Auth, bearer

EMBEDDINGS_URL = "https://integrate.api.nvidia.com/v1/embeddings"
CHAT_URL = "https://integrate.api.nvidia.com/v1/chat/completions"
RERANK_URL = "https://ai.api.nvidia.com/v1/retrieval/nvidia/reranking"
MODELS_URL = "https://integrate.api.nvidia.com/v1/models"
URLS = {
    TaskType.TEXT_EMBEDDING: EMBEDDINGS_URL,
    TaskType.RERANK: RERANK_URL,
    **dict.fromkeys(CHATS, CHAT_URL),
}


class NvidiaSettings(RemoteSettings):
    """url: of the request itself; that of the task where none is given.

    dimensions: learned, and never given.
    """

    api_key: Secret = setting("API Key", "The NVIDIA API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use.")
    url: Url | None = setting("URL", "The address of another server of the same API.", default=None)
    dimensions: PositiveInt | None = setting("Dimensions", listed=False, tasks=(), default=None)
    similarity: Similarity | None = similarity_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()


class EmbedSettings(Settings):
    input_type: SearchInputType | None = input_type_setting()
    truncate: Truncate | None = setting(
        "Truncate", "Which end of a text that is too long is cut.", updatable=True, default=None
    )


class Embed(OpenAIEmbedding[NvidiaSettings]):
    task_settings = EmbedSettings
    requests_per_minute = 3000
    # The provider insists on one.
    input_types: ClassVar = {
        InputType.INGEST: "passage",
        InputType.SEARCH: "query",
        InputType.UNSPECIFIED: "query",
    }

    def url(self, settings: NvidiaSettings) -> str:
        return settings.url or EMBEDDINGS_URL

    def payload(self, call: Call[NvidiaSettings]) -> dict[str, Any]:
        return {
            "input": call.texts,
            "model": call.settings.model_id,
            "input_type": self.input_type_of(call),
            **given(truncate=call.task_settings.truncate),
        }


class Chat(OpenAIChat[NvidiaSettings]):
    requests_per_minute = 3000
    input_types = Embed.input_types
    called = "NVIDIA completions"
    limit_field = "max_tokens"
    ends_with_done = True

    def url(self, settings: NvidiaSettings) -> str:
        return settings.url or CHAT_URL


class RankedRow(Received):
    index: int
    logit: float


class RerankReply(Received):
    rankings: list[RankedRow]


class Rerank(Task[NvidiaSettings, RerankReply]):
    """The provider knows neither top_n nor return_documents: both are seen to here."""

    reply = RerankReply
    requests_per_minute = 3000
    input_types = Embed.input_types
    retried = frozenset({413, 429, 500, 503})

    def build(self, call: Call[NvidiaSettings]) -> httpx.Request:
        body = {
            "model": call.settings.model_id,
            "query": {"text": call.input.query},
            "passages": [{"text": text} for text in call.texts],
        }
        return post(call.settings.url or RERANK_URL, body)

    def parse(self, reply: RerankReply, call: Call[NvidiaSettings]) -> Ranking:
        rows = ((row.index, row.logit, None) for row in reply.rankings)
        return ranking(rows, call, is_sorted=False)


class Nvidia(OpenAIShaped):
    name, label = "nvidia", "Nvidia"
    settings = NvidiaSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        **dict.fromkeys(CHATS, Chat()),
        TaskType.RERANK: Rerank(),
    }
    rate_limit_group = ("url", "model_id")
    not_in_vectors = OpenAIShaped.not_in_vectors | {"max_input_tokens"}

    def complete(self, task_type: TaskType, raw: Mapping[str, Any]) -> dict[str, Any]:
        return {"url": URLS[task_type]} | super().complete(task_type, raw)

    def auth(self, settings: NvidiaSettings) -> Auth:
        return bearer(settings.api_key)

    def models_request(self, settings: NvidiaSettings) -> httpx.Request | None:
        is_hosted = settings.url in (EMBEDDINGS_URL, CHAT_URL)
        return httpx.Request("GET", MODELS_URL) if is_hosted else None
