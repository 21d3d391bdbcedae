"""Plays Mixedbread."""

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
    model: str
    query: str
    input: list[str] = Field(min_length=1)
    top_k: int | None = Field(default=None, ge=1)
    return_input: bool = False
    rank_fields: list[str] | None = None


class MixedbreadSandbox(Provider):
    name = "mixedbread"
    origins = ("https://api.mixedbread.com", "https://mixedbread.sandbox.test")

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {("POST", "/v1/reranking"): self.rerank}

    def refusal(self, refused: Refused) -> Any:
        return {"detail": refused.message}

    def rerank(self, asked: Asked) -> Told:
        body = read(RerankBody, asked, 422)
        ranked = made_up.scores(body.query, body.input)[: body.top_k]
        rows: list[dict[str, Any]] = [
            {"index": index, "score": score, "input": None, "object": "rank_result"}
            for index, score in ranked
        ]
        if body.return_input:
            for row in rows:
                row["input"] = body.input[row["index"]]
        tokens = sum(map(made_up.tokens, body.input))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0}
        return json_told(
            {
                "usage": usage,
                "model": body.model,
                "data": rows,
                "object": "list",
                "top_k": body.top_k or len(rows),
                "return_input": body.return_input,
            }
        )
