"""Plays Fireworks AI."""

from collections.abc import Mapping

from pydantic import Field

from inference.sandbox.openai_shape import ChatBody, OpenAIShapedSandbox, models_told
from inference.sandbox.provider import Asked, Handler, Refused, Strict, Told, read

MOST_INPUTS = 256


class EmbeddingBody(Strict):
    input: list[str] = Field(min_length=1)
    model: str
    dimensions: int | None = Field(default=None, ge=1)


class FireworksSandbox(OpenAIShapedSandbox):
    name = "fireworksai"
    origins = ("https://api.fireworks.ai", "https://fireworksai.sandbox.test")

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/inference/v1/embeddings"): self.embed,
            ("POST", "/inference/v1/chat/completions"): self.chat,
            ("GET", "/inference/v1/models"): self.models,
        }

    def embed(self, asked: Asked) -> Told:
        body = read(EmbeddingBody, asked)
        if len(body.input) > MOST_INPUTS:
            raise Refused(400, f"at most {MOST_INPUTS} inputs", type="invalid_request_error")
        return self.embeddings(body)

    def chat(self, asked: Asked) -> Told:
        return self.answer(read(ChatBody, asked))

    def models(self, asked: Asked) -> Told:
        return models_told("accounts/fireworks/models/deepseek-v3p1")
