"""Plays Cohere, version 2 of its API."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.openai_shape import prompt_of
from inference.sandbox.provider import (
    Asked,
    Handler,
    Provider,
    Refused,
    Strict,
    Told,
    json_told,
    read,
    sse_told,
)

MOST_TEXTS = 96
MOST_DOCUMENTS = 1000


class EmbedBody(Strict):
    texts: list[str] = Field(min_length=1)
    model: str
    input_type: Literal["search_document", "search_query", "classification", "clustering"]
    embedding_types: list[Literal["float", "int8", "binary"]] = Field(min_length=1)
    truncate: Literal["NONE", "START", "END"] = "END"


class RerankBody(Strict):
    model: str
    query: str
    documents: list[str] = Field(min_length=1, max_length=MOST_DOCUMENTS)
    top_n: int | None = Field(default=None, ge=1)
    max_tokens_per_doc: int | None = None


class ChatBody(Strict):
    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool


class CohereSandbox(Provider):
    name = "cohere"
    origins = ("https://api.cohere.ai",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/v2/embed"): self.embed,
            ("POST", "/v2/rerank"): self.rerank,
            ("POST", "/v2/chat"): self.chat,
            ("GET", "/v1/models"): self.models,
        }

    def refusal(self, refused: Refused) -> Any:
        return {"id": "sandbox", "message": refused.message}

    def embed(self, asked: Asked) -> Told:
        body = read(EmbedBody, asked, 422)
        if len(body.texts) > MOST_TEXTS:
            raise Refused(
                400,
                f"invalid request: total number of texts must be at most {MOST_TEXTS} - "
                f"received {len(body.texts)}",
            )
        return json_told(
            {
                "id": "sandbox",
                "texts": body.texts,
                "embeddings": {
                    kind: [made_up.typed_vector(text, kind) for text in body.texts]
                    for kind in body.embedding_types
                },
                "meta": {"billed_units": {"input_tokens": len(body.texts)}},
                "response_type": "embeddings_by_type",
            }
        )

    def rerank(self, asked: Asked) -> Told:
        body = read(RerankBody, asked, 422)
        ranked = made_up.scores(body.query, body.documents)[: body.top_n]
        results = [{"index": index, "relevance_score": score} for index, score in ranked]
        return json_told({"id": "sandbox", "results": results, "meta": {}})

    def chat(self, asked: Asked) -> Told:
        body = read(ChatBody, asked, 422)
        prompt = prompt_of(body.messages)
        text = made_up.reply_to(prompt)
        usage = {
            "tokens": {
                "input_tokens": made_up.tokens(prompt),
                "output_tokens": made_up.tokens(text),
            }
        }
        if body.stream:
            return sse_told(events(text, usage), named=True, is_done=False)
        message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
        return json_told(
            {"id": "sandbox", "finish_reason": "COMPLETE", "message": message, "usage": usage}
        )

    def models(self, asked: Asked) -> Told:
        names = ("embed-v4.0", "command-r", "rerank-v3.5")
        return json_told({"models": [{"name": name} for name in names]})


def events(text: str, usage: Any) -> Iterator[dict[str, Any]]:
    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
    yield {"type": "message-start", "id": "sandbox", "delta": {"message": start}}
    yield content("content-start", {"type": "text", "text": ""})
    for piece in made_up.pieces_of(text):
        yield content("content-delta", {"text": piece})
    yield {"type": "content-end", "index": 0}
    yield {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}}


def content(kind: str, told: dict[str, str]) -> dict[str, Any]:
    return {"type": kind, "index": 0, "delta": {"message": {"content": told}}}
