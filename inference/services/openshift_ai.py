"""OpenShift AI: models that somebody serves, each at an address of its own."""

from typing import Any

import httpx

from inference.services.documents import SentDocument, document_text
from inference.services.openai_shape import OpenAIChat, OpenAIEmbedding, OpenAIShaped, Received
from inference.services.remote import CHATS, Call, RemoteSettings, Task, given, post
from inference.services.replies import ranking
from inference.services.settings import PositiveInt, Secret, Similarity, Text, Url, setting
from inference.services.task_settings import RerankTaskSettings
from inference.types import Ranking, TaskType
from inference.upstream.auth import Auth, bearer

EMBEDDING = (TaskType.TEXT_EMBEDDING,)
REQUESTS_PER_MINUTE = 3000


class OpenShiftSettings(RemoteSettings):
    """url: of the request itself. model_id: may be left out where one model is served."""

    api_key: Secret = setting("API Key", "The token of the model.", sensitive=True, updatable=True)
    url: Url = setting("URL", "The address of the model.")
    model_id: Text | None = setting("Model ID", "The name of the model to use.", default=None)
    dimensions: PositiveInt | None = setting(
        "Dimensions", "The length of the vectors.", tasks=EMBEDDING, default=None
    )
    similarity: Similarity | None = setting(
        "Similarity", "How vectors are compared.", tasks=EMBEDDING, default=None
    )
    max_input_tokens: PositiveInt | None = setting(
        "Maximum Input Tokens", "Longer inputs are cut.", updatable=True, tasks=EMBEDDING,
        default=None,
    )  # fmt: skip


class RankedRow(Received):
    index: int
    relevance_score: float
    document: SentDocument | str | None = None


class RerankReply(Received):
    results: list[RankedRow]


class Embed(OpenAIEmbedding[OpenShiftSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE

    def url(self, settings: OpenShiftSettings) -> str:
        return settings.url

    def payload(self, call: Call[OpenShiftSettings]) -> dict[str, Any]:
        settings = call.settings
        optional = given(model=settings.model_id, dimensions=settings.dimensions)
        return {"input": call.texts} | optional


class Chat(OpenAIChat[OpenShiftSettings]):
    requests_per_minute = REQUESTS_PER_MINUTE
    called = "OpenShift AI completions"
    limit_field = "max_tokens"

    def url(self, settings: OpenShiftSettings) -> str:
        return settings.url


class Rerank(Task[OpenShiftSettings, RerankReply]):
    task_settings = RerankTaskSettings
    reply = RerankReply
    requests_per_minute = REQUESTS_PER_MINUTE
    retried = frozenset({429, 500})

    def build(self, call: Call[OpenShiftSettings]) -> httpx.Request:
        body = given(
            model=call.settings.model_id,
            query=call.input.query,
            documents=call.texts,
            top_n=call.top_n,
            return_documents=call.return_documents,
        )
        return post(call.settings.url, body)

    def parse(self, reply: RerankReply, call: Call[OpenShiftSettings]) -> Ranking:
        rows = (
            (row.index, row.relevance_score, document_text(row.document)) for row in reply.results
        )
        return ranking(rows, call)


class OpenShiftAI(OpenAIShaped):
    name, label = "openshift_ai", "OpenShift AI"
    settings = OpenShiftSettings
    tasks = {  # noqa: RUF012 - as in OpenAI
        TaskType.TEXT_EMBEDDING: Embed(),
        **dict.fromkeys(CHATS, Chat()),
        TaskType.RERANK: Rerank(),
    }
    rate_limit_group = ("url", "model_id", "api_key")
    not_in_vectors = OpenAIShaped.not_in_vectors | {"max_input_tokens"}

    def auth(self, settings: OpenShiftSettings) -> Auth:
        return bearer(settings.api_key)
