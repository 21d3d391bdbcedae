"""Amazon Bedrock: models of several makers behind one signed API."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import httpx
from pydantic import BeforeValidator, Field, PlainSerializer

from inference.errors import InvalidRequest
from inference.services.aws_shape import JSON, AwsService, AwsSettings
from inference.services.base import EndpointConfig
from inference.services.calls import Call, given, post
from inference.services.converse import Converse, model_url
from inference.services.remote import CHATS, Task
from inference.services.remote_settings import (
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.replies import Received, embeddings
from inference.services.settings import FOLDED, PositiveInt, Settings, Similarity, Text, setting
from inference.types import InferenceResult, InputType, TaskType

TITAN, COHERE = "amazontitan", "cohere"
CHATTING = ("anthropic", "ai21labs", COHERE, "meta", "mistral")
PROVIDERS = {
    TaskType.TEXT_EMBEDDING: (TITAN, COHERE),
    TaskType.COMPLETION: (TITAN, *CHATTING),
    TaskType.CHAT_COMPLETION: CHATTING,
}
# Task settings that only some providers know.
KNOWN_TO = {"top_k": ("anthropic", COHERE, "mistral"), "truncate": (COHERE,)}


def raised(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


# Shown in capitals, taken in any case.
Provider = Annotated[
    Literal["amazontitan", "anthropic", "ai21labs", "cohere", "meta", "mistral"],
    FOLDED,
    PlainSerializer(str.upper, return_type=str),
]
Truncate = Annotated[Literal["START", "END", "NONE"], BeforeValidator(raised)]
Share = Annotated[float, Field(ge=0, le=1)]


class BedrockSettings(AwsSettings):
    """dimensions: never given, shown when the first answer told them."""

    model: Text = setting(
        "Model", "The id of a model or of an inference profile, or the ARN of one."
    )
    provider: Provider = setting("Provider", "Who made the model.")
    dimensions: PositiveInt | None = setting(
        "Dimensions", "The length of the vectors.", tasks=(), listed=False, default=None
    )
    similarity: Similarity | None = similarity_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()


class ChatTaskSettings(Settings):
    max_new_tokens: PositiveInt = setting(
        "Max New Tokens", "How many tokens are written at most.", updatable=True, default=64
    )
    temperature: Share | None = setting(
        "Temperature", "How much chance there is in an answer, from 0 to 1.", updatable=True,
        default=None,
    )  # fmt: skip
    top_p: Share | None = setting(
        "Top P", "Only the likeliest tokens, up to this sum of probabilities, are chosen from.",
        updatable=True, default=None,
    )  # fmt: skip
    top_k: Share | None = setting(
        "Top K", "Only the likeliest tokens are chosen from; for Anthropic, Cohere and Mistral.",
        updatable=True, default=None,
    )  # fmt: skip


class EmbedTaskSettings(Settings):
    truncate: Truncate | None = setting(
        "Truncate", "Which end of an input that is too long is cut; for Cohere.", updatable=True,
        default=None,
    )  # fmt: skip


class TitanReply(Received):
    embedding: list[float]


class TitanEmbed(Task[BedrockSettings, TitanReply]):
    """Takes one text at a time."""

    task_settings = EmbedTaskSettings
    reply = TitanReply
    requests_per_minute = 240
    is_cut = True

    def check(self, call: Call[BedrockSettings], label: str) -> None:
        super().check(call, label)
        if len(call.texts) > 1:
            raise InvalidRequest(
                f"Provider [{TITAN}] takes one text with each request, not [{len(call.texts)}]"
            )

    def build(self, call: Call[BedrockSettings]) -> httpx.Request:
        (text,) = call.texts
        url = model_url(call.settings.region, call.settings.model, "invoke")
        return post(url, {"inputText": text}, JSON)

    def parse(self, reply: TitanReply, call: Call[BedrockSettings]) -> InferenceResult:
        return embeddings([reply.embedding], call)


class CohereFloats(Received):
    float_: list[list[float]] = Field(alias="float")


class CohereReply(Received):
    """Newer models name the kind of the numbers."""

    embeddings: list[list[float]] | CohereFloats


class CohereEmbed(Task[BedrockSettings, CohereReply]):
    task_settings = EmbedTaskSettings
    reply = CohereReply
    requests_per_minute = 240
    is_cut = True
    input_types: ClassVar = {
        InputType.INGEST: "search_document",
        InputType.SEARCH: "search_query",
        InputType.CLASSIFICATION: "classification",
        InputType.CLUSTERING: "clustering",
        InputType.UNSPECIFIED: "search_document",
    }

    def build(self, call: Call[BedrockSettings]) -> httpx.Request:
        body = {"texts": call.texts, "input_type": self.input_type_of(call)}
        url = model_url(call.settings.region, call.settings.model, "invoke")
        return post(url, body | given(truncate=call.task_settings.truncate), JSON)

    def parse(self, reply: CohereReply, call: Call[BedrockSettings]) -> InferenceResult:
        sent = reply.embeddings
        return embeddings(sent.float_ if isinstance(sent, CohereFloats) else sent, call)


class Chat(Converse[BedrockSettings]):
    task_settings = ChatTaskSettings
    requests_per_minute = 240

    def url(self, call: Call[BedrockSettings], action: str) -> str:
        model = call.chat.model or call.settings.model
        return model_url(call.settings.region, model, action)

    def model(self, call: Call[BedrockSettings]) -> str:
        return call.chat.model or call.settings.model


class AmazonBedrock(AwsService):
    name, label = "amazonbedrock", "Amazon Bedrock"
    signing_name = "bedrock"
    model_setting = "model"
    settings = BedrockSettings
    embedders: Mapping[str, Task[Any, Any]] = {
        TITAN: TitanEmbed(),
        COHERE: CohereEmbed(),
    }
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: embedders[TITAN],
        **dict.fromkeys(CHATS, Chat()),
    }
    rate_limit_group = ("region", "model", "provider", "access_key", "secret_key")
    default_similarity = "cosine"
    models_in = ("modelSummaries", "modelId")
    not_in_vectors = AwsService.not_in_vectors | {"region", "max_input_tokens"}

    def task_for(self, config: EndpointConfig) -> Task[Any, Any]:
        if config.task_type != TaskType.TEXT_EMBEDDING:
            return super().task_for(config)
        settings: Any = config.service_settings
        return self.embedders[settings.provider]

    def check_fit(self, settings: BedrockSettings, task_settings: Any) -> None:
        for name, providers in KNOWN_TO.items():
            is_set = getattr(task_settings, name, None) is not None
            if is_set and settings.provider not in providers:
                raise InvalidRequest(
                    f"The [{name}] task parameter is not available for provider "
                    f"[{settings.provider}]"
                )

    def check_settings(self, task_type: TaskType, settings: BedrockSettings) -> None:
        if settings.provider not in PROVIDERS[task_type]:
            raise InvalidRequest(
                f"The [{task_type}] task type for provider [{settings.provider}] is not available"
            )

    def models_request(self, settings: BedrockSettings) -> httpx.Request:
        url = f"https://bedrock.{settings.region}.amazonaws.com/foundation-models"
        return httpx.Request("GET", url, headers=JSON)
