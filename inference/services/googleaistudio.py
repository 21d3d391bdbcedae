"""Google AI Studio: Gemini's models for a key."""

from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from inference.errors import InvalidSettings
from inference.services.calls import Call, given, post
from inference.services.gemini_shape import GeminiChat
from inference.services.google import INPUT_TYPES, google_categories, google_error
from inference.services.remote import RemoteService, Task
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.replies import Received, embeddings
from inference.services.settings import PositiveInt, Secret, Similarity, Text, setting
from inference.types import InputType, TaskType, TextEmbeddings
from inference.upstream.auth import Auth, HeaderKey
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

MODELS_URL = "https://generativelanguage.googleapis.com/v1/models"
REQUESTS_PER_MINUTE = 360
# The one model that is told what a text is for.
TYPED_MODEL = "embedding-001"
LABEL = "Google AI Studio"
OWN_CATEGORIES = google_categories(LABEL)


class GoogleAIStudioSettings(RemoteSettings):
    api_key: Secret = setting("API Key", "The Gemini API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use, without `models/`.")
    dimensions: PositiveInt | None = dimensions_setting()
    similarity: Similarity | None = similarity_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()

    def address(self, method: str) -> str:
        return f"{MODELS_URL}/{quote(self.model_id, safe='')}:{method}"


class Vector(Received):
    values: list[float]


class EmbeddingReply(Received):
    embeddings: list[Vector]


class Embed(Task[GoogleAIStudioSettings, EmbeddingReply]):
    reply = EmbeddingReply
    requests_per_minute = REQUESTS_PER_MINUTE
    own_categories = OWN_CATEGORIES
    is_cut = True
    input_types = INPUT_TYPES

    def check(self, call: Call[GoogleAIStudioSettings], label: str) -> None:
        named, model = call.input_type, call.settings.model_id
        if named != InputType.UNSPECIFIED and model != TYPED_MODEL:
            raise InvalidSettings(
                [
                    f"Invalid value [{named}] received. [input_type] is not allowed for model "
                    f"[{model}]"
                ]
            )
        super().check(call, label)

    def build(self, call: Call[GoogleAIStudioSettings]) -> httpx.Request:
        settings = call.settings
        shared = given(outputDimensionality=settings.dimensions, taskType=self.input_type_of(call))
        requests = [
            {"model": f"models/{settings.model_id}", "content": {"parts": [{"text": text}]}}
            | shared
            for text in call.texts
        ]
        return post(settings.address("batchEmbedContents"), {"requests": requests})

    def parse(self, reply: EmbeddingReply, call: Call[GoogleAIStudioSettings]) -> TextEmbeddings:
        return embeddings([row.values for row in reply.embeddings], call)


class Complete(GeminiChat[GoogleAIStudioSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE
    own_categories = OWN_CATEGORIES

    def url(self, call: Call[GoogleAIStudioSettings]) -> str:
        method = "streamGenerateContent?alt=sse" if call.is_stream else "generateContent"
        return call.settings.address(method)

    def generation_config(self, call: Call[GoogleAIStudioSettings]) -> dict[str, Any]:
        return {"candidateCount": 1}


class GoogleAIStudio(RemoteService):
    name, label = "googleaistudio", LABEL
    settings = GoogleAIStudioSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        TaskType.COMPLETION: Complete(),
    }
    rate_limit_group = ("model_id", "api_key")
    models_in = ("models", "name")
    not_in_vectors = RemoteService.not_in_vectors | {"max_input_tokens"}

    def auth(self, settings: GoogleAIStudioSettings) -> Auth:
        """In a header, so that no address holds the key."""
        return HeaderKey("x-goog-api-key", settings.api_key)

    def told(self, reply: Reply) -> ProviderError:
        return google_error(reply.content)

    def models_request(self, settings: GoogleAIStudioSettings) -> httpx.Request | None:
        return httpx.Request("GET", MODELS_URL)

    def model_names(self, reply: Reply) -> list[str]:
        return [name.removeprefix("models/") for name in super().model_names(reply)]
