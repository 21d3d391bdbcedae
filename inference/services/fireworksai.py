"""Fireworks AI."""

from collections.abc import Mapping
from typing import Any

import httpx

from inference.services.openai_shape import OpenAIChat, OpenAIShaped
from inference.services.refusals import PLAIN
from inference.services.remote import CHATS, Call, RemoteSettings, given
from inference.services.settings import (
    Headers,
    PositiveInt,
    Secret,
    Settings,
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
VECTORS = (TaskType.TEXT_EMBEDDING,)


class FireworksSettings(RemoteSettings):
    """url: of the request itself, in place of Fireworks'."""

    api_key: Secret = setting("API Key", "The Fireworks API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use.")
    url: Url | None = setting("URL", "The address of another server of the same API.", default=None)
    dimensions: PositiveInt | None = setting(
        "Dimensions", "The length of the vectors.", tasks=VECTORS, default=None
    )
    similarity: Similarity | None = setting(
        "Similarity", "How vectors are compared.", tasks=VECTORS, default=None
    )
    max_input_tokens: PositiveInt | None = setting(
        "Maximum Input Tokens", "What the model reads of a text, for your information.",
        updatable=True, tasks=VECTORS, default=None,
    )  # fmt: skip


class ChatSettings(Settings):
    """headers: a call's own take the place of the endpoint's."""

    user: Text | None = setting("User", "Who asks, for the provider.", updatable=True, default=None)
    headers: Headers | None = setting(
        "Headers", "Sent with every request.", updatable=True, default=None
    )


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
    task_settings = ChatSettings
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
    tasks = {  # noqa: RUF012 - declared as a mapping that nobody changes
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
