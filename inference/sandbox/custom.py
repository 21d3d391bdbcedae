"""Plays a service of somebody's own, which the custom service describes."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.provider import (
    Asked,
    Handler,
    Provider,
    Refused,
    Strict,
    Told,
    check_token,
    json_told,
    read,
)


class TextsBody(Strict):
    texts: list[str] = Field(min_length=1)
    model: str
    mode: Literal["doc", "qry"]
    norm: bool


class SparseBody(Strict):
    input: list[str] = Field(min_length=1)
    mode: str


class RankBody(Strict):
    q: str
    docs: list[str] = Field(min_length=1)
    k: int = Field(ge=1)


class PromptMessage(Strict):
    role: Literal["user"]
    content: str


class PromptBody(Strict):
    model: str
    temperature: float = Field(ge=0, le=2)
    messages: list[PromptMessage] = Field(min_length=1, max_length=1)


class CustomSandbox(Provider):
    name = "custom"
    origins = ("https://custom.sandbox.test",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/acme/embed"): self.embed,
            ("POST", "/sparse"): self.sparse,
            ("POST", "/rank"): self.rank,
            ("POST", "/v1/complete"): self.complete,
        }

    def check_key(self, asked: Asked) -> None:
        check_token(asked.bearer or asked.headers.get("x-api-key", ""))

    def refusal(self, refused: Refused) -> Any:
        return {"detail": refused.message, "status": refused.status}

    def embed(self, asked: Asked) -> Told:
        if asked.query != {"version": "2024-06-01", "tag": "a b"}:
            raise Refused(400, "version and tag are expected in the address")
        body = read(TextsBody, asked)
        items = [{"vec": made_up.byte_vector(text)} for text in body.texts]
        return json_told({"output": {"items": items}})

    def sparse(self, asked: Asked) -> Told:
        body = read(SparseBody, asked)
        rows = [
            {"terms": [{"id": token, "w": weight} for token, weight in found.items()]}
            for found in map(made_up.weights, body.input)
        ]
        return json_told({"result": rows})

    def rank(self, asked: Asked) -> Told:
        body = read(RankBody, asked)
        ranked = made_up.scores(body.q, body.docs)[: body.k]
        return json_told({"ranked": [{"s": s, "i": i, "t": body.docs[i]} for i, s in ranked]})

    def complete(self, asked: Asked) -> Told:
        body = read(PromptBody, asked)
        reply = made_up.reply_to(body.messages[0].content)
        return json_told({"choices": [{"message": {"role": "assistant", "content": reply}}]})
