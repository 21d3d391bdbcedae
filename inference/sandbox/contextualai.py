"""Plays Contextual AI."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.provider import (
    Asked,
    Handler,
    Provider,
    Refused,
    Strict,
    Told,
    json_told,
    read,
)


class RerankBody(Strict):
    query: str = Field(min_length=1)
    documents: list[str] = Field(min_length=1)
    model: str
    top_n: int | None = Field(default=None, ge=1)
    instruction: str | None = None
    metadata: list[str] | None = None


class ContextualSandbox(Provider):
    name = "contextualai"
    origins = ("https://api.contextual.ai",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {("POST", "/v1/rerank"): self.rerank}

    def refusal(self, refused: Refused) -> Any:
        if refused.status == 422:
            return {"detail": [{"loc": ["body"], "msg": refused.message, "type": "value_error"}]}
        return {"detail": refused.message}

    def rerank(self, asked: Asked) -> Told:
        body = read(RerankBody, asked, 422)
        ranked = made_up.scores(body.query, body.documents)[: body.top_n]
        return json_told(
            {"results": [{"index": index, "relevance_score": score} for index, score in ranked]}
        )
