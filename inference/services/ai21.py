"""AI21."""

from inference.services.openai_chat import OpenAIChat
from inference.services.openai_errors import OpenAIShaped
from inference.services.refusals import whole_body
from inference.services.remote import CHATS
from inference.services.remote_settings import RemoteSettings
from inference.services.settings import Secret, Text, setting
from inference.upstream.auth import Auth, bearer
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

CHAT_URL = "https://api.ai21.com/studio/v1/chat/completions"


class AI21Settings(RemoteSettings):
    api_key: Secret = setting("API Key", "The AI21 API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use.")


class Chat(OpenAIChat[AI21Settings]):
    requests_per_minute = 200
    called = "AI21 completions"
    limit_field = "max_tokens"
    ends_with_done = True

    def url(self, settings: AI21Settings) -> str:
        return CHAT_URL


class AI21(OpenAIShaped):
    """Its failures have no shape of their own: all that a body says is told."""

    name, label = "ai21", "AI21"
    settings = AI21Settings
    tasks = dict.fromkeys(CHATS, Chat())
    rate_limit_group = ("model_id", "api_key")
    error_type = "ai21_error"

    def auth(self, settings: AI21Settings) -> Auth:
        return bearer(settings.api_key)

    def told(self, reply: Reply) -> ProviderError:
        return whole_body(reply)
