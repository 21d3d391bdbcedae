"""Plays NVIDIA."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.openai_shape import OlderChatBody, OpenAIShapedSandbox, models_told
from inference.sandbox.provider import Asked, Handler, Refused, Strict, Told, json_told, read

MOST_PASSAGES = 512


class EmbeddingBody(Strict):
    input: list[str] = Field(min_length=1)
    model: str
    input_type: Literal["passage", "query"]
    truncate: Literal["NONE", "START", "END"] = "NONE"


class TextBody(Strict):
    text: str


class RerankBody(Strict):
    model: str
    query: TextBody
    passages: list[TextBody] = Field(min_length=1, max_length=MOST_PASSAGES)
    truncate: Literal["NONE", "END"] | None = None


class NvidiaSandbox(OpenAIShapedSandbox):
    name = "nvidia"
    origins = ("https://integrate.api.nvidia.com", "https://ai.api.nvidia.com")

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/embeddings"): self.embed,
            ("POST", "/v1/chat/completions"): self.chat,
            ("POST", "/v1/retrieval/nvidia/reranking"): self.rerank,
            ("GET", "/v1/models"): self.models,
        }

    def refusal(self, refused: Refused) -> Any:
        known = refused.status in list(HTTPStatus)
        title = HTTPStatus(refused.status).phrase if known else "Error"
        return {"status": refused.status, "title": title, "detail": refused.message}

    def embed(self, asked: Asked) -> Told:
        return self.embeddings(read(EmbeddingBody, asked, 422))

    def chat(self, asked: Asked) -> Told:
        return self.answer(read(OlderChatBody, asked, 422))

    def rerank(self, asked: Asked) -> Told:
        body = read(RerankBody, asked, 422)
        ranked = made_up.scores(body.query.text, [passage.text for passage in body.passages])
        return json_told({"rankings": [{"index": n, "logit": score} for n, score in ranked]})

    def models(self, asked: Asked) -> Told:
        return models_told("microsoft/phi-3-mini-128k-instruct", "nvidia/nv-embedqa-1b-v2")
