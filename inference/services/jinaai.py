"""Jina AI."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import httpx

from inference.services.calls import REQUEST_SOURCE, Call, given, post
from inference.services.documents import RerankDocuments
from inference.services.refusals import VALIDATED, detail_of
from inference.services.remote import VECTORS
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
    setting,
)
from inference.services.vectors import (
    SENT_TYPES,
    AnyInputType,
    MultimodalEmbedding,
    PlainEmbedding,
    TypedVectors,
    contents_of,
    element_type_of,
    input_type_setting,
    is_multimodal,
)
from inference.types import Content, InputType, TaskType
from inference.upstream.auth import Auth, bearer
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

EMBEDDINGS_URL = "https://api.jina.ai/v1/embeddings"
RERANK_URL = "https://api.jina.ai/v1/rerank"
# It knows one task alone.
CLIP = "jina-clip-v2"
# More than that cannot be embedded together.
MOST_LATE_WORDS = 5500
RETRIED = frozenset({429, 500})


class JinaSettings(RemoteSettings):
    api_key: Secret = setting("API Key", "The Jina AI API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use.")
    similarity: Similarity | None = similarity_setting(VECTORS)
    dimensions: PositiveInt | None = dimensions_setting(VECTORS)
    embedding_type: Annotated[Literal["float", "bit", "binary"], FOLDED] | None = setting(
        "Embedding Type", "What the vectors are made of.", tasks=VECTORS, suggested="float",
        default=None,
    )  # fmt: skip
    max_input_tokens: PositiveInt | None = max_input_tokens_setting(VECTORS, is_cut=False)
    multimodal_model: bool | None = setting(
        "Multimodal Model", "Whether the model takes images, too.",
        tasks=(TaskType.EMBEDDING,), suggested=True, default=None,
    )  # fmt: skip


class EmbedSettings(Settings):
    input_type: AnyInputType | None = input_type_setting()
    late_chunking: bool | None = setting(
        "Late Chunking", "Whether the texts of a call are read as one document.", updatable=True,
        default=None,
    )  # fmt: skip


class Embed(PlainEmbedding[JinaSettings]):
    task_settings = EmbedSettings
    requests_per_minute = 2000
    input_types: ClassVar = {
        InputType.INGEST: "retrieval.passage",
        InputType.SEARCH: "retrieval.query",
        InputType.CLASSIFICATION: "classification",
        InputType.CLUSTERING: "separation",
    }
    retried = RETRIED
    own_categories = VALIDATED

    def url(self, settings: JinaSettings) -> str:
        return EMBEDDINGS_URL

    def headers(self, call: Call[JinaSettings]) -> dict[str, str]:
        return REQUEST_SOURCE

    def payload(self, call: Call[JinaSettings]) -> dict[str, Any]:
        settings = call.settings
        return {
            "input": self.inputs(call),
            "model": settings.model_id,
            "embedding_type": SENT_TYPES[element_type_of(settings)],
        } | given(
            task=self.input_type_of(call),
            late_chunking=call.task_settings.late_chunking and can_chunk_late(call),
            dimensions=settings.dimensions,
        )

    def inputs(self, call: Call[JinaSettings]) -> Any:
        return call.texts

    def input_type_of(self, call: Call[JinaSettings]) -> str | None:
        if call.settings.model_id.lower() == CLIP and call.input_type != InputType.SEARCH:
            return None
        return super().input_type_of(call)


def can_chunk_late(call: Call[JinaSettings]) -> bool:
    """Whether the inputs of a call are texts alone, and few enough words to be read as one."""
    words = sum(len(text.split()) for text in call.texts)
    return not call.input.contents and words <= MOST_LATE_WORDS


class EmbedContents(Embed, MultimodalEmbedding[JinaSettings]):
    """A text or an image in each input."""

    def inputs(self, call: Call[JinaSettings]) -> Any:
        if not is_multimodal(call):
            return call.texts
        return [sent(content) for content in contents_of(call)]


def sent(content: Content) -> dict[str, str]:
    return {content.type: content.value}


class Rerank(RerankDocuments[JinaSettings]):
    requests_per_minute = 2000
    input_types = Embed.input_types
    retried = RETRIED
    own_categories = VALIDATED

    def build(self, call: Call[JinaSettings]) -> httpx.Request:
        body = {
            "model": call.settings.model_id,
            "query": call.input.query,
            "documents": call.texts,
            **given(top_n=call.top_n, return_documents=call.return_documents),
        }
        return post(RERANK_URL, body, REQUEST_SOURCE)


class JinaAI(TypedVectors):
    name, label = "jinaai", "Jina AI"
    settings = JinaSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        TaskType.EMBEDDING: EmbedContents(),
        TaskType.RERANK: Rerank(),
    }
    rate_limit_group = ("api_key",)
    not_in_vectors = TypedVectors.not_in_vectors | {"max_input_tokens"}

    def auth(self, settings: JinaSettings) -> Auth:
        return bearer(settings.api_key)

    def mixes_inputs(self, task_settings: Mapping[str, Any]) -> bool:
        return bool(task_settings.get("late_chunking"))

    def told(self, reply: Reply) -> ProviderError:
        return detail_of(reply)
