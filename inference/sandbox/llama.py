"""Plays a Llama Stack server."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.openai_shape import OlderChatBody, OpenAIShapedSandbox
from inference.sandbox.provider import (
    Asked,
    Handler,
    Refused,
    Strict,
    Told,
    check_token,
    json_told,
    read,
)


class EmbeddingBody(Strict):
    model_id: str
    contents: list[str] = Field(min_length=1)


class LlamaSandbox(OpenAIShapedSandbox):
    """Lets in who has no key: such a server often asks for none."""

    name = "llama"
    origins = ("https://llama.sandbox.test",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/inference/embeddings"): self.embed,
            ("POST", "/v1/openai/v1/chat/completions"): self.chat,
        }

    def check_key(self, asked: Asked) -> None:
        if "authorization" in asked.headers:
            check_token(asked.bearer)

    def embed(self, asked: Asked) -> Told:
        body = read(EmbeddingBody, asked)
        return json_told({"embeddings": [made_up.vector(text) for text in body.contents]})

    def chat(self, asked: Asked) -> Told:
        return self.answer(read(OlderChatBody, asked))

    def refusal(self, refused: Refused) -> Any:
        return {"error": {"message": f"{refused.status}: {refused.message}"}}
