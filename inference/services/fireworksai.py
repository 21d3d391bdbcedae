"""Fireworks AI."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx

from inference.services.calls import Call, given
from inference.services.openai import OpenAITaskSettings
from inference.services.openai_chat import OpenAIChat
from inference.services.openai_errors import OpenAIShaped
from inference.services.refusals import PLAIN
from inference.services.remote import CHATS
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.settings import (
    PositiveInt,
    Secret,
    Similarity,
    Text,
    Url,
    setting,
)
from inference.services.vectors import PlainEmbedding
from inference.types import TaskType
from inference.upstream.auth import Auth, bearer

EMBEDDINGS_URL = "https://api.fireworks.ai/inference/v1/embeddings"
CHAT_URL = "https://api.fireworks.ai/inference/v1/chat/completions"
MODELS_URL = "https://api.fireworks.ai/inference/v1/models"


class FireworksSettings(RemoteSettings):
    """url: of the request itself, in place of Fireworks'."""

    api_key: Secret = setting("API Key", "The Fireworks API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use.")
    url: Url | None = setting("URL", "The address of another server of the same API.", default=None)
    dimensions: PositiveInt | None = dimensions_setting()
    similarity: Similarity | None = similarity_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting(is_cut=False)


class Embed(PlainEmbedding[FireworksSettings]):
    requests_per_minute = 6000
    retried = frozenset({429, 500})
    own_categories = PLAIN

    def url(self, settings: FireworksSettings) -> str:
        return settings.url or EMBEDDINGS_URL

    def payload(self, call: Call[FireworksSettings]) -> dict[str, Any]:
        settings = call.settings
        body = {"input": call.texts, "model": settings.model_id}
        return body | given(dimensions=settings.dimensions)


class Chat(OpenAIChat[FireworksSettings]):
    task_settings = OpenAITaskSettings
    requests_per_minute = 6000
    called = "FireworksAI chat completions"
    ends_with_done = True

    def url(self, settings: FireworksSettings) -> str:
        return settings.url or CHAT_URL

    def headers(self, call: Call[FireworksSettings]) -> dict[str, str]:
        return call.task_settings.headers or {}

    def extras(self, call: Call[FireworksSettings]) -> dict[str, Any]:
        return given(user=call.task_settings.user)


class FireworksAI(OpenAIShaped):
    name, label = "fireworksai", "FireworksAI"
    settings = FireworksSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        **dict.fromkeys(CHATS, Chat()),
    }
    rate_limit_group = ("api_key",)
    default_similarity = "cosine"
    not_in_vectors = OpenAIShaped.not_in_vectors | {"max_input_tokens"}

    def complete(self, task_type: TaskType, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The address of vectors is always shown, that of chats only where it is another."""
        usual = {"url": EMBEDDINGS_URL} if task_type == TaskType.TEXT_EMBEDDING else {}
        return usual | super().complete(task_type, raw)

    def auth(self, settings: FireworksSettings) -> Auth:
        return bearer(settings.api_key)

    def models_request(self, settings: FireworksSettings) -> httpx.Request | None:
        is_usual = settings.url in (None, EMBEDDINGS_URL, CHAT_URL)
        return httpx.Request("GET", MODELS_URL) if is_usual else None
