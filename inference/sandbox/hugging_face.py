"""Plays Hugging Face's servers: the one for texts, and the one for chats."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.openai_shape import ChatFields, OpenAIShapedSandbox, StreamOptions
from inference.sandbox.provider import Asked, Handler, Refused, Strict, Told, json_told, read

UNPROCESSABLE = 422
MOST_INPUTS = 32
CHAT_PATH = "/v1/chat/completions"


class InputsBody(Strict):
    inputs: list[str] = Field(min_length=1, max_length=MOST_INPUTS)


class RerankBody(Strict):
    query: str
    texts: list[str] = Field(min_length=1, max_length=MOST_INPUTS)
    return_text: bool = False
    top_n: int | None = Field(default=None, ge=1)


class ChatBody(ChatFields):
    model: str | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    stream_options: StreamOptions | None = None


class HuggingFaceSandbox(OpenAIShapedSandbox):
    """One endpoint for each task, at its own path. top_n is taken and not heeded, as there."""

    name = "hugging_face"
    origins = ("https://*.endpoints.huggingface.cloud",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/"): self.embed,
            ("POST", "/embed_sparse"): self.embed_sparsely,
            ("POST", "/rerank"): self.rerank,
            ("POST", CHAT_PATH): self.chat,
        }

    def embed(self, asked: Asked) -> Told:
        body = read(InputsBody, asked, UNPROCESSABLE)
        return json_told([made_up.vector(text) for text in body.inputs])

    def embed_sparsely(self, asked: Asked) -> Told:
        body = read(InputsBody, asked, UNPROCESSABLE)
        return json_told([made_up.weights(text) for text in body.inputs])

    def rerank(self, asked: Asked) -> Told:
        body = read(RerankBody, asked, UNPROCESSABLE)
        rows = made_up.scores(body.query, body.texts)
        return json_told(
            [
                {"index": n, "score": score} | ({"text": body.texts[n]} if body.return_text else {})
                for n, score in rows
            ]
        )

    def chat(self, asked: Asked) -> Told:
        return self.answer(read(ChatBody, asked, UNPROCESSABLE))

    def refusal(self, refused: Refused) -> Any:
        if refused.status in (401, 403):
            return {"error": refused.message}
        kind = "Validation" if refused.status == UNPROCESSABLE else "Backend"
        return {"error": refused.message, "error_type": kind}
