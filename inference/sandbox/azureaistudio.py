"""Plays the deployments of Azure AI Studio: paid by the token, by the hour, and OpenAI's."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.openai_shape import OpenAIShapedSandbox, prompt_of
from inference.sandbox.provider import (
    Asked,
    Handler,
    Refused,
    Strict,
    Told,
    check_token,
    json_told,
    read,
    sse_told,
)

TOKEN, REALTIME, OPENAI = "models.ai.azure.com", "inference.ml.azure.com", "services.ai.azure.com"


class EmbeddingBody(Strict):
    input: str | list[str] = Field(min_length=1)
    user: str | None = None
    dimensions: int | None = Field(default=None, ge=1)


class CohereEmbeddingBody(EmbeddingBody):
    input_type: str | None = Field(default=None, pattern="^(document|query)$")


class Parameters(Strict):
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=2)
    do_sample: bool | None = None
    max_new_tokens: int | None = Field(default=None, ge=1)


class CompletionBody(Strict):
    messages: list[dict[str, Any]] = Field(min_length=1)
    parameters: Parameters | None = None
    stream: bool = False


class InputData(Strict):
    input_string: list[dict[str, Any]] = Field(min_length=1)
    parameters: Parameters | None = None


class ScoreBody(Strict):
    input_data: InputData
    stream: bool = False


class RerankBody(Strict):
    documents: list[str] = Field(min_length=1)
    query: str
    return_documents: bool = False
    top_n: int | None = Field(default=None, ge=1)


class AzureAiStudioSandbox(OpenAIShapedSandbox):
    """Each kind of deployment has hosts of its own, and wants its key in its own way."""

    name = "azureaistudio"
    origins = tuple(f"https://*.{host}" for host in (TOKEN, REALTIME, OPENAI))

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/embeddings"): self.embed_cohere,
            ("POST", "/openai/embeddings"): self.embed,
            ("POST", "/v1/chat/completions|/openai/chat/completions"): self.complete,
            ("POST", "/score"): self.score,
            ("POST", "/v1/rerank"): self.rerank,
        }

    def check_key(self, asked: Asked) -> None:
        host = asked.url.host.partition(".")[2]
        if host.endswith(OPENAI):
            check_token(asked.headers.get("api-key", ""))
        elif host.endswith(REALTIME):
            check_token(asked.bearer)
        else:
            key = asked.headers.get("authorization", "")
            check_token("" if " " in key else key)

    def embed(self, asked: Asked) -> Told:
        return self.embeddings(read(EmbeddingBody, asked))

    def embed_cohere(self, asked: Asked) -> Told:
        return self.embeddings(read(CohereEmbeddingBody, asked))

    def complete(self, asked: Asked) -> Told:
        return self.answer(read(CompletionBody, asked))

    def score(self, asked: Asked) -> Told:
        body = read(ScoreBody, asked)
        text = made_up.reply_to(prompt_of(body.input_data.input_string))
        if body.stream:
            return sse_told(self.stream(body, "model", text, None))
        return json_told({"output": text})

    def rerank(self, asked: Asked) -> Told:
        body = read(RerankBody, asked)
        rows = made_up.scores(body.query, body.documents)[: body.top_n]
        texts = [{"document": {"text": body.documents[n]}} for n, _ in rows]
        return json_told(
            {
                "id": "sandbox",
                "results": [
                    {"index": n, "relevance_score": score} | (text if body.return_documents else {})
                    for (n, score), text in zip(rows, texts, strict=True)
                ],
            }
        )

    def refusal(self, refused: Refused) -> Any:
        return {"error": {"code": str(refused.status), "message": refused.message}}
