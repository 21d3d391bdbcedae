"""Cohere, by version 2 of its API."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, TypeAlias

import httpx
from pydantic import AfterValidator, SecretStr

from inference.errors import InvalidSettings
from inference.services.calls import REQUEST_SOURCE, Call, given, post
from inference.services.documents import RerankDocuments
from inference.services.openai_chat import deltas
from inference.services.openai_errors import openai_error, read_event
from inference.services.remote import ProviderFailed, Task
from inference.services.remote_settings import (
    TEXT_VECTORS,
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.replies import Received, embeddings
from inference.services.settings import (
    PositiveInt,
    Secret,
    Settings,
    Similarity,
    Text,
    http_url,
    setting,
)
from inference.services.task_settings import RerankTaskSettings
from inference.services.vectors import (
    SENT_TYPES,
    AnyInputType,
    EmbeddingType,
    Truncate,
    TypedVectors,
    element_type_of,
    input_type_setting,
)
from inference.types import Completions, InputType, TaskType, TextEmbeddings
from inference.upstream.auth import Auth, bearer
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError
from inference.upstream.failures import SERVER_ERROR
from inference.upstream.sse import ServerEvent

EMBED_URL = "https://api.cohere.ai/v2/embed"
RERANK_URL = "https://api.cohere.ai/v2/rerank"
CHAT_URL = "https://api.cohere.ai/v2/chat"
MODELS_URL = "https://api.cohere.ai/v1/models?page_size=1000"
TOO_MANY_TEXTS = "invalid request: total number of texts must be at most"
FAILED = ("ERROR", "TIMEOUT")


def secret_url(value: SecretStr) -> SecretStr:
    http_url(value.get_secret_value())
    return value


HiddenUrl: TypeAlias = Annotated[SecretStr, AfterValidator(secret_url)]
# Told under one name each, whichever was given.
CohereEmbeddingType: TypeAlias = Annotated[
    EmbeddingType, AfterValidator(lambda name: {"int8": "byte", "binary": "bit"}.get(name, name))
]


class CohereSettings(RemoteSettings):
    """url: of the request itself, in place of Cohere's; never shown, as in Elasticsearch."""

    api_key: Secret = setting("API Key", "The Cohere API key.", sensitive=True, updatable=True)
    model_id: Text | None = setting(
        "Model ID", "The name of the model to use.", required=True, default=None
    )
    url: HiddenUrl | None = setting(
        "URL", "Called in place of Cohere's address; never shown.", sensitive=True, listed=False,
        default=None,
    )  # fmt: skip
    embedding_type: CohereEmbeddingType | None = setting(
        "Embedding Type", "What the vectors are made of.", tasks=TEXT_VECTORS, suggested="float",
        default=None,
    )  # fmt: skip
    similarity: Similarity | None = similarity_setting()
    dimensions: PositiveInt | None = dimensions_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()

    def address(self, usual: str) -> str:
        return self.url.get_secret_value() if self.url else usual


class EmbedSettings(Settings):
    input_type: AnyInputType | None = input_type_setting()
    truncate: Truncate | None = setting(
        "Truncate", "Which end of a text that is too long is cut.", updatable=True, default=None
    )


class CohereRerankSettings(RerankTaskSettings):
    """max_chunks_per_doc: known to version 1 alone, which is not spoken any more."""

    max_chunks_per_doc: PositiveInt | None = setting(
        "Maximum Chunks", "Has no effect any more.", updatable=True, default=None
    )


class EmbedReply(Received):
    embeddings: dict[str, list[list[float]] | None]


class Embed(Task[CohereSettings, EmbedReply]):
    task_settings = EmbedSettings
    reply = EmbedReply
    requests_per_minute = 10000
    is_cut = True
    # The provider insists on one.
    input_types: ClassVar = {
        InputType.INGEST: "search_document",
        InputType.SEARCH: "search_query",
        InputType.CLASSIFICATION: "classification",
        InputType.CLUSTERING: "clustering",
        InputType.UNSPECIFIED: "search_query",
    }
    retried = frozenset({429, 500})
    own_categories: ClassVar = {503: SERVER_ERROR}

    def build(self, call: Call[CohereSettings]) -> httpx.Request:
        body = {
            "texts": call.texts,
            "model": call.settings.model_id,
            "input_type": self.input_type_of(call),
            "embedding_types": [SENT_TYPES[element_type_of(call.settings)]],
        }
        body |= given(truncate=call.task_settings.truncate)
        return post(call.settings.address(EMBED_URL), body, REQUEST_SOURCE)

    def parse(self, reply: EmbedReply, call: Call[CohereSettings]) -> TextEmbeddings:
        element_type = element_type_of(call.settings)
        rows = reply.embeddings.get(SENT_TYPES[element_type])
        if rows is None:
            raise ValueError(f"it holds no [{SENT_TYPES[element_type]}] vectors")
        return embeddings(rows, call, element_type)

    def categories(self, told: ProviderError) -> Mapping[int, str]:
        if TOO_MANY_TEXTS in told.message:
            return {**self.own_categories, 400: "Received a texts array too large response"}
        return self.own_categories


