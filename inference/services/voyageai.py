"""Voyage AI."""

from typing import Any, ClassVar

import httpx

from inference.services.calls import REQUEST_SOURCE, Call, given, post
from inference.services.openai_vectors import EmbeddingReply, EmbeddingRow
from inference.services.refusals import VALIDATED, detail_of
from inference.services.remote import VECTORS, Task
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    set_by_user,
    similarity_setting,
)
from inference.services.replies import Received, ranking
from inference.services.settings import (
    PositiveInt,
    Secret,
    Settings,
    Similarity,
    Text,
    setting,
)
from inference.services.vectors import (
    SENT_TYPES,
    EmbeddingType,
    MultimodalEmbedding,
    PlainEmbedding,
    SearchInputType,
    TypedVectors,
    contents_of,
    element_type_of,
    input_type_setting,
    is_multimodal,
)
from inference.types import Content, InputType, Ranking, TaskType
from inference.upstream.auth import Auth, bearer
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

EMBEDDINGS_URL = "https://api.voyageai.com/v1/embeddings"
MULTIMODAL_URL = "https://api.voyageai.com/v1/multimodalembeddings"
RERANK_URL = "https://api.voyageai.com/v1/rerank"
RETRIED = frozenset({429, 500})


class VoyageSettings(RemoteSettings):
    api_key: Secret = setting("API Key", "The Voyage AI API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use.")
    dimensions: PositiveInt | None = dimensions_setting(VECTORS)
    dimensions_set_by_user: bool | None = set_by_user()
    embedding_type: EmbeddingType | None = setting(
        "Embedding Type", "What the vectors are made of.", tasks=VECTORS, suggested="float",
        default=None,
    )  # fmt: skip
    similarity: Similarity | None = similarity_setting(VECTORS)
    max_input_tokens: PositiveInt | None = max_input_tokens_setting(VECTORS, is_cut=False)
    multimodal_model: bool | None = setting(
        "Multimodal Model", "Whether the model takes images, too.",
        tasks=(TaskType.EMBEDDING,), suggested=True, default=None,
    )  # fmt: skip


class VoyageTaskSettings(Settings):
    truncation: bool | None = setting(
        "Truncation", "Whether a text that is too long is cut, or refused.", updatable=True,
        default=None,
    )  # fmt: skip


class EmbedSettings(VoyageTaskSettings):
    input_type: SearchInputType | None = input_type_setting()


class VoyageRerankSettings(VoyageTaskSettings):
    top_k: PositiveInt | None = setting(
        "Top K", "How many documents are told, the best first.", updatable=True, default=None
    )
    return_documents: bool | None = setting(
        "Return Documents", "Whether their texts are told, too.", updatable=True, default=None
    )

    @property
    def top_n(self) -> int | None:
        """As calls name it."""
        return self.top_k


class VoyageRow(EmbeddingRow):
    index: int


class VoyageReply(EmbeddingReply):
    # Each with its number, without which it is no row of this provider.
    data: list[VoyageRow]  # type: ignore[assignment]


class Embed(PlainEmbedding[VoyageSettings]):
    task_settings = EmbedSettings
    reply = VoyageReply
    requests_per_minute = 2000
    input_types: ClassVar = {
        InputType.INGEST: "document",
        InputType.SEARCH: "query",
    }
    retried = RETRIED
    own_categories = VALIDATED

    def url(self, settings: VoyageSettings) -> str:
        return EMBEDDINGS_URL

    def headers(self, call: Call[VoyageSettings]) -> dict[str, str]:
        return REQUEST_SOURCE

    def payload(self, call: Call[VoyageSettings]) -> dict[str, Any]:
        settings = call.settings
        return {**self.inputs(call), "model": settings.model_id} | given(
            input_type=self.input_type_of(call),
            truncation=call.task_settings.truncation,
            output_dimension=settings.dimensions,
            output_dtype=SENT_TYPES[element_type_of(settings)],
        )

    def inputs(self, call: Call[VoyageSettings]) -> dict[str, Any]:
        return {"input": call.texts}


class EmbedContents(Embed, MultimodalEmbedding[VoyageSettings]):
    """A text or an image in each input."""

    def url(self, settings: VoyageSettings) -> str:
        return MULTIMODAL_URL if settings.multimodal_model else EMBEDDINGS_URL

    def inputs(self, call: Call[VoyageSettings]) -> dict[str, Any]:
        if not is_multimodal(call):
            return super().inputs(call)
        return {"inputs": [{"content": [sent(content)]} for content in contents_of(call)]}


def sent(content: Content) -> dict[str, str]:
    kind = "image_base64" if content.type == "image" else content.type
    return {"type": kind, kind: content.value}


class RankedRow(Received):
    index: int
    relevance_score: float
    document: str | None = None


class RerankReply(Received):
    data: list[RankedRow]


class Rerank(Task[VoyageSettings, RerankReply]):
    task_settings = VoyageRerankSettings
    reply = RerankReply
    requests_per_minute = 2000
    input_types = Embed.input_types
    retried = RETRIED
    own_categories = VALIDATED

    def build(self, call: Call[VoyageSettings]) -> httpx.Request:
        body = {
            "model": call.settings.model_id,
            "query": call.input.query,
            "documents": call.texts,
            **given(
                return_documents=call.return_documents,
                top_k=call.top_n,
                truncation=call.task_settings.truncation,
            ),
        }
        return post(RERANK_URL, body, REQUEST_SOURCE)

    def parse(self, reply: RerankReply, call: Call[VoyageSettings]) -> Ranking:
        rows = ((row.index, row.relevance_score, row.document) for row in reply.data)
        return ranking(rows, call)


class VoyageAI(TypedVectors):
    name, label = "voyageai", "Voyage AI"
    settings = VoyageSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        TaskType.EMBEDDING: EmbedContents(),
        TaskType.RERANK: Rerank(),
    }
    rate_limit_group = ("api_key",)
    bit_similarity = "dot_product"
    not_in_vectors = TypedVectors.not_in_vectors | {"max_input_tokens"}

    def auth(self, settings: VoyageSettings) -> Auth:
        return bearer(settings.api_key)

    def told(self, reply: Reply) -> ProviderError:
        return detail_of(reply)
