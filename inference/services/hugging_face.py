"""Models behind Hugging Face's Inference Endpoints."""

from dataclasses import replace
from typing import ClassVar, Generic

import httpx
from pydantic import RootModel, ValidationError

from inference.errors import InvalidSettings
from inference.services.calls import Call, given, post
from inference.services.openai_chat import OpenAIChat
from inference.services.openai_errors import OpenAIShaped, openai_error
from inference.services.remote import CHATS, ReplyT, Task
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.replies import RECEIVED, Received, embeddings, ranking, sparse
from inference.services.settings import (
    PositiveInt,
    Secret,
    Similarity,
    Text,
    Url,
    setting,
)
from inference.services.task_settings import RerankTaskSettings
from inference.types import Ranking, SparseEmbeddings, TaskType, TextEmbeddings
from inference.upstream.auth import Auth, bearer
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

REQUESTS_PER_MINUTE = 3000
CHAT_PATH = "/v1/chat/completions"
CUT = (TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING)
RATE_LIMIT = "Received a rate limit status code"


class HuggingFaceSettings(RemoteSettings):
    """url: of the request itself. dimensions: told by whoever knows; no length is asked for."""

    api_key: Secret = setting(
        "API Key", "A Hugging Face access token.", sensitive=True, updatable=True
    )
    url: Url = setting(
        "URL", "The address of the endpoint; for chats with /v1/chat/completions at its end."
    )
    model_id: Text | None = setting(
        "Model ID", "The model, where the endpoint has several.", tasks=CHATS, default=None
    )
    max_input_tokens: PositiveInt | None = max_input_tokens_setting(CUT)
    dimensions: PositiveInt | None = dimensions_setting()
    similarity: Similarity | None = similarity_setting()


class Vectors(Received):
    embeddings: list[list[float]]


class VectorsReply(RootModel[list[list[float]] | Vectors]):
    """Vectors alone, or under their name."""

    model_config = RECEIVED

    @property
    def rows(self) -> list[list[float]]:
        return self.root.embeddings if isinstance(self.root, Vectors) else self.root


class WeightsReply(RootModel[list[dict[str, float]]]):
    model_config = RECEIVED


class RankedRow(Received):
    index: int
    score: float
    text: str | None = None


class RankedReply(RootModel[list[RankedRow]]):
    model_config = RECEIVED


class Pipeline(Task[HuggingFaceSettings, ReplyT], Generic[ReplyT]):
    """A task that is no chat. Asleep and overloaded are said in several ways, all for a while."""

    requests_per_minute = REQUESTS_PER_MINUTE
    retried = frozenset({429, 502, 503})
    own_categories = dict.fromkeys(retried, RATE_LIMIT)

    def is_too_large(self, reply: Reply, told: ProviderError) -> bool:
        return reply.status == 413


class Inputs(Pipeline[ReplyT], Generic[ReplyT]):
    is_cut = True

    def build(self, call: Call[HuggingFaceSettings]) -> httpx.Request:
        return post(call.settings.url, {"inputs": call.texts})


class Embed(Inputs[VectorsReply]):
    reply = VectorsReply

    def parse(self, reply: VectorsReply, call: Call[HuggingFaceSettings]) -> TextEmbeddings:
        return embeddings(reply.rows, call)


class EmbedSparsely(Inputs[WeightsReply]):
    reply = WeightsReply

    def parse(self, reply: WeightsReply, call: Call[HuggingFaceSettings]) -> SparseEmbeddings:
        return sparse(reply.root, call)


class Rerank(Pipeline[RankedReply]):
    task_settings = RerankTaskSettings
    reply = RankedReply

    def build(self, call: Call[HuggingFaceSettings]) -> httpx.Request:
        body = {"texts": call.texts, "query": call.input.query}
        return post(
            call.settings.url, body | given(return_text=call.return_documents, top_n=call.top_n)
        )

    def parse(self, reply: RankedReply, call: Call[HuggingFaceSettings]) -> Ranking:
        rows = ((row.index, row.score, row.text) for row in reply.root)
        return ranking(rows, call, is_sorted=False)


class Chat(OpenAIChat[HuggingFaceSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE
    limit_field = "max_tokens"
    ends_with_done = True

    def url(self, settings: HuggingFaceSettings) -> str:
        return settings.url

    def error(self, body: bytes) -> ProviderError:
        return hugging_face_error(body)


class InnerError(Received):
    http_status_code: int


class CodedError(Received):
    error: InnerError


def hugging_face_error(body: bytes) -> ProviderError:
    """A failure as either server tells it; the one for texts calls its status differently."""
    told = openai_error(body)
    try:
        status = CodedError.model_validate_json(body).error.http_status_code
    except ValidationError:
        return told
    return replace(told, code=told.code or str(status))


class HuggingFace(OpenAIShaped):
    name, label = "hugging_face", "Hugging Face"
    settings = HuggingFaceSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        TaskType.SPARSE_EMBEDDING: EmbedSparsely(),
        TaskType.RERANK: Rerank(),
        **dict.fromkeys(CHATS, Chat()),
    }
    rate_limit_group = ("url", "api_key")
    default_similarity = "cosine"
    error_type = "hugging_face_error"
    not_in_vectors = OpenAIShaped.not_in_vectors | {"max_input_tokens", "dimensions"}

    def auth(self, settings: HuggingFaceSettings) -> Auth:
        return bearer(settings.api_key)

    def suffix(self, reply: Reply) -> str:
        return ""

    def error(self, body: bytes) -> ProviderError:
        return hugging_face_error(body)

    def check_settings(self, task_type: TaskType, settings: HuggingFaceSettings) -> None:
        if task_type in CHATS and CHAT_PATH not in settings.url:
            raise InvalidSettings(
                [
                    f"[service_settings] Invalid url [{settings.url}] received for field [url]. "
                    f"For [{task_type}] it must contain [{CHAT_PATH}]"
                ]
            )
