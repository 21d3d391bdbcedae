"""Plays Jina AI."""

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
    json_told,
    read,
)

MOST_INPUTS = 2048


class TextInput(Strict):
    text: str


class ImageInput(Strict):
    image: str = Field(min_length=1)


class EmbeddingBody(Strict):
    input: list[str | TextInput | ImageInput] = Field(min_length=1, max_length=MOST_INPUTS)
    model: str
    embedding_type: Literal["float", "binary"] = "float"
    task: Literal["retrieval.passage", "retrieval.query", "separation", "classification"] | None = (
        None
    )
    late_chunking: bool = False
    dimensions: int | None = Field(default=None, ge=1)


class RerankBody(Strict):
    model: str
    query: str
    documents: list[str] = Field(min_length=1, max_length=MOST_INPUTS)
    top_n: int | None = Field(default=None, ge=1)
    return_documents: bool = True


class JinaSandbox(Provider):
    name = "jinaai"
    origins = ("https://api.jina.ai",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/embeddings"): self.embed,
            ("POST", "/v1/rerank"): self.rerank,
        }

    def refusal(self, refused: Refused) -> Any:
        return {"detail": refused.message}

    def embed(self, asked: Asked) -> Told:
        body = read(EmbeddingBody, asked, 422)
        if body.late_chunking and any(isinstance(one, ImageInput) for one in body.input):
            raise Refused(422, "late_chunking is for texts alone")
        dimensions = body.dimensions or made_up.DIMENSIONS
        rows = [
            {
                "object": "embedding",
                "index": n,
                "embedding": made_up.typed_vector(words_of(one), body.embedding_type, dimensions),
            }
            for n, one in enumerate(body.input)
        ]
        usage = {"prompt_tokens": len(rows), "total_tokens": len(rows)}
        return json_told({"object": "list", "data": rows, "model": body.model, "usage": usage})

    def rerank(self, asked: Asked) -> Told:
        body = read(RerankBody, asked, 422)
        ranked = made_up.scores(body.query, body.documents)[: body.top_n]
        results: list[dict[str, Any]] = [
            {"index": index, "relevance_score": score} for index, score in ranked
        ]
        if body.return_documents:
            for row in results:
                row["document"] = {"text": body.documents[row["index"]]}
        return json_told({"id": "sandbox", "results": results, "usage": {"total_tokens": 1}})


def words_of(given: str | TextInput | ImageInput) -> str:
    match given:
        case TextInput():
            return given.text
        case ImageInput():
            return given.image
    return given
