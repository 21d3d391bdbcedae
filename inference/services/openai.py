"""OpenAI, and whatever speaks its API at an address of its own."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr, StrictStr

from inference.chat import ChatRequest
from inference.errors import InvalidRequest, InvalidSettings
from inference.services.base import EndpointConfig
from inference.services.calls import Call, given
from inference.services.credentials import check_credentials
from inference.services.openai_chat import OpenAIChat
from inference.services.openai_errors import OpenAIShaped
from inference.services.openai_vectors import OpenAIEmbedding
from inference.services.remote import CHATS, VECTORS
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.settings import (
    Headers,
    HeaderText,
    PositiveInt,
    Secret,
    Settings,
    Similarity,
    Text,
    Url,
    setting,
)
from inference.types import TaskType
from inference.upstream.auth import Auth, ClientCredentials, TokenAuth, bearer

EMBEDDINGS_URL = "https://api.openai.com/v1/embeddings"
CHAT_URL = "https://api.openai.com/v1/chat/completions"
MODELS_URL = "https://api.openai.com/v1/models"
OAUTH = ("client_id", "scopes", "token_url")


class OpenAISettings(RemoteSettings):
    """url: of the request itself, in place of OpenAI's."""

    api_key: Secret | None = setting(
        "API Key", "The OpenAI API key.", sensitive=True, updatable=True, default=None
    )
    model_id: Text = setting("Model ID", "The name of the model to use.")
    organization_id: HeaderText | None = setting(
        "Organization ID", "The organization that calls are counted to.", updatable=True,
        default=None,
    )  # fmt: skip
    url: Url | None = setting(
        "URL",
        "The address of another server of the same API; chats have another by default.",
        suggested=EMBEDDINGS_URL,
        default=None,
    )
    dimensions: PositiveInt | None = dimensions_setting(VECTORS)
    similarity: Similarity | None = similarity_setting(VECTORS)
    max_input_tokens: PositiveInt | None = max_input_tokens_setting(VECTORS)
    client_id: Text | None = setting(
        "Client ID", "OAuth2: the client.", updatable=True, default=None
    )
    client_secret: Secret | None = setting(
        "Client Secret", "OAuth2, in place of an API key.", sensitive=True, updatable=True,
        default=None,
    )  # fmt: skip
    scopes: list[StrictStr] | None = setting(
        "Scopes", "OAuth2: what the token is for.", updatable=True, default=None, min_length=1
    )
    token_url: Url | None = setting(
        "Token URL", "OAuth2: where tokens are given.", updatable=True, default=None
    )


class OpenAITaskSettings(Settings):
    """headers: a call's own take the place of the endpoint's."""

    user: Text | None = setting("User", "Who asks, for the provider.", updatable=True, default=None)
    headers: Headers | None = setting(
        "Headers", "Sent with every request.", updatable=True, default=None
    )


def headers_of(call: Call[Any]) -> dict[str, str]:
    """Those of the task settings, and who pays where the settings tell that."""
    organization = given(**{"OpenAI-Organization": getattr(call.settings, "organization_id", None)})
    return organization | (call.task_settings.headers or {})


class Embed(OpenAIEmbedding[OpenAISettings]):
    task_settings = OpenAITaskSettings
    requests_per_minute = 3000

    def url(self, settings: OpenAISettings) -> str:
        return settings.url or EMBEDDINGS_URL

    def headers(self, call: Call[OpenAISettings]) -> dict[str, str]:
        return headers_of(call)

    def payload(self, call: Call[OpenAISettings]) -> dict[str, Any]:
        body = {"input": call.texts, "model": call.settings.model_id}
        optional = given(user=call.task_settings.user, dimensions=call.settings.dimensions)
        return body | optional | {"encoding_format": "base64"}


class Chat(OpenAIChat[Any]):
    """default_url: of the request where the settings name none."""

    task_settings = OpenAITaskSettings
    requests_per_minute = 500
    ends_with_done = True
    default_url: ClassVar[str] = CHAT_URL

    def url(self, settings: Any) -> str:
        found: str = settings.url or self.default_url
        return found

    def headers(self, call: Call[Any]) -> dict[str, str]:
        return headers_of(call)

    def extras(self, call: Call[Any]) -> dict[str, Any]:
        return given(user=call.task_settings.user)

    def reasoning(self, chat: ChatRequest) -> dict[str, Any]:
        if chat.reasoning is None:
            return {}
        if chat.reasoning.effort is None:
            raise InvalidRequest("The [reasoning] field needs an [effort] for this service")
        return {"reasoning_effort": chat.reasoning.effort}


def with_model_moved(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A configuration with its model in the service settings, where it once was in the others."""
    settings, own = config.get("service_settings"), config.get("task_settings")
    if not isinstance(settings, Mapping) or not isinstance(own, Mapping):
        return config
    found = next((name for name in ("model", "model_id") if own.get(name) is not None), None)
    if found is None or settings.get("model_id") is not None:
        return config
    return {
        **config,
        "service_settings": {**settings, "model_id": own[found]},
        "task_settings": {name: value for name, value in own.items() if name != found},
    }


def beside(url: str) -> str:
    """Where a server of the same shape lists its models; empty for an address of no such shape."""
    for path in ("/embeddings", "/chat/completions"):
        if url.endswith(path):
            return f"{url.removesuffix(path)}/models"
    return ""


class OpenAI(OpenAIShaped):
    name, label = "openai", "OpenAI"
    settings = OpenAISettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        TaskType.EMBEDDING: Embed(),
        **dict.fromkeys(CHATS, Chat()),
    }
    rate_limit_group = ("model_id", "api_key", "client_id", "client_secret", "url")
    not_in_vectors = OpenAIShaped.not_in_vectors | {
        "organization_id", "max_input_tokens", "client_id", "scopes", "token_url",
        "user", "headers",
    }  # fmt: skip

    def parse(self, task_type: TaskType, config: Mapping[str, Any]) -> EndpointConfig:
        return super().parse(task_type, with_model_moved(config))

    def parse_update(
        self, task_type: TaskType, stored: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> EndpointConfig:
        """Raises InvalidSettings, too, where a stored secret would go to another address."""
        checked = super().parse_update(task_type, stored, changes)
        known, changed = stored["service_settings"], changes.get("service_settings") or {}
        is_elsewhere = changed.get("token_url", known.get("token_url")) != known.get("token_url")
        if is_elsewhere and known.get("client_secret") and "client_secret" not in changed:
            raise InvalidSettings(["[client_secret] must be given again when [token_url] changes"])
        return checked

    def auth(self, settings: OpenAISettings) -> Auth:
        if settings.api_key is not None:
            return bearer(settings.api_key)
        return TokenAuth(
            ClientCredentials(
                settings.token_url or "",
                settings.client_id or "",
                settings.client_secret or SecretStr(""),
                tuple(settings.scopes or ()),
            )
        )

    def models_request(self, settings: OpenAISettings) -> httpx.Request | None:
        return None if settings.url else httpx.Request("GET", MODELS_URL)

    def listing_request(self, settings: OpenAISettings) -> httpx.Request | None:
        if settings.url is None:
            return self.models_request(settings)
        listing = beside(settings.url)
        return httpx.Request("GET", listing) if listing else None

    def check_settings(self, task_type: TaskType, settings: OpenAISettings) -> None:
        check_credentials(settings, ("api_key",), OAUTH)
