"""AlibabaCloud AI Search."""

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

import httpx
from pydantic import AfterValidator, StrictBool, StrictStr
from pydantic_core import PydanticCustomError

from inference.errors import InvalidRequest
from inference.services.calls import Call, given, post
from inference.services.hosts import Host, origin_of
from inference.services.openai_errors import openai_error
from inference.services.refusals import PLAIN
from inference.services.remote import RemoteService, ReplyT, Task
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.replies import Received, embeddings, ranking, sparse
from inference.services.settings import (
    FOLDED,
    PositiveInt,
    Secret,
    Settings,
    Similarity,
    Text,
    setting,
)
from inference.types import (
    Completions,
    InputType,
    Ranking,
    SparseEmbeddings,
    TaskType,
    TextEmbeddings,
)
from inference.upstream.auth import Auth, bearer
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

INPUT_TYPES = {InputType.INGEST: "document", InputType.SEARCH: "query"}


def checked_schema(value: str) -> str:
    if value not in ("https", "http"):
        text = "Invalid value for [http_schema]. Must be one of [https, http]"
        raise PydanticCustomError("told", "{text}", {"text": text})
    return value


class AlibabaSettings(RemoteSettings):
    """host: bare, without a scheme."""

    api_key: Secret = setting("API Key", "The API key.", sensitive=True, updatable=True)
    service_id: Text = setting("Service ID", "The model, by the name of its service.")
    host: Host = setting("Host", "The host of the instance, as its console shows it.")
    workspace: Text = setting("Workspace", "The workspace of the instance.")
    http_schema: Annotated[StrictStr, AfterValidator(checked_schema)] | None = setting(
        "HTTP Schema", "https, or http within a network of Alibaba's.", suggested="https",
        default=None,
    )  # fmt: skip
    similarity: Similarity | None = similarity_setting()
    dimensions: PositiveInt | None = dimensions_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting(is_cut=False)


class EmbeddingSettings(Settings):
    input_type: Annotated[Literal["ingest", "search"], FOLDED] | None = setting(
        "Input Type", "What texts are for, where a call does not say it.", updatable=True,
        default=None,
    )  # fmt: skip


class SparseSettings(EmbeddingSettings):
    return_token: StrictBool | None = setting(
        "Return Token", "Whether tokens come as words, not as numbers.", updatable=True,
        default=None,
    )  # fmt: skip


class CompletionSettings(Settings):
    parameters: dict[str, Any] | None = setting(
        "Parameters", "How the model is to write: temperature, for example.", updatable=True,
        default=None,
    )  # fmt: skip


class Vector(Received):
    embedding: list[float]


class Vectors(Received):
    embeddings: list[Vector]


class EmbeddingReply(Received):
    result: Vectors


class Weight(Received):
    """token: empty where the model has a number for it but no word."""

    token_id: int
    weight: float
    token: str | None = None

    @property
    def name(self) -> str:
        return (self.token or "") if "token" in self.model_fields_set else str(self.token_id)


class SparseVector(Received):
    embedding: list[Weight]


class SparseVectors(Received):
    sparse_embeddings: list[SparseVector]


class SparseReply(Received):
    result: SparseVectors


class Score(Received):
    index: int
    score: float


class Scores(Received):
    scores: list[Score]


class RerankReply(Received):
    result: Scores


class Written(Received):
    text: str


class CompletionReply(Received):
    result: Written


class AlibabaTask(Task[AlibabaSettings, ReplyT]):
    """path: what stands before the service in the address."""

    requests_per_minute = 1000
    input_types = INPUT_TYPES
    retried = frozenset({429})
    own_categories = PLAIN
    path: ClassVar[str]

    def payload(self, call: Call[AlibabaSettings]) -> dict[str, Any]:
        raise NotImplementedError

    def build(self, call: Call[AlibabaSettings]) -> httpx.Request:
        settings = call.settings
        origin = origin_of(settings.host, settings.http_schema or "https")
        workspace, model = quote(settings.workspace, safe=""), quote(settings.service_id, safe="")
        url = f"{origin}/v3/openapi/workspaces/{workspace}/{self.path}/{model}"
        return post(url, self.payload(call))


class Embed(AlibabaTask[EmbeddingReply]):
    task_settings = EmbeddingSettings
    reply = EmbeddingReply
    path = "text-embedding"

    def payload(self, call: Call[AlibabaSettings]) -> dict[str, Any]:
        return {"input": call.texts} | given(input_type=self.input_type_of(call))

    def parse(self, reply: EmbeddingReply, call: Call[AlibabaSettings]) -> TextEmbeddings:
        return embeddings([row.embedding for row in reply.result.embeddings], call)


class SparseEmbed(AlibabaTask[SparseReply]):
    task_settings = SparseSettings
    reply = SparseReply
    path = "text-sparse-embedding"

    def payload(self, call: Call[AlibabaSettings]) -> dict[str, Any]:
        return {"input": call.texts} | given(
            input_type=self.input_type_of(call), return_token=call.task_settings.return_token
        )

    def parse(self, reply: SparseReply, call: Call[AlibabaSettings]) -> SparseEmbeddings:
        rows = (row.embedding for row in reply.result.sparse_embeddings)
        return sparse(({one.name: one.weight for one in row if is_kept(one)} for row in rows), call)


class Rerank(AlibabaTask[RerankReply]):
    reply = RerankReply
    path = "ranker"

    def payload(self, call: Call[AlibabaSettings]) -> dict[str, Any]:
        return {"query": call.input.query, "docs": call.texts}

    def parse(self, reply: RerankReply, call: Call[AlibabaSettings]) -> Ranking:
        return ranking(((row.index, row.score, None) for row in reply.result.scores), call)


class Complete(AlibabaTask[CompletionReply]):
    """The inputs are a conversation: a user's words first and last, a model's between."""

    task_settings = CompletionSettings
    reply = CompletionReply
    path = "text-generation"

    def check(self, call: Call[AlibabaSettings], label: str) -> None:
        super().check(call, label)
        if len(call.texts) % 2 == 0:
            raise InvalidRequest(
                "Alibaba's completions inputs must be an odd number. The last input is the current "
                "query, all preceding inputs are the completion history as pairs of user input and "
                "the assistant's response."
            )

    def payload(self, call: Call[AlibabaSettings]) -> dict[str, Any]:
        messages = [
            {"role": "assistant" if number % 2 else "user", "content": text}
            for number, text in enumerate(call.texts)
        ]
        return {"messages": messages} | given(parameters=call.task_settings.parameters)

    def parse(self, reply: CompletionReply, call: Call[AlibabaSettings]) -> Completions:
        return Completions((reply.result.text,))


def is_kept(one: Weight) -> bool:
    """Whether a field of an index can hold the weight."""
    return bool(one.name) and "." not in one.name and one.weight > 0


class AlibabaCloudAISearch(RemoteService):
    name, label = "alibabacloud-ai-search", "AlibabaCloud AI Search"
    settings = AlibabaSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        TaskType.SPARSE_EMBEDDING: SparseEmbed(),
        TaskType.RERANK: Rerank(),
        TaskType.COMPLETION: Complete(),
    }
    model_setting = "service_id"
    rate_limit_group = ("service_id", "host", "workspace", "http_schema")
    not_in_vectors = RemoteService.not_in_vectors | {
        "host", "workspace", "http_schema", "max_input_tokens",
    }  # fmt: skip

    def auth(self, settings: AlibabaSettings) -> Auth:
        return bearer(settings.api_key)

    def told(self, reply: Reply) -> ProviderError:
        return openai_error(reply.content)
