"""Plays Voyage AI."""

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

MOST_INPUTS = 1000


class VectorsBody(Strict):
    model: str
    input_type: Literal["query", "document"] | None = None
    truncation: bool = True
    output_dimension: Literal[256, 512, 1024, 2048] | None = None
    output_dtype: Literal["float", "int8", "binary"] = "float"


class EmbeddingBody(VectorsBody):
    input: list[str] = Field(min_length=1, max_length=MOST_INPUTS)


class TextContent(Strict):
    type: Literal["text"]
    text: str


class ImageContent(Strict):
    type: Literal["image_base64"]
    image_base64: str = Field(pattern="^data:image/(png|jpeg|webp|gif);base64,")


class MultimodalInput(Strict):
    content: list[TextContent | ImageContent] = Field(min_length=1)


class MultimodalBody(VectorsBody):
    inputs: list[MultimodalInput] = Field(min_length=1, max_length=MOST_INPUTS)


class RerankBody(Strict):
    model: str
    query: str
    documents: list[str] = Field(min_length=1, max_length=MOST_INPUTS)
    top_k: int | None = Field(default=None, ge=1)
    return_documents: bool = False
    truncation: bool = True


class VoyageSandbox(Provider):
    name = "voyageai"
    origins = ("https://api.voyageai.com",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/embeddings"): self.embed,
            ("POST", "/v1/multimodalembeddings"): self.embed_contents,
            ("POST", "/v1/rerank"): self.rerank,
        }

    def refusal(self, refused: Refused) -> Any:
        return {"detail": refused.message}

    def embed(self, asked: Asked) -> Told:
        body = read(EmbeddingBody, asked)
        return vectors(body, body.input)

    def embed_contents(self, asked: Asked) -> Told:
        body = read(MultimodalBody, asked)
        return vectors(body, [words_of(one) for one in body.inputs])

    def rerank(self, asked: Asked) -> Told:
        body = read(RerankBody, asked)
        ranked = made_up.scores(body.query, body.documents)[: body.top_k]
        rows: list[dict[str, Any]] = [
            {"index": index, "relevance_score": score} for index, score in ranked
        ]
        if body.return_documents:
            for row in rows:
                row["document"] = body.documents[row["index"]]
        usage = {"total_tokens": len(rows)}
        return json_told({"object": "list", "data": rows, "model": body.model, "usage": usage})


def vectors(body: VectorsBody, texts: list[str]) -> Told:
    dimensions = body.output_dimension or made_up.DIMENSIONS
    rows = [
        {
            "object": "embedding",
            "embedding": made_up.typed_vector(text, body.output_dtype, dimensions),
            "index": n,
        }
        for n, text in enumerate(texts)
    ]
    usage = {"total_tokens": len(rows)}
    return json_told({"object": "list", "data": rows, "model": body.model, "usage": usage})


def words_of(given: MultimodalInput) -> str:
    return " ".join(
        one.text if isinstance(one, TextContent) else one.image_base64 for one in given.content
    )
