"""Plays OpenShift AI: models that are served each at an address of its own."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.openai_shape import OpenAIShapedSandbox, StreamOptions
from inference.sandbox.provider import Asked, Handler, Strict, Told, json_told, read


class EmbeddingBody(Strict):
    input: list[str] = Field(min_length=1)
    model: str | None = None
    dimensions: int | None = Field(default=None, ge=1)


class ChatBody(Strict):
    messages: list[dict[str, Any]] = Field(min_length=1)
    model: str | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    n: int | None = None
    stop: list[str] | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None


class RankBody(Strict):
    model: str | None = None
    query: str
    documents: list[str] = Field(min_length=1)
    top_n: int | None = Field(default=None, ge=1)
    return_documents: bool = False


class OpenShiftAISandbox(OpenAIShapedSandbox):
    name = "openshift_ai"
    origins = ("https://*.apps.openshift.sandbox.test",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/embeddings"): self.embed,
            ("POST", "/v1/chat/completions"): self.chat,
            ("POST", "/v1/rerank"): self.rank,
        }

    def embed(self, asked: Asked) -> Told:
        return self.embeddings(read(EmbeddingBody, asked))

    def chat(self, asked: Asked) -> Told:
        return self.answer(read(ChatBody, asked))

    def rank(self, asked: Asked) -> Told:
        body = read(RankBody, asked)
        results = [
            {"index": index, "relevance_score": score}
            | ({"document": {"text": body.documents[index]}} if body.return_documents else {})
            for index, score in made_up.scores(body.query, body.documents)[: body.top_n]
        ]
        return json_told({"id": "rerank-sandbox", "results": results})
