"""DeepSeek."""

import httpx

from inference.services.openai_chat import OpenAIChat
from inference.services.openai_errors import OpenAIShaped
from inference.services.remote import CHATS
from inference.services.remote_settings import RemoteSettings, no_rate_limit
from inference.services.settings import Secret, Text, Url, setting
from inference.upstream.auth import Auth, bearer

CHAT_URL = "https://api.deepseek.com/chat/completions"
MODELS_URL = "https://api.deepseek.com/models"


class DeepSeekSettings(RemoteSettings):
    """url: of the request itself, in place of DeepSeek's."""

    api_key: Secret = setting("API Key", "The DeepSeek API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use.")
    url: Url | None = setting(
        "URL", "The address of another server of the same API.", suggested=CHAT_URL, default=None
    )
    rate_limit: None = no_rate_limit()


class Chat(OpenAIChat[DeepSeekSettings]):
    """What a model thinks comes as `reasoning_content`, which callers here know no place for."""

    limit_field = "max_tokens"
    ends_with_done = True

    def url(self, settings: DeepSeekSettings) -> str:
        return settings.url or CHAT_URL


class DeepSeek(OpenAIShaped):
    name, label = "deepseek", "DeepSeek"
    settings = DeepSeekSettings
    tasks = dict.fromkeys(CHATS, Chat())

    def auth(self, settings: DeepSeekSettings) -> Auth:
        return bearer(settings.api_key)

    def models_request(self, settings: DeepSeekSettings) -> httpx.Request | None:
        return None if settings.url else httpx.Request("GET", MODELS_URL)
