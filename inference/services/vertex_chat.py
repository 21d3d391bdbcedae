"""Chats on Google Vertex AI: with Gemini, and with what others offer in its Model Garden."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from inference.services.anthropic_shape import AnthropicMessages
from inference.services.calls import Call, given, post
from inference.services.gemini_shape import GeminiChat
from inference.services.google import google_categories
from inference.services.mistral import MistralChat
from inference.services.openai_chat import OpenAIChat
from inference.services.remote import Task
from inference.services.vertex_settings import GOOGLE, ChatTaskSettings, VertexSettings

LABEL = "Google Vertex AI"
OWN_CATEGORIES = google_categories(LABEL)
ANTHROPIC_MAX_TOKENS = 1024


def models_url(settings: VertexSettings, location: str, model: str, action: str) -> str:
    """The address of one of Google's own models. Its colon stays a colon."""
    project, name = quote(settings.project_id or "", safe=""), quote(model, safe="")
    return (
        f"https://{settings.host}/v1/projects/{project}/locations/{location}/publishers/google/"
        f"models/{name}:{action}"
    )


class Gemini(GeminiChat[VertexSettings]):
    task_settings = ChatTaskSettings
    requests_per_minute = 1000
    own_categories = OWN_CATEGORIES

    def url(self, call: Call[VertexSettings]) -> str:
        """The location is in the host alone."""
        action = "streamGenerateContent?alt=sse" if call.is_stream else "generateContent"
        model = call.chat.model or call.settings.model_id or ""
        return models_url(call.settings, "global", model, action)

    def generation_config(self, call: Call[VertexSettings]) -> dict[str, Any]:
        stored: ChatTaskSettings = call.task_settings
        config = given(maxOutputTokens=stored.max_tokens)
        if stored.thinking_config and stored.thinking_config.thinking_budget is not None:
            config["thinkingConfig"] = {"thinkingBudget": stored.thinking_config.thinking_budget}
        return config


def address(call: Call[VertexSettings]) -> str:
    """Where a model of the Model Garden is: the very address that the endpoint names."""
    found = (call.settings.url, call.settings.streaming_url)
    first, second = reversed(found) if call.is_stream else found
    return first or second or ""


class GardenAnthropic(AnthropicMessages[VertexSettings]):
    task_settings = ChatTaskSettings
    requests_per_minute = 1000

    def url(self, call: Call[VertexSettings]) -> str:
        return address(call)

    def head(self, call: Call[VertexSettings]) -> dict[str, Any]:
        """The model is in the address."""
        return {"anthropic_version": "vertex-2023-10-16"}

    def max_tokens(self, call: Call[VertexSettings]) -> int:
        limit: int | None = call.task_settings.max_tokens
        return ANTHROPIC_MAX_TOKENS if limit is None else limit


class GardenChat(OpenAIChat[VertexSettings]):
    """What speaks OpenAI's API."""

    task_settings = ChatTaskSettings
    requests_per_minute = 1000
    limit_field = "max_tokens"

    def extras(self, call: Call[VertexSettings]) -> dict[str, Any]:
        if call.chat.max_completion_tokens is not None:
            return {}
        return given(max_tokens=call.task_settings.max_tokens)

    def build(self, call: Call[VertexSettings]) -> httpx.Request:
        return post(address(call), self.payload(call))


class GardenChatWithoutOptions(GardenChat):
    """Usage comes unasked, and options for streams are refused."""

    has_stream_options = False


class GardenMistral(GardenChat, MistralChat[VertexSettings]):
    """Calls of tools are Mistral's here, too."""


BY_PROVIDER: Mapping[str, Task[Any, Any]] = {
    GOOGLE: Gemini(),
    "anthropic": GardenAnthropic(),
    "meta": GardenChat(),
    "hugging_face": GardenChat(),
    "mistral": GardenMistral(),
    "ai21": GardenChatWithoutOptions(),
}
