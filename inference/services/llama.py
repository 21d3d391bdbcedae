"""Llama Stack, on a server of one's own."""

from typing import Any, ClassVar

import httpx

from inference.services.calls import Call, post
from inference.services.hugging_face import VectorsReply
from inference.services.openai_chat import OpenAIChat
from inference.services.openai_errors import OpenAIShaped, is_too_large
from inference.services.remote import CHATS, Task
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.replies import embeddings
from inference.services.settings import PositiveInt, Secret, Similarity, Text, Url, setting
from inference.types import TaskType, TextEmbeddings
from inference.upstream.auth import Auth, NoAuth, bearer
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

REQUESTS_PER_MINUTE = 3000


class LlamaSettings(RemoteSettings):
    """url: of the request itself. dimensions: told by whoever knows; no length is asked for."""

    url: Url = setting("URL", "The address of the Llama Stack server, with the path of the task.")
    model_id: Text = setting("Model ID", "The name of the model to use.")
    api_key: Secret | None = setting(
        "API Key", "Sent where the server wants one.", sensitive=True, updatable=True, default=None
    )
    similarity: Similarity | None = similarity_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()
    dimensions: PositiveInt | None = dimensions_setting()


class Embed(Task[LlamaSettings, VectorsReply]):
    reply = VectorsReply
    requests_per_minute = REQUESTS_PER_MINUTE
    is_cut = True

    def build(self, call: Call[LlamaSettings]) -> httpx.Request:
        body: dict[str, Any] = {"model_id": call.settings.model_id, "contents": call.texts}
        return post(call.settings.url, body)

    def parse(self, reply: VectorsReply, call: Call[LlamaSettings]) -> TextEmbeddings:
        return embeddings(reply.rows, call)

    def is_too_large(self, reply: Reply, told: ProviderError) -> bool:
        return is_too_large(reply, told)


class Chat(OpenAIChat[LlamaSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE
    limit_field = "max_tokens"
    ends_with_done = True

    def url(self, settings: LlamaSettings) -> str:
        return settings.url


class Llama(OpenAIShaped):
    name, label = "llama", "Llama"
    settings = LlamaSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        **dict.fromkeys(CHATS, Chat()),
    }
    rate_limit_group = ("url", "model_id", "api_key")
    error_type = "llama_error"
    not_in_vectors = OpenAIShaped.not_in_vectors | {"max_input_tokens", "dimensions"}

    def auth(self, settings: LlamaSettings) -> Auth:
        return NoAuth() if settings.api_key is None else bearer(settings.api_key)
