"""Calls of SageMaker endpoints, which speak OpenAI's API or Elasticsearch's own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Generic
from urllib.parse import quote

import httpx
from pydantic import ConfigDict, ValidationError

from inference.services.aws_shape import JSON, read_frames
from inference.services.calls import Call, given, post
from inference.services.openai_chat import ChatReply, OpenAIChat
from inference.services.openai_vectors import EmbeddingReply, OpenAIEmbedding
from inference.services.remote import ReplyT, Task
from inference.services.replies import Received, embeddings, first_problem, ranking, sparse
from inference.services.sagemaker_settings import (
    ElasticTaskSettings,
    HeaderSettings,
    OpenAITaskSettings,
    SageMakerSettings,
)
from inference.services.settings import Settings
from inference.types import (
    Completions,
    ElementType,
    InferenceResult,
    InputType,
    SparseEmbeddings,
    TextEmbeddings,
    Truncation,
)
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError
from inference.upstream.sse import ServerEvent, read_events

PREFIX = "X-Amzn-SageMaker-"
PART = "PayloadPart"
ERROR = "Received an error from SageMaker"
# What a reply's headers are called for the caller.
TOLD_HEADERS = {
    f"{PREFIX}Custom-Attributes": "X-elastic-sagemaker-custom-attributes",
    f"{PREFIX}New-Session-Id": "X-elastic-sagemaker-new-session-id",
    f"{PREFIX}Closed-Session-Id": "X-elastic-sagemaker-closed-session-id",
}


class Invocation(Task[SageMakerSettings, ReplyT], Generic[ReplyT]):
    """What all calls of SageMaker endpoints have in common."""

    task_settings: ClassVar[type[Settings]] = ElasticTaskSettings
    retried = frozenset({429, 500, 503, 530})
    is_cut = False
    input_types = None
    malformed_status = 500
    own_statuses: ClassVar[Mapping[int, int]] = {500: 500, 503: 503, 530: 500}
    own_categories: ClassVar[Mapping[int, str]] = {
        400: "Received a validation error from SageMaker",
        401: ERROR,
        403: ERROR,
        404: ERROR,
        424: "Received a model error from SageMaker",
        429: "Received a model not ready error from SageMaker",
        500: "Received an internal failure from SageMaker",
        503: "SageMaker is unavailable",
        530: "Received an internal dependency error from SageMaker",
    }

    def is_too_large(self, reply: Reply, told: ProviderError) -> bool:
        return False

    def read(self, reply: Reply, call: Call[SageMakerSettings]) -> InferenceResult:
        told = {
            shown: reply.headers[name]
            for name, shown in TOLD_HEADERS.items()
            if name in reply.headers
        }
        return replace(super().read(reply, call), headers=told)


def invoke(call: Call[SageMakerSettings], payload: Any) -> httpx.Request:
    """The request, whole or for a stream, with what its headers tell."""
    settings, own = call.settings, call.task_settings
    action = "invocations-response-stream" if call.is_stream else "invocations"
    name = quote(settings.endpoint_name, safe="")
    url = f"https://runtime.sagemaker.{settings.region}.amazonaws.com/endpoints/{name}/{action}"
    headers = {f"{PREFIX}Accept": "application/json"} if call.is_stream else JSON
    return post(url, payload, headers | headers_of(settings, own, is_stream=call.is_stream))


def headers_of(
    settings: SageMakerSettings, own: HeaderSettings, *, is_stream: bool
) -> dict[str, str]:
    told = {
        "Target-Container-Hostname": settings.target_container_hostname,
        "Inference-Component": settings.inference_component_name,
        "Custom-Attributes": own.custom_attributes,
        "Inference-Id": own.inference_id,
        "Session-Id": own.session_id,
        "Target-Variant": own.target_variant,
    }
    if not is_stream:
        told |= {
            "Target-Model": settings.target_model,
            "Enable-Explanations": own.enable_explanations,
        }
    return {f"{PREFIX}{name}": value for name, value in told.items() if value is not None}


def parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    return (frame.payload for frame in read_frames(pieces, {}) if frame.name == PART)


def one_or_all(texts: tuple[str, ...]) -> str | tuple[str, ...]:
    return texts[0] if len(texts) == 1 else texts


# ---------------------------------------------------------------------- OpenAI's API


class OpenAIEmbed(Invocation[EmbeddingReply], OpenAIEmbedding[SageMakerSettings]):
    task_settings = OpenAITaskSettings

    def build(self, call: Call[SageMakerSettings]) -> httpx.Request:
        body = {"input": one_or_all(call.texts)}
        return invoke(
            call,
            body
            | given(
                query=call.input.query,
                user=call.task_settings.user,
                dimensions=call.settings.dimensions,
            ),
        )


class OpenAIAnswer(Invocation[ChatReply], OpenAIChat[SageMakerSettings]):
    """A chat or a completion. An event may be cut anywhere between the parts of a stream."""

    task_settings: ClassVar[type[Settings]] = OpenAITaskSettings

    def extras(self, call: Call[SageMakerSettings]) -> dict[str, Any]:
        return given(user=call.task_settings.user)

    def build(self, call: Call[SageMakerSettings]) -> httpx.Request:
        return invoke(call, self.payload(call))

    def events(self, pieces: Iterable[bytes]) -> Iterator[ServerEvent]:
        return read_events(parts(pieces))


# ---------------------------------------------------------------------- Elasticsearch's own


class Exact(Received):
    """An answer in Elasticsearch's format: with nothing more than that."""

    model_config = ConfigDict(extra="forbid")


