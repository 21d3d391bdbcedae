"""Mistral."""

import hashlib
import re
from typing import Any

import httpx

from inference.chat import ChatRequest, Tool
from inference.services.openai_shape import OpenAIChat, OpenAIEmbedding, OpenAIShaped
from inference.services.remote import CHATS, Call, RemoteSettings
from inference.services.settings import PositiveInt, Secret, Similarity, Text, setting
from inference.types import TaskType
from inference.upstream.auth import Auth, bearer

EMBEDDINGS_URL = "https://api.mistral.ai/v1/embeddings"
CHAT_URL = "https://api.mistral.ai/v1/chat/completions"
MODELS_URL = "https://api.mistral.ai/v1/models"
REQUESTS_PER_MINUTE = 240
VECTORS = (TaskType.TEXT_EMBEDDING,)
NO_PARAMETERS = {"type": "object", "properties": {}}
CALL_ID = re.compile(r"[A-Za-z0-9]{9}")
# Parts of a message that Mistral would refuse as unknown.
UNKNOWN_PARTS = ("reasoning", "reasoning_details")


class MistralSettings(RemoteSettings):
    """dimensions: told by whoever knows; Mistral is not asked for a length."""

    api_key: Secret = setting("API Key", "The Mistral API key.", sensitive=True, updatable=True)
    model: Text = setting("Model", "The name of the model to use.")
    max_input_tokens: PositiveInt | None = setting(
        "Maximum Input Tokens", "Longer inputs are cut.", updatable=True, tasks=VECTORS,
        default=None,
    )  # fmt: skip
    dimensions: PositiveInt | None = setting(
        "Dimensions", "The length that the vectors have.", tasks=VECTORS, default=None
    )
    similarity: Similarity | None = setting(
        "Similarity", "How vectors are compared.", tasks=VECTORS, default=None
    )


class Embed(OpenAIEmbedding[MistralSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE

    def url(self, settings: MistralSettings) -> str:
        return EMBEDDINGS_URL

    def payload(self, call: Call[MistralSettings]) -> dict[str, Any]:
        return {"model": call.settings.model, "input": call.texts, "encoding_format": "float"}


class Chat(OpenAIChat[MistralSettings]):
    """Mistral refuses fields that it does not know, and tells usage in a stream unasked."""

    requests_per_minute = REQUESTS_PER_MINUTE
    limit_field = "max_tokens"
    has_stream_options = False
    ends_with_done = True

    def url(self, settings: MistralSettings) -> str:
        return CHAT_URL

    def model(self, settings: MistralSettings) -> str:
        return settings.model

    def messages(self, chat: ChatRequest) -> list[dict[str, Any]]:
        return [mistral_message(message) for message in super().messages(chat)]

    def tool(self, tool: Tool) -> dict[str, Any]:
        """With parameters, which Mistral wants even where there are none."""
        shown = super().tool(tool)
        function = shown["function"]
        if function.get("parameters") is None:
            function = {**function, "parameters": NO_PARAMETERS}
        return {**shown, "function": function}


def mistral_message(message: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in message.items() if name not in UNKNOWN_PARTS}
    if known.get("tool_call_id"):
        known["tool_call_id"] = call_id(known["tool_call_id"])
    if known.get("tool_calls"):
        known["tool_calls"] = [
            {**called, "id": call_id(called["id"])} for called in known["tool_calls"]
        ]
    return known


def call_id(given: str) -> str:
    """The id of a tool call as Mistral takes it: nine letters or digits, the same for the same."""
    return given if CALL_ID.fullmatch(given) else hashlib.sha256(given.encode()).hexdigest()[:9]


class Mistral(OpenAIShaped):
    name, label = "mistral", "Mistral"
    settings = MistralSettings
    tasks = {  # noqa: RUF012 - declared as a mapping that nobody changes
        TaskType.TEXT_EMBEDDING: Embed(),
        **dict.fromkeys(CHATS, Chat()),
    }
    model_setting = "model"
    rate_limit_group = ("model", "api_key")
    error_type = "mistral_error"
    not_in_vectors = OpenAIShaped.not_in_vectors | {"max_input_tokens", "dimensions"}

    def auth(self, settings: MistralSettings) -> Auth:
        return bearer(settings.api_key)

    def models_request(self, settings: MistralSettings) -> httpx.Request:
        return httpx.Request("GET", MODELS_URL)
