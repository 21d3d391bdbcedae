"""IBM watsonx: vectors, rerank and chats, for a token that an API key is given for."""

from typing import Any, ClassVar

import httpx
import orjson

from inference.chat import ChatRequest, Message, TextPart
from inference.errors import InvalidRequest
from inference.services.calls import Call, given, post
from inference.services.documents import SentDocument, document_text
from inference.services.hosts import Host, origin_of
from inference.services.openai_chat import OpenAIChat
from inference.services.openai_errors import OpenAIShaped, openai_error
from inference.services.refusals import as_text
from inference.services.remote import CHATS, Task
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.replies import Received, embeddings, ranking
from inference.services.settings import (
    PositiveInt,
    Secret,
    Similarity,
    Text,
    setting,
)
from inference.services.task_settings import RerankTaskSettings
from inference.types import Ranking, TaskType, TextEmbeddings
from inference.upstream.auth import Auth, IamKey, TokenAuth
from inference.upstream.errors import ProviderError
from inference.upstream.failures import SERVER_ERROR, UNSUCCESSFUL

REQUESTS_PER_MINUTE = 120


class WatsonxSettings(RemoteSettings):
    """url: only the host of it counts, with or without https://."""

    api_key: Secret = setting("API Key", "The IBM Cloud API key.", sensitive=True, updatable=True)
    url: Host = setting("URL", "The host of the region: us-south.ml.cloud.ibm.com")
    api_version: Text = setting("API Version", "The date of the API to speak: 2024-05-02")
    model_id: Text = setting("Model ID", "The name of the model to use.")
    project_id: Text = setting("Project ID", "The project that calls are counted to.")
    dimensions: PositiveInt | None = dimensions_setting()
    similarity: Similarity | None = similarity_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()

    def address(self, path: str) -> str:
        version = httpx.QueryParams(version=self.api_version)
        return f"{origin_of(self.url)}/ml/v1/{path}?{version}"


class WatsonxRerankSettings(RerankTaskSettings):
    truncate_input_tokens: PositiveInt | None = setting(
        "Truncate input", "How many tokens of an input the provider reads.", updatable=True,
        default=None,
    )  # fmt: skip


class EmbeddingRow(Received):
    embedding: list[float]


class EmbeddingReply(Received):
    results: list[EmbeddingRow]


class RankedRow(Received):
    index: int
    score: float
    input: SentDocument | None = None


class RankReply(Received):
    results: list[RankedRow]


# What vectors and ranks are told of: a rate limit is not known as one.
OWN_CATEGORIES = {**dict.fromkeys((402, 413, 422, 429), UNSUCCESSFUL), 503: SERVER_ERROR}


class Embed(Task[WatsonxSettings, EmbeddingReply]):
    reply = EmbeddingReply
    requests_per_minute = REQUESTS_PER_MINUTE
    retried = frozenset({500})
    own_categories = OWN_CATEGORIES
    is_cut = True

    def build(self, call: Call[WatsonxSettings]) -> httpx.Request:
        settings = call.settings
        body = {
            "inputs": call.texts,
            "model_id": settings.model_id,
            "project_id": settings.project_id,
        }
        return post(settings.address("text/embeddings"), body)

    def parse(self, reply: EmbeddingReply, call: Call[WatsonxSettings]) -> TextEmbeddings:
        return embeddings([row.embedding for row in reply.results], call)


class Rerank(Task[WatsonxSettings, RankReply]):
    task_settings = WatsonxRerankSettings
    reply = RankReply
    requests_per_minute = REQUESTS_PER_MINUTE
    retried = frozenset({500})
    own_categories = OWN_CATEGORIES

    def build(self, call: Call[WatsonxSettings]) -> httpx.Request:
        settings = call.settings
        parameters = given(truncate_input_tokens=call.task_settings.truncate_input_tokens)
        parameters["return_options"] = given(inputs=call.return_documents, top_n=call.top_n)
        body = {
            "model_id": settings.model_id,
            "query": call.input.query,
            "inputs": [{"text": text} for text in call.texts],
            "project_id": settings.project_id,
            "parameters": parameters,
        }
        return post(settings.address("text/rerank"), body)

    def parse(self, reply: RankReply, call: Call[WatsonxSettings]) -> Ranking:
        rows = ((row.index, row.score, document_text(row.input)) for row in reply.results)
        return ranking(rows, call)


class Chat(OpenAIChat[WatsonxSettings]):
    """Whether it is a stream, the address says, not the body."""

    requests_per_minute = REQUESTS_PER_MINUTE
    limit_field = "max_tokens"
    has_stream_options = False
    names_model = False

    def build(self, call: Call[WatsonxSettings]) -> httpx.Request:
        path = "text/chat_stream" if call.is_stream else "text/chat"
        return post(call.settings.address(path), self.payload(call))

    def payload(self, call: Call[WatsonxSettings]) -> dict[str, Any]:
        body = super().payload(call)
        del body["stream"]
        if isinstance(body.get("tool_choice"), str):
            body["tool_choice_option"] = body.pop("tool_choice")
        return body

    def extras(self, call: Call[WatsonxSettings]) -> dict[str, Any]:
        settings = call.settings
        return {
            "model_id": call.chat.model or settings.model_id,
            "project_id": settings.project_id,
        }

    def messages(self, chat: ChatRequest) -> list[dict[str, Any]]:
        return [as_sent(message) for message in chat.messages]

    def error(self, body: bytes) -> ProviderError:
        return watsonx_error(body)


def as_sent(message: Message) -> dict[str, Any]:
    """Only what a user says may come in parts. Raises InvalidRequest."""
    if message.role == "user" or not isinstance(message.content, list):
        return message.to_json()
    if not all(isinstance(part, TextPart) for part in message.content):
        raise InvalidRequest(
            f"The IBM watsonx service only takes text in a message of role [{message.role}]"
        )
    return message.to_json() | {"content": message.text}


def watsonx_error(body: bytes) -> ProviderError:
    """The first of IBM's `errors`; some of its servers answer in OpenAI's shape."""
    try:
        first = orjson.loads(body)["errors"][0]
        return ProviderError(as_text(first["message"]) or "", code=as_text(first.get("code")))
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, AttributeError):
        return openai_error(body)


class WatsonxAI(OpenAIShaped):
    name, label = "watsonxai", "IBM watsonx"
    settings = WatsonxSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        **dict.fromkeys(CHATS, Chat()),
        TaskType.RERANK: Rerank(),
    }
    rate_limit_group = ("model_id",)
    models_in = ("resources", "model_id")
    not_in_vectors = OpenAIShaped.not_in_vectors | {"project_id", "max_input_tokens"}

    def auth(self, settings: WatsonxSettings) -> Auth:
        return TokenAuth(IamKey(settings.api_key))

    def error(self, body: bytes) -> ProviderError:
        return watsonx_error(body)

    def models_request(self, settings: WatsonxSettings) -> httpx.Request | None:
        return httpx.Request("GET", settings.address("foundation_model_specs"))
