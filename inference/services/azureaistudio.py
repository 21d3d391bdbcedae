"""Azure AI Studio: models of several makers, each behind a deployment of one's own."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Literal

import httpx
from pydantic import Field, StrictBool

from inference.errors import InvalidSettings
from inference.services.azureopenai import AzureShaped
from inference.services.calls import Call, given, post
from inference.services.documents import RerankDocuments
from inference.services.openai_chat import ChatReply, Choice, OpenAIChat
from inference.services.openai_errors import OpenAIShaped, is_too_large
from inference.services.openai_vectors import OpenAIEmbedding
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.settings import (
    FOLDED,
    PositiveInt,
    Secret,
    Settings,
    Similarity,
    Text,
    Url,
    setting,
)
from inference.types import Completions, InferenceResult, InputType, TaskType
from inference.upstream.auth import Auth, HeaderKey, bearer
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

REQUESTS_PER_MINUTE = 240
MOST_NEW_TOKENS = 64
OPENAI, COHERE, REALTIME = "openai", "cohere", "realtime"
# Whose models do which task, by how they are deployed.
OFFERED: Mapping[TaskType, Mapping[str, Collection[str]]] = {
    TaskType.TEXT_EMBEDDING: {"token": (OPENAI, COHERE), REALTIME: ()},
    TaskType.COMPLETION: {
        "token": (OPENAI, "meta", COHERE),
        REALTIME: ("mistral", "meta", "microsoft_phi", "databricks"),
    },
    TaskType.RERANK: {"token": (COHERE,), REALTIME: ()},
}
INPUT_TYPES = {COHERE: {InputType.INGEST: "document", InputType.SEARCH: "query"}}

Maker = Literal["cohere", "databricks", "meta", "microsoft_phi", "mistral", "openai"]
Temperature = Annotated[float, Field(ge=0.0, le=2.0)]


class AzureAiStudioSettings(RemoteSettings):
    """target: where the deployment is found; for some a task's path is put behind it."""

    api_key: Secret = setting("API Key", "A key of the deployment.", sensitive=True, updatable=True)
    target: Url = setting("Target", "The address of the deployment.")
    provider: Annotated[Maker, FOLDED] = setting("Provider", "Who made the model.")
    endpoint_type: Annotated[Literal["token", "realtime"], FOLDED] = setting(
        "Endpoint Type", "How the deployment is paid for: by the token, or by the hour (realtime)."
    )
    dimensions: PositiveInt | None = dimensions_setting(updatable=True)
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()
    similarity: Similarity | None = similarity_setting(updatable=True)


class EmbeddingTaskSettings(Settings):
    user: Text | None = setting("User", "Who asks, for the provider.", updatable=True, default=None)


class CompletionTaskSettings(Settings):
    """temperature and top_p do the same in two ways: one of them is enough."""

    temperature: Temperature | None = setting(
        "Temperature", "How freely words are chosen, from 0 to 2.", updatable=True, default=None
    )
    top_p: Temperature | None = setting(
        "Top P", "The same by the share of words to choose from; use one of the two.",
        updatable=True, default=None,
    )  # fmt: skip
    do_sample: StrictBool | None = setting(
        "Do Sample", "Whether words are chosen by chance at all.", updatable=True, default=None
    )
    max_new_tokens: PositiveInt | None = setting(
        "Maximum New Tokens", "How much is written at most.", updatable=True,
        default=MOST_NEW_TOKENS,
    )  # fmt: skip


def below(target: str, path: str) -> str:
    """A path behind an address, before its parameters."""
    place, mark, query = target.partition("?")
    return f"{place.rstrip('/')}{path}{mark}{query}"


class Embed(OpenAIEmbedding[AzureAiStudioSettings]):
    task_settings = EmbeddingTaskSettings
    requests_per_minute = REQUESTS_PER_MINUTE

    def known_input_types(self, call: Call[AzureAiStudioSettings]) -> Mapping[InputType, str]:
        return INPUT_TYPES.get(call.settings.provider, {})

    def url(self, settings: AzureAiStudioSettings) -> str:
        if settings.provider == OPENAI:
            return settings.target
        return below(settings.target, "/v1/embeddings")

    def payload(self, call: Call[AzureAiStudioSettings]) -> dict[str, Any]:
        return {"input": call.texts} | given(
            user=call.task_settings.user,
            dimensions=call.settings.dimensions,
            input_type=self.input_type_of(call),
        )


class CompletionReply(ChatReply):
    """A chat's answer, or that of a model that is hosted by the hour: a text alone."""

    choices: list[Choice] = Field(default_factory=list)
    output: str | None = None


class Complete(OpenAIChat[AzureAiStudioSettings]):
    """What is written how stands in `parameters`, beside or below the messages."""

    task_settings = CompletionTaskSettings
    reply = CompletionReply
    requests_per_minute = REQUESTS_PER_MINUTE
    ends_with_done = True

    def url(self, settings: AzureAiStudioSettings) -> str:
        if settings.provider == OPENAI or settings.endpoint_type == REALTIME:
            return settings.target
        return below(settings.target, "/v1/chat/completions")

    def payload(self, call: Call[AzureAiStudioSettings]) -> dict[str, Any]:
        messages = self.messages(call.chat)
        parameters = call.task_settings.to_response() or None
        body = given(messages=messages, parameters=parameters)
        if call.settings.endpoint_type == REALTIME:
            body = {"input_data": given(input_string=messages, parameters=parameters)}
        return body | given(stream=call.is_stream or None)

    def parse(self, reply: ChatReply, call: Call[AzureAiStudioSettings]) -> InferenceResult:
        if isinstance(reply, CompletionReply) and reply.output is not None:
            return Completions((reply.output,))
        return super().parse(reply, call)


class Rerank(RerankDocuments[AzureAiStudioSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE

    def build(self, call: Call[AzureAiStudioSettings]) -> httpx.Request:
        body = {"documents": call.texts, "query": call.input.query}
        optional = given(return_documents=call.return_documents, top_n=call.top_n)
        return post(below(call.settings.target, "/v1/rerank"), body | optional)

    def is_too_large(self, reply: Reply, told: ProviderError) -> bool:
        return is_too_large(reply, told)


class AzureAiStudio(AzureShaped):
    name, label = "azureaistudio", "Azure AI Studio"
    settings = AzureAiStudioSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        TaskType.COMPLETION: Complete(),
        TaskType.RERANK: Rerank(),
    }
    rate_limit_group = ("target", "provider", "endpoint_type", "api_key")
    not_in_vectors = OpenAIShaped.not_in_vectors | {"max_input_tokens", "user"}

    def auth(self, settings: AzureAiStudioSettings) -> Auth:
        if settings.provider == OPENAI:
            return HeaderKey("api-key", settings.api_key)
        if settings.endpoint_type == REALTIME:
            return bearer(settings.api_key)
        return HeaderKey("Authorization", settings.api_key)

    def check_settings(self, task_type: TaskType, settings: AzureAiStudioSettings) -> None:
        if settings.provider not in OFFERED[task_type][settings.endpoint_type]:
            raise InvalidSettings(
                [
                    f"[service_settings] The [{settings.endpoint_type}] endpoint type with "
                    f"[{task_type}] task type for provider [{settings.provider}] is not available"
                ]
            )
