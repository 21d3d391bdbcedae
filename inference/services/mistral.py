"""Mistral."""

import hashlib
import re
from typing import Any, ClassVar, Generic

import httpx

from inference.chat import ChatRequest, Tool
from inference.services.calls import Call, SettingsT
from inference.services.openai_chat import OpenAIChat
from inference.services.openai_errors import OpenAIShaped
from inference.services.openai_vectors import OpenAIEmbedding
from inference.services.remote import CHATS
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.settings import PositiveInt, Secret, Similarity, Text, setting
from inference.types import TaskType
from inference.upstream.auth import Auth, bearer

EMBEDDINGS_URL = "https://api.mistral.ai/v1/embeddings"
CHAT_URL = "https://api.mistral.ai/v1/chat/completions"
MODELS_URL = "https://api.mistral.ai/v1/models"
REQUESTS_PER_MINUTE = 240
NO_PARAMETERS = {"type": "object", "properties": {}}
CALL_ID = re.compile(r"[A-Za-z0-9]{9}")
# Parts of a message that Mistral would refuse as unknown.
UNKNOWN_PARTS = ("reasoning", "reasoning_details")


class MistralSettings(RemoteSettings):
    """dimensions: told by whoever knows; Mistral is not asked for a length."""

    api_key: Secret = setting("API Key", "The Mistral API key.", sensitive=True, updatable=True)
    model: Text = setting("Model", "The name of the model to use.")
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()
    dimensions: PositiveInt | None = dimensions_setting()
    similarity: Similarity | None = similarity_setting()


class Embed(OpenAIEmbedding[MistralSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE

    def url(self, settings: MistralSettings) -> str:
        return EMBEDDINGS_URL

    def payload(self, call: Call[MistralSettings]) -> dict[str, Any]:
        return {"model": call.settings.model, "input": call.texts, "encoding_format": "float"}


class MistralChat(OpenAIChat[SettingsT], Generic[SettingsT]):
    """Mistral refuses fields that it does not know, and tells usage in a stream unasked."""

    limit_field = "max_tokens"
    has_stream_options = False
    ends_with_done = True

    def messages(self, chat: ChatRequest) -> list[dict[str, Any]]:
        return [mistral_message(message) for message in super().messages(chat)]

    def tool(self, tool: Tool) -> dict[str, Any]:
        """With parameters, which Mistral wants even where there are none."""
        shown = super().tool(tool)
        function = shown["function"]
        if function.get("parameters") is None:
            function = {**function, "parameters": NO_PARAMETERS}
        return {**shown, "function": function}


class Chat(MistralChat[MistralSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE

    def url(self, settings: MistralSettings) -> str:
        return CHAT_URL

    def model(self, settings: MistralSettings) -> str:
        return settings.model


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
    tasks: ClassVar = {
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
