"""OpenShift AI: models that somebody serves, each at an address of its own."""

from typing import Any, ClassVar

import httpx

from inference.services.calls import Call, given, post
from inference.services.documents import RerankDocuments
from inference.services.openai_chat import OpenAIChat
from inference.services.openai_errors import OpenAIShaped
from inference.services.openai_vectors import OpenAIEmbedding
from inference.services.remote import CHATS
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    set_by_user,
    similarity_setting,
)
from inference.services.settings import PositiveInt, Secret, Similarity, Text, Url, setting
from inference.types import TaskType
from inference.upstream.auth import Auth, bearer

REQUESTS_PER_MINUTE = 3000


class OpenShiftSettings(RemoteSettings):
    """url: of the request itself. model_id: may be left out where one model is served."""

    api_key: Secret = setting("API Key", "The token of the model.", sensitive=True, updatable=True)
    url: Url = setting("URL", "The address of the model.")
    model_id: Text | None = setting("Model ID", "The name of the model to use.", default=None)
    dimensions: PositiveInt | None = dimensions_setting()
    dimensions_set_by_user: bool | None = set_by_user()
    similarity: Similarity | None = similarity_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()


class Embed(OpenAIEmbedding[OpenShiftSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE

    def url(self, settings: OpenShiftSettings) -> str:
        return settings.url

    def payload(self, call: Call[OpenShiftSettings]) -> dict[str, Any]:
        settings = call.settings
        optional = given(model=settings.model_id, dimensions=settings.dimensions)
        return {"input": call.texts} | optional


class Chat(OpenAIChat[OpenShiftSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE
    called = "OpenShift AI completions"
    limit_field = "max_tokens"

    def url(self, settings: OpenShiftSettings) -> str:
        return settings.url


class Rerank(RerankDocuments[OpenShiftSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE
    retried = frozenset({429, 500})

    def build(self, call: Call[OpenShiftSettings]) -> httpx.Request:
        body = given(
            model=call.settings.model_id,
            query=call.input.query,
            documents=call.texts,
            top_n=call.top_n,
            return_documents=call.return_documents,
        )
        return post(call.settings.url, body)


class OpenShiftAI(OpenAIShaped):
    name, label = "openshift_ai", "OpenShift AI"
    settings = OpenShiftSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        **dict.fromkeys(CHATS, Chat()),
        TaskType.RERANK: Rerank(),
    }
    rate_limit_group = ("url", "model_id", "api_key")
    not_in_vectors = OpenAIShaped.not_in_vectors | {"max_input_tokens"}

    def auth(self, settings: OpenShiftSettings) -> Auth:
        return bearer(settings.api_key)
