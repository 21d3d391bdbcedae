"""Groq."""

from typing import ClassVar

import httpx

from inference.services import openai
from inference.services.openai_errors import OpenAIShaped
from inference.services.remote_settings import RemoteSettings
from inference.services.settings import HeaderText, Secret, Text, Url, setting
from inference.types import TaskType
from inference.upstream.auth import Auth, bearer

CHAT_URL = "https://api.groq.com/openai/v1/chat/completions"
MODELS_URL = "https://api.groq.com/openai/v1/models"


class GroqSettings(RemoteSettings):
    """url: of the request itself, in place of Groq's."""

    api_key: Secret = setting("API Key", "The Groq API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use.")
    url: Url | None = setting(
        "URL", "The address of another server of the same API.", suggested=CHAT_URL, default=None
    )
    organization_id: HeaderText | None = setting(
        "Organization ID", "The organization that calls are counted to.", updatable=True,
        default=None,
    )  # fmt: skip


class Chat(openai.Chat):
    requests_per_minute = 1000
    default_url = CHAT_URL


class Groq(OpenAIShaped):
    name, label = "groq", "Groq"
    settings = GroqSettings
    tasks: ClassVar = {TaskType.CHAT_COMPLETION: Chat()}
    rate_limit_group = ("model_id", "api_key", "url")

    def auth(self, settings: GroqSettings) -> Auth:
        return bearer(settings.api_key)

    def models_request(self, settings: GroqSettings) -> httpx.Request | None:
        return None if settings.url else httpx.Request("GET", MODELS_URL)
