"""Plays Anthropic."""

from collections.abc import Mapping
from typing import Any

import orjson

from inference.sandbox import anthropic_shape
from inference.sandbox.provider import (
    Asked,
    Handler,
    Provider,
    Refused,
    Told,
    check_token,
    json_told,
    read,
)


class Body(anthropic_shape.MessagesBody):
    model: str


class AnthropicSandbox(Provider):
    name = "anthropic"
    origins = ("https://api.anthropic.com",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {("POST", "/v1/messages"): self.chat, ("GET", "/v1/models"): self.models}

    def check_key(self, asked: Asked) -> None:
        check_token(asked.headers.get("x-api-key", ""))
        if asked.headers.get("anthropic-version") != "2023-06-01":
            raise Refused(400, "anthropic-version: header is required")

    def chat(self, asked: Asked) -> Told:
        body = read(Body, asked)
        return anthropic_shape.answer(body, body.model)

    def models(self, asked: Asked) -> Told:
        names = ("claude-opus", "claude-sonnet")
        models = [{"type": "model", "id": name, "display_name": name} for name in names]
        return json_told({"data": models, "has_more": False})

    def refusal(self, refused: Refused) -> Any:
        return anthropic_shape.refusal_body(refused)

    def broken_stream(self, refused: Refused) -> bytes:
        return b"event: error\ndata: %s\n\n" % orjson.dumps(self.refusal(refused))
