"""Plays Amazon SageMaker: an endpoint's name says what it speaks.

`elastic-embeddings`, `-bytes`, `-bits`, `-sparse`, `-rerank`, `-completion` and `-chat` speak
Elasticsearch's own format, any other name OpenAI's API.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import orjson
from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.aws_shape import (
    AwsSandbox,
    aws_refusal,
    event_frame,
    exception_frame,
    stream_told,
)
from inference.sandbox.openai_shape import ChatBody, EmbeddingBody, OpenAIShapedSandbox
from inference.sandbox.provider import (
    Asked,
    BodyT,
    Handler,
    Refused,
    Strict,
    Told,
    json_told,
    read,
)

PREFIX = "x-amzn-sagemaker-"
NEW_SESSION = "NEW_SESSION"
PATH = re.compile(r"/endpoints/(?P<name>[a-zA-Z0-9-]{1,63})/invocations(-response-stream)?")


class OpenAIEmbedding(EmbeddingBody):
    model: None = None  # type: ignore[assignment]
    query: str | None = None


class OpenAIChat(ChatBody):
    model: str | None = None  # type: ignore[assignment]


class ElasticBody(Strict):
    input: str | list[str] = Field(min_length=1)
    input_type: str | None = Field(
        default=None, pattern="^(ingest|search|classification|clustering)$"
    )
    query: str | None = None
    return_documents: bool | None = None
    top_n: int | None = Field(default=None, ge=1)
    task_settings: dict[str, Any] | None = None

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


class AmazonSageMakerSandbox(AwsSandbox):
    name = "amazon_sagemaker"
    signing_name = "sagemaker"
    origins = tuple(
        f"https://runtime.sagemaker.{region}.amazonaws.com"
        for region in ("us-east-1", "us-west-2", "eu-central-1")
    )

    def __init__(self) -> None:
        self._openai = OpenAIShapedSandbox()

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", r"/endpoints/[a-zA-Z0-9-]+/invocations"): self.invoke,
            ("POST", r"/endpoints/[a-zA-Z0-9-]+/invocations-response-stream"): self.stream,
        }

    def refusal(self, refused: Refused) -> Any:
        return {"Message": refused.message}

    def broken_stream(self, refused: Refused) -> bytes:
        return exception_frame("InternalStreamFailure", refused.message)

    def invoke(self, asked: Asked) -> Told:
        told = self.answer(asked, is_stream=False)
        echoed = {}
        if attributes := asked.headers.get(f"{PREFIX}custom-attributes"):
            echoed[f"{PREFIX}custom-attributes"] = attributes
        if asked.headers.get(f"{PREFIX}session-id") == NEW_SESSION:
            echoed[f"{PREFIX}new-session-id"] = "sandbox; Expires=2030-01-01T00:00:00Z"
        return replace(told, headers=echoed)

    def stream(self, asked: Asked) -> Told:
        for name in ("target-model", "enable-explanations"):
            if f"{PREFIX}{name}" in asked.headers:
                raise aws_refusal(400, "ValidationError", f"No {name} with a stream")
        told = self.answer(asked, is_stream=True)
        if isinstance(told.content, bytes):
            raise aws_refusal(424, "ModelError", "The model did not stream")
        return stream_told(event_frame("PayloadPart", part) for part in told.content)

    def answer(self, asked: Asked, *, is_stream: bool) -> Told:
        found = PATH.fullmatch(asked.path)
        name = found["name"] if found else ""
        if not name.startswith("elastic-"):
            return self.openai(asked)
        if name == "elastic-chat":
            told = self._openai.answer(valid(OpenAIChat, asked))
            return replace(told, content=objects_in(told.content)) if is_stream else told
        body = valid(ElasticBody, asked)
        text = made_up.reply_to(body.texts[0])
        if name == "elastic-completion" and is_stream:
            pieces = made_up.pieces_of(text)
            return Told(content=(orjson.dumps({"completion": [{"delta": p}]}) for p in pieces))
        kinds: dict[str, Callable[[ElasticBody], Any]] = {
            "elastic-embeddings": lambda body: {"text_embedding": rows(body, made_up.vector)},
            "elastic-bytes": lambda body: {"text_embedding_bytes": rows(body, made_up.byte_vector)},
            "elastic-bits": lambda body: {"text_embedding_bits": rows(body, made_up.byte_vector)},
            "elastic-sparse": lambda body: {
                "sparse_embedding": [
                    {"is_truncated": False} | row for row in rows(body, made_up.weights)
                ]
            },
            "elastic-rerank": lambda body: {"rerank": ranked(body)},
            "elastic-completion": lambda body: {"completion": [{"result": text}]},
        }
        if name not in kinds:
            raise aws_refusal(400, "ValidationError", f"Endpoint {name} not found.")
        return json_told(kinds[name](body))

    def openai(self, asked: Asked) -> Told:
        if b'"messages"' not in asked.content:
            return self._openai.embeddings(valid(OpenAIEmbedding, asked))
        told = self._openai.answer(valid(OpenAIChat, asked))
        if isinstance(told.content, bytes):
            return told
        return replace(told, content=halves(told.content))


def valid(schema: type[BodyT], asked: Asked) -> BodyT:
    try:
        return read(schema, asked)
    except Refused as exc:
        raise aws_refusal(424, "ModelError", exc.message, OriginalStatusCode=400) from None


def rows(body: ElasticBody, make: Callable[[str], Any]) -> list[dict[str, Any]]:
    return [{"embedding": make(text)} for text in body.texts]


def ranked(body: ElasticBody) -> list[dict[str, Any]]:
    if not body.query:
        raise aws_refusal(424, "ModelError", "query is required")
    return [
        {"index": n, "relevance_score": score}
        | ({"text": body.texts[n]} if body.return_documents else {})
        for n, score in made_up.scores(body.query, body.texts)[: body.top_n]
    ]


def halves(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """Parts of a stream may end anywhere."""
    for piece in pieces:
        middle = len(piece) // 2
        yield piece[:middle]
        yield piece[middle:]


def objects_in(content: bytes | Iterable[bytes]) -> Iterable[bytes]:
    """The objects in server-sent events."""
    for piece in [content] if isinstance(content, bytes) else content:
        data = piece.removeprefix(b"data: ").strip()
        if data != b"[DONE]":
            yield data
