"""OpenAI's models at Azure: a deployment of one's own decides which."""

from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import SecretStr, StrictStr

from inference.services import openai
from inference.services.calls import Call, given
from inference.services.credentials import check_credentials
from inference.services.openai import OpenAITaskSettings, headers_of
from inference.services.openai_errors import LIMIT_HEADERS, OpenAIShaped
from inference.services.openai_vectors import OpenAIEmbedding
from inference.services.remote import CHATS
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.settings import HostLabel, PositiveInt, Secret, Similarity, Text, setting
from inference.types import TaskType
from inference.upstream.auth import Auth, ClientCredentials, HeaderKey, TokenAuth, bearer
from inference.upstream.door import Reply

KEYS = ("api_key", "entra_id")
OAUTH = ("client_id", "scopes", "tenant_id")
TOKEN_LIMITS = ("x-ratelimit-limit-tokens", "x-ratelimit-limit-requests")


class AzureOpenAISettings(RemoteSettings):
    """resource_name: the first part of the host. deployment_id: takes the place of a model."""

    resource_name: HostLabel = setting(
        "Resource Name", "The name of the Azure OpenAI resource, without the rest of its address."
    )
    deployment_id: Text = setting("Deployment ID", "The deployment that answers.")
    api_version: Text = setting("API Version", "The version of Azure's API, such as 2024-10-21.")
    api_key: Secret | None = setting(
        "API Key", "A key of the resource.", sensitive=True, updatable=True, default=None
    )
    entra_id: Secret | None = setting(
        "Entra ID", "A Microsoft Entra token, in place of an API key; it is not renewed.",
        sensitive=True, updatable=True, default=None,
    )  # fmt: skip
    client_secret: Secret | None = setting(
        "Client Secret", "OAuth2, in place of an API key.", sensitive=True, updatable=True,
        default=None,
    )  # fmt: skip
    client_id: Text | None = setting(
        "Client ID", "OAuth2: the application.", updatable=True, default=None
    )
    scopes: list[StrictStr] | None = setting(
        "Scopes", "OAuth2: what the token is for, mostly "
        "https://cognitiveservices.azure.com/.default.",
        updatable=True, default=None, min_length=1,
    )  # fmt: skip
    tenant_id: Text | None = setting(
        "Tenant ID", "OAuth2: the directory that the application belongs to.", updatable=True,
        default=None,
    )  # fmt: skip
    dimensions: PositiveInt | None = dimensions_setting()
    similarity: Similarity | None = similarity_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()


def url_of(settings: AzureOpenAISettings, what: str) -> str:
    host = f"https://{settings.resource_name}.openai.azure.com"
    deployment, version = quote(settings.deployment_id, ""), quote(settings.api_version, "")
    return f"{host}/openai/deployments/{deployment}/{what}?api-version={version}"


class Embed(OpenAIEmbedding[AzureOpenAISettings]):
    task_settings = OpenAITaskSettings
    requests_per_minute = 1440

    def url(self, settings: AzureOpenAISettings) -> str:
        return url_of(settings, "embeddings")

    def headers(self, call: Call[AzureOpenAISettings]) -> dict[str, str]:
        return headers_of(call)

    def payload(self, call: Call[AzureOpenAISettings]) -> dict[str, Any]:
        return {"input": call.texts} | given(
            user=call.task_settings.user, dimensions=call.settings.dimensions
        )


class Chat(openai.Chat):
    requests_per_minute = 120
    names_model = False

    def url(self, settings: AzureOpenAISettings) -> str:
        return url_of(settings, "chat/completions")


class AzureShaped(OpenAIShaped):
    """OpenAI's shape, with less to tell of a rate limit."""

    def suffix(self, reply: Reply) -> str:
        if reply.status != 429 or any(name in reply.headers for name in TOKEN_LIMITS):
            return super().suffix(reply)
        tokens, requests = (
            reply.headers.get(name, "unknown")
            for label, name in LIMIT_HEADERS
            if label.startswith("remaining")
        )
        return f". Remaining tokens [{tokens}]. Remaining requests [{requests}]."


class AzureOpenAI(AzureShaped):
    name, label = "azureopenai", "Azure OpenAI"
    settings = AzureOpenAISettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        **dict.fromkeys(CHATS, Chat()),
    }
    model_setting = "deployment_id"
    rate_limit_group = ("resource_name", "deployment_id")
    error_type = "azure_openai_error"
    not_in_vectors = OpenAIShaped.not_in_vectors | {
        "api_version", "max_input_tokens", "client_id", "scopes", "tenant_id", "user", "headers",
    }  # fmt: skip

    def auth(self, settings: AzureOpenAISettings) -> Auth:
        if settings.api_key is not None:
            return HeaderKey("api-key", settings.api_key)
        if settings.entra_id is not None:
            return bearer(settings.entra_id)
        tenant = quote(settings.tenant_id or "", "")
        return TokenAuth(
            ClientCredentials(
                f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
                settings.client_id or "",
                settings.client_secret or SecretStr(""),
                tuple(settings.scopes or ()),
            )
        )

    def check_settings(self, task_type: TaskType, settings: AzureOpenAISettings) -> None:
        check_credentials(settings, KEYS, OAUTH)