def elastic_body(call: Call[SageMakerSettings], **more: Any) -> dict[str, Any]:
    named = call.input.input_type
    return {"input": one_or_all(call.texts)} | given(
        input_type=None if named == InputType.UNSPECIFIED else named,
        query=call.input.query,
        **more,
        task_settings=getattr(call.task_settings, "more", None),
    )


class Row(Exact):
    embedding: list[float]


class EmbedReply(Exact):
    """One of them, by the type of the elements."""

    text_embedding: list[Row] | None = None
    text_embedding_bytes: list[Row] | None = None
    text_embedding_bits: list[Row] | None = None

    def rows(self, element: ElementType) -> list[Row]:
        """Raises ValueError where others were sent."""
        suffix = {ElementType.BYTE: "_bytes", ElementType.BIT: "_bits"}.get(element, "")
        name = f"text_embedding{suffix}"
        found: list[Row] | None = getattr(self, name)
        if found is None or self.model_fields_set != {name}:
            raise ValueError(f"it does not hold [{name}] alone")
        return found


class ElasticEmbed(Invocation[EmbedReply]):
    reply = EmbedReply

    def build(self, call: Call[SageMakerSettings]) -> httpx.Request:
        return invoke(call, elastic_body(call))

    def parse(self, reply: EmbedReply, call: Call[SageMakerSettings]) -> TextEmbeddings:
        element = call.settings.element
        return embeddings([row.embedding for row in reply.rows(element)], call, element)


class SparseRow(Exact):
    is_truncated: bool
    embedding: dict[str, float]


class SparseReply(Exact):
    sparse_embedding: list[SparseRow]


class ElasticSparse(Invocation[SparseReply]):
    reply = SparseReply

    def build(self, call: Call[SageMakerSettings]) -> httpx.Request:
        return invoke(call, elastic_body(call))

    def parse(self, reply: SparseReply, call: Call[SageMakerSettings]) -> SparseEmbeddings:
        sent = reply.sparse_embedding
        found = sparse((row.embedding for row in sent), call)
        cut = Truncation(read_tokens=0, lost_tokens=1, is_exact=False)
        return SparseEmbeddings(
            tuple(
                replace(row, truncation=cut) if told.is_truncated else row
                for row, told in zip(found.rows, sent, strict=True)
            )
        )


class Ranked(Exact):
    index: int
    relevance_score: float
    text: str | None = None


class RankReply(Exact):
    rerank: list[Ranked]


class ElasticRerank(Invocation[RankReply]):
    reply = RankReply

    def build(self, call: Call[SageMakerSettings]) -> httpx.Request:
        wished = call.input
        body = elastic_body(call, return_documents=wished.return_documents, top_n=wished.top_n)
        return invoke(call, body)

    def parse(self, reply: RankReply, call: Call[SageMakerSettings]) -> InferenceResult:
        return ranking(((one.index, one.relevance_score, one.text) for one in reply.rerank), call)


class Written(Exact):
    result: str


class CompletionReply(Exact):
    completion: list[Written]


class Piece(Exact):
    delta: str


class CompletionPart(Exact):
    completion: list[Piece] | Piece


class ElasticCompletion(Invocation[CompletionReply]):
    reply = CompletionReply
    can_stream = True

    def build(self, call: Call[SageMakerSettings]) -> httpx.Request:
        return invoke(call, elastic_body(call))

    def parse(self, reply: CompletionReply, call: Call[SageMakerSettings]) -> InferenceResult:
        return Completions(tuple(written.result for written in reply.completion))

    def events(self, pieces: Iterable[bytes]) -> Iterator[ServerEvent]:
        """Each part is a whole object."""
        return (ServerEvent(part.decode()) for part in parts(pieces))

    def chunks(
        self, events: Iterator[ServerEvent], call: Call[SageMakerSettings]
    ) -> Iterator[dict[str, Any]]:
        for event in events:
            try:
                told = CompletionPart.model_validate_json(event.data).completion
            except ValidationError as exc:
                raise ValueError(first_problem(exc)) from None
            pieces = told if isinstance(told, list) else [told]
            yield {"completion": [{"delta": piece.delta} for piece in pieces]}


class ElasticChat(OpenAIAnswer):
    """A chat has OpenAI's shape here, too; each part of a stream is one of its chunks."""

    task_settings = ElasticTaskSettings

    def extras(self, call: Call[SageMakerSettings]) -> dict[str, Any]:
        return {}

    def events(self, pieces: Iterable[bytes]) -> Iterator[ServerEvent]:
        return (ServerEvent(part.decode()) for part in parts(pieces))
