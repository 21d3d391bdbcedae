"""Plays Google AI Studio."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.provider import (
    FORBIDDEN,
    WRONG,
    Asked,
    Handler,
    Provider,
    Refused,
    Strict,
    Told,
    json_told,
    read,
    sse_told,
)

MODEL = "/v1/models/[^/:]+:"
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
MOST_INPUTS = 100


class Part(Strict):
    text: str


class Content(Strict):
    parts: list[Part] = Field(min_length=1)


class EmbedRequest(Strict):
    model: str = Field(pattern="^models/")
    content: Content
    outputDimensionality: int | None = Field(default=None, ge=1)
    taskType: (
        Literal["RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY", "CLASSIFICATION", "CLUSTERING"] | None
    ) = None


class EmbedBody(Strict):
    requests: list[EmbedRequest] = Field(min_length=1)


class Turn(Content):
    role: Literal["user", "model"]


class GenerationConfig(Strict):
    candidateCount: int = Field(default=1, ge=1, le=1)


class GenerateBody(Strict):
    contents: list[Turn] = Field(min_length=1)
    generationConfig: GenerationConfig = GenerationConfig()


class GoogleAIStudioSandbox(Provider):
    name = "googleaistudio"
    origins = ("https://generativelanguage.googleapis.com",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", f"{MODEL}batchEmbedContents"): self.embed,
            ("POST", f"{MODEL}generateContent"): self.generate,
            ("POST", f"{MODEL}streamGenerateContent"): self.stream,
            ("GET", "/v1/models"): self.models,
        }

    def check_key(self, asked: Asked) -> None:
        key = asked.headers.get("x-goog-api-key") or asked.query.get("key", "")
        if not key:
            raise Refused(403, "Method doesn't allow unregistered callers.")
        if WRONG in key:
            raise Refused(400, "API key not valid. Please pass a valid API key.")
        if FORBIDDEN in key:
            raise Refused(403, "The caller does not have permission")

    def refusal(self, refused: Refused) -> Any:
        status = STATUSES.get(refused.status, "INTERNAL")
        return {
            "error": {
                "code": refused.status,
                "message": refused.message,
                "status": status,
                "details": [],
            }
        }

    def models(self, asked: Asked) -> Told:
        names = ("models/gemini-2.5-flash", "models/text-embedding-004")
        return json_told({"models": [{"name": name} for name in names]})

    def embed(self, asked: Asked) -> Told:
        requests = read(EmbedBody, asked).requests
        if len(requests) > MOST_INPUTS:
            raise Refused(
                400,
                "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch",
            )
        if any(f"/{one.model}:" not in asked.path for one in requests):
            raise Refused(400, "* BatchEmbedContentsRequest.requests: models must match")
        vectors = [
            made_up.vector(
                "".join(part.text for part in one.content.parts),
                one.outputDimensionality or made_up.DIMENSIONS,
            )
            for one in requests
        ]
        return json_told({"embeddings": [{"values": vector} for vector in vectors]})

    def generate(self, asked: Asked) -> Told:
        text = made_up.reply_to(prompt_of(read(GenerateBody, asked)))
        return json_told(answer(text, "STOP"))

    def stream(self, asked: Asked) -> Told:
        text = made_up.reply_to(prompt_of(read(GenerateBody, asked)))
        if asked.query.get("alt") != "sse":
            return json_told([answer(text, "STOP")])
        return sse_told(pieces(text), is_done=False)


def prompt_of(body: GenerateBody) -> str:
    return "".join(part.text for part in body.contents[-1].parts)


def pieces(text: str) -> Iterator[dict[str, Any]]:
    for piece in made_up.pieces_of(text):
        yield answer(piece, None)
    yield answer("", "STOP")


def answer(text: str, ended: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}}
    if ended:
        candidate["finishReason"] = ended
    tokens = made_up.tokens(text)
    return {
        "candidates": [candidate | {"index": 0}],
        "usageMetadata": {
            "promptTokenCount": 1,
            "candidatesTokenCount": tokens,
            "totalTokenCount": 1 + tokens,
        },
        "modelVersion": "gemini-sandbox",
    }