class Rerank(RerankDocuments[CohereSettings]):
    """return_documents is never sent: version 2 refuses it, the inputs have the texts."""

    task_settings = CohereRerankSettings
    input_types = Embed.input_types
    requests_per_minute = 10000
    retried = Embed.retried
    own_categories = Embed.own_categories

    def build(self, call: Call[CohereSettings]) -> httpx.Request:
        body = {
            "model": call.settings.model_id,
            "query": call.input.query,
            "documents": call.texts,
            **given(top_n=call.top_n),
        }
        return post(call.settings.address(RERANK_URL), body, REQUEST_SOURCE)


class Piece(Received):
    """A part of an answer; one that is no text has none."""

    text: str | None = None


class Message(Received):
    content: list[Piece] | None = None


class CompletionReply(Received):
    message: Message
    finish_reason: str | None = None


class StreamEvent(Received):
    type: str


class PieceOfMessage(Received):
    content: Piece | None = None


class PieceDelta(Received):
    message: PieceOfMessage


class PieceEvent(Received):
    delta: PieceDelta


class EndDelta(Received):
    finish_reason: str | None = None
    error: str | None = None


class EndEvent(Received):
    delta: EndDelta | None = None


class Complete(Task[CohereSettings, CompletionReply]):
    reply = CompletionReply
    requests_per_minute = 10000
    most_inputs = 1
    input_types = Embed.input_types
    retried = Embed.retried
    own_categories = Embed.own_categories
    can_stream = True

    def build(self, call: Call[CohereSettings]) -> httpx.Request:
        body = {
            "messages": [{"role": "user", "content": call.texts[0]}],
            "model": call.settings.model_id,
            "stream": call.is_stream,
        }
        return post(call.settings.address(CHAT_URL), body, REQUEST_SOURCE)

    def parse(self, reply: CompletionReply, call: Call[CohereSettings]) -> Completions:
        check_end(reply.finish_reason)
        pieces = reply.message.content or []
        texts = tuple(piece.text for piece in pieces if piece.text is not None)
        return Completions(texts or ("",))

    def chunks(
        self, events: Iterator[ServerEvent], call: Call[CohereSettings]
    ) -> Iterator[dict[str, Any]]:
        for event in events:
            match read_event(event, StreamEvent.model_validate_json).type:
                case "content-delta":
                    piece = read_event(event, PieceEvent.model_validate_json).delta.message.content
                    yield from deltas([piece.text] if piece else [])
                case "message-end":
                    end = read_event(event, EndEvent.model_validate_json).delta or EndDelta()
                    check_end(end.finish_reason, end.error)
                    return
        raise ValueError("it ended before its end")


def check_end(finish_reason: str | None, error: str | None = None) -> None:
    """Raises ProviderFailed for an answer that did not come to its end."""
    if finish_reason in FAILED:
        told = f": {error}" if error else ""
        raise ProviderFailed(ProviderError(f"it finished with [{finish_reason}]{told}"))


class Cohere(TypedVectors):
    name, label = "cohere", "Cohere"
    settings = CohereSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        TaskType.COMPLETION: Complete(),
        TaskType.RERANK: Rerank(),
    }
    rate_limit_group = ("api_key",)
    models_in = ("models", "name")
    # Its vectors often fail Elasticsearch's check for unit length.
    default_similarity = "cosine"
    not_in_vectors = TypedVectors.not_in_vectors | {"max_input_tokens"}

    def auth(self, settings: CohereSettings) -> Auth:
        return bearer(settings.api_key)

    def told(self, reply: Reply) -> ProviderError:
        return openai_error(reply.content)

    def models_request(self, settings: CohereSettings) -> httpx.Request | None:
        return None if settings.url else httpx.Request("GET", MODELS_URL)

    def complete(self, task_type: TaskType, raw: Mapping[str, Any]) -> dict[str, Any]:
        """`model` is an old name of `model_id`."""
        completed = super().complete(task_type, raw)
        if "model_id" not in completed and "model" in completed:
            completed["model_id"] = completed.pop("model")
        return completed

    def check_settings(self, task_type: TaskType, settings: CohereSettings) -> None:
        if settings.model_id is None:
            raise InvalidSettings(
                ["The [service_settings.model_id] field is required for the Cohere V2 API."]
            )
