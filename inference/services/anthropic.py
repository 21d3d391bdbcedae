"""Anthropic: Claude's chats and completions."""

from typing import Any

import httpx
from pydantic import StrictInt

from inference.services.anthropic_shape import AnthropicMessages, anthropic_error
from inference.services.calls import Call
from inference.services.remote import CHATS, RemoteService
from inference.services.remote_settings import RemoteSettings
from inference.services.settings import PositiveInt, Secret, Settings, Text, setting
from inference.upstream.auth import Auth, HeaderKey
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

MESSAGES_URL = "https://api.anthropic.com/v1/messages"
MODELS_URL = "https://api.anthropic.com/v1/models"
# Later versions refuse temperature, top_p and top_k.
VERSION = {"anthropic-version": "2023-06-01"}
LIMIT_HEADERS = (
    (". Token limit", "anthropic-ratelimit-tokens-limit"),
    (", remaining tokens", "anthropic-ratelimit-tokens-remaining"),
    (", tokens reset", "anthropic-ratelimit-tokens-reset"),
    (". Request limit", "anthropic-ratelimit-requests-limit"),
    (", remaining requests", "anthropic-ratelimit-requests-remaining"),
    (", request reset", "anthropic-ratelimit-requests-reset"),
    (". Retry after", "retry-after"),
)


class AnthropicSettings(RemoteSettings):
    api_key: Secret = setting("API Key", "The Anthropic API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the Claude model to use.")


class AnthropicTaskSettings(Settings):
    """max_tokens: the provider wants it with every call."""

    max_tokens: PositiveInt = setting(
        "Max Tokens", "How many tokens are written at most.", updatable=True
    )
    temperature: float | None = setting(
        "Temperature", "How much chance there is in an answer.", updatable=True, default=None
    )
    top_p: float | None = setting(
        "Top P", "Only the likeliest tokens, up to this sum of probabilities, are chosen from.",
        updatable=True, default=None,
    )  # fmt: skip
    top_k: StrictInt | None = setting(
        "Top K", "Only so many of the likeliest tokens are chosen from.", updatable=True,
        default=None,
    )  # fmt: skip


class Chat(AnthropicMessages[AnthropicSettings]):
    task_settings = AnthropicTaskSettings
    requests_per_minute = 50

    def url(self, call: Call[AnthropicSettings]) -> str:
        return MESSAGES_URL

    def headers(self, call: Call[AnthropicSettings]) -> dict[str, str]:
        return VERSION

    def head(self, call: Call[AnthropicSettings]) -> dict[str, Any]:
        return {"model": call.chat.model or call.settings.model_id}

    def max_tokens(self, call: Call[AnthropicSettings]) -> int:
        limit: int = call.task_settings.max_tokens
        return limit


class Anthropic(RemoteService):
    name, label = "anthropic", "Anthropic"
    settings = AnthropicSettings
    tasks = dict.fromkeys(CHATS, Chat())
    rate_limit_group = ("model_id", "api_key")

    def auth(self, settings: AnthropicSettings) -> Auth:
        return HeaderKey("x-api-key", settings.api_key)

    def told(self, reply: Reply) -> ProviderError:
        return anthropic_error(reply.content)

    def suffix(self, reply: Reply) -> str:
        if reply.status != 429:
            return ""
        said = (f"{label} [{reply.headers.get(name, 'unknown')}]" for label, name in LIMIT_HEADERS)
        return "".join(said)

    def models_request(self, settings: AnthropicSettings) -> httpx.Request:
        return httpx.Request("GET", MODELS_URL, headers=VERSION)
