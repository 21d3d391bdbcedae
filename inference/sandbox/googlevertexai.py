"""Plays Google Vertex AI: its tokens, its models and its Model Garden."""

import re
import time
from collections.abc import Mapping
from typing import Any, Literal

from google.auth import jwt
from pydantic import Field

from inference.sandbox import anthropic_shape, made_up
from inference.sandbox.openai_shape import ChatBody, OpenAIShapedSandbox, StreamOptions
from inference.sandbox.provider import (
    WRONG,
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
from inference.upstream.auth import GOOGLE_SCOPE, JWT_BEARER

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
TOKEN_PREFIX = "ya29."  # noqa: S105 - how Google's tokens begin
REGIONS = ("us-central1", "us-east5", "europe-west1", "europe-west4")
PLACE = r"/v1/projects/[^/]+/locations/(?P<location>[^/]+)"
GOOGLE_MODEL = PLACE + r"/publishers/google/models/(?P<model>[^/:]+)"
RANKING = "/rankingConfigs/default_ranking_config:rank"
KINDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Instance(Strict):
    content: str = Field(min_length=1)
    task_type: Literal["RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY", "CLASSIFICATION", "CLUSTERING"] = (
        "RETRIEVAL_QUERY"
    )


class Parameters(Strict):
    autoTruncate: bool = True
    outputDimensionality: int = Field(default=made_up.DIMENSIONS, ge=1)


class PredictBody(Strict):
    instances: list[Instance] = Field(min_length=1, max_length=250)
    parameters: Parameters = Field(default_factory=Parameters)


class RankRecord(Strict):
    id: str
    content: str


class RankBody(Strict):
    model: str = "semantic-ranker-512@latest"
    query: str = Field(min_length=1)
    records: list[RankRecord] = Field(min_length=1, max_length=200)
    topN: int | None = Field(default=None, ge=1)
    ignoreRecordDetailsInResponse: bool = False


class Part(Strict):
    text: str | None = Field(default=None, min_length=1)
    functionCall: dict[str, Any] | None = None
    functionResponse: dict[str, Any] | None = None
    thoughtSignature: str | None = None


class SystemInstruction(Strict):
    parts: list[Part] = Field(min_length=1)


class Content(SystemInstruction):
    role: Literal["user", "model"]


class ThinkingConfig(Strict):
    thinkingBudget: int | None = None
    thinkingLevel: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"] | None = None
    includeThoughts: bool = False


class GenerationConfig(Strict):
    stopSequences: list[str] | None = Field(default=None, max_length=5)
    temperature: float | None = Field(default=None, ge=0, le=2)
    maxOutputTokens: int | None = Field(default=None, ge=1)
    topP: float | None = Field(default=None, ge=0, le=1)
    thinkingConfig: ThinkingConfig | None = None


class Declaration(Strict):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class GeminiTool(Strict):
    functionDeclarations: list[Declaration] = Field(min_length=1)


class GenerateBody(Strict):
    contents: list[Content] = Field(min_length=1)
    generationConfig: GenerationConfig | None = None
    tools: list[GeminiTool] | None = None
    toolConfig: dict[str, Any] | None = None
    systemInstruction: SystemInstruction | None = None


class AnthropicBody(anthropic_shape.MessagesBody):
    """The model is in the address."""

    anthropic_version: Literal["vertex-2023-10-16"]


class OpenBody(ChatBody):
    model: str | None = None  # type: ignore[assignment]
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: None = None
    user: None = None


class RawBody(OpenBody):
    """Takes no options for streams."""

    stream_options: None = None


class GoogleVertexAISandbox(OpenAIShapedSandbox):
    name = "googlevertexai"
    origins = (
        "https://oauth2.googleapis.com",
        "https://discoveryengine.googleapis.com",
        "https://aiplatform.googleapis.com",
        *(f"https://{region}-aiplatform.googleapis.com" for region in REGIONS),
        "https://*.prediction.vertexai.goog",
    )

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        raw = r":(?:rawPredict|streamRawPredict)"
        return {
            ("POST", "/token"): self.token,
            ("POST", f"{GOOGLE_MODEL}:predict"): self.predict,
            ("POST", f"{GOOGLE_MODEL}:generateContent"): self.generate,
            ("POST", f"{GOOGLE_MODEL}:streamGenerateContent"): self.generate_stream,
            ("POST", PLACE + RANKING): self.rank,
            ("POST", PLACE + r"/publishers/anthropic/models/[^/]+" + raw): self.anthropic,
            ("POST", PLACE + r"/publishers/(?:mistralai|ai21)/models/[^/]+" + raw): self.raw,
            ("POST", PLACE + r"/endpoints/[^/]+/chat/completions"): self.open,
        }

    def check_key(self, asked: Asked) -> None:
        if asked.path == "/token":
            return
        if not asked.bearer.startswith(TOKEN_PREFIX):
            raise Refused(401, "Request had invalid authentication credentials.")
        check_token(asked.bearer)

    def refusal(self, refused: Refused) -> Any:
        if "body" in refused.more:
            return refused.more["body"]
        kind = KINDS.get(refused.status, "UNKNOWN")
        error = {"code": refused.status, "message": refused.message, "status": kind}
        return {"error": error | {"details": []}}

    def token(self, asked: Asked) -> Told:
        """A token for a signed claim; its signature cannot be known here, its claims can."""
        form = asked.form
        if form.get("grant_type") != JWT_BEARER:
            raise bad_grant("unsupported_grant_type", "Invalid grant_type")
        try:
            header, claims = unsigned(form.get("assertion", ""))
        except ValueError:
            raise bad_grant("invalid_grant", "Invalid JWT") from None
        now, begins, ends = time.time(), claims.get("iat", 0), claims.get("exp", 0)
        if header.get("alg") != "RS256" or claims.get("aud") != TOKEN_URL:
            raise bad_grant("invalid_grant", "Invalid JWT: alg and aud")
        if not begins <= now + 60 or not now < ends <= begins + 3600:
            raise bad_grant("invalid_grant", "Invalid JWT: iat and exp")
        if claims.get("scope") != GOOGLE_SCOPE:
            raise bad_grant("invalid_scope", "Invalid OAuth scope")
        if WRONG in claims.get("iss", WRONG):
            raise bad_grant("invalid_grant", "Invalid grant: account not found")
        token = f"{TOKEN_PREFIX}{claims['iss']}"
        return json_told({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def predict(self, asked: Asked) -> Told:
        location = part_of(asked, "location")
        expected = "" if location == "global" else f"{location}-"
        if asked.url.host != f"{expected}aiplatform.googleapis.com":
            raise Refused(400, f"Location {location} is not served by {asked.url.host}")
        body = read(PredictBody, asked)
        length = body.parameters.outputDimensionality
        return json_told(
            {
                "predictions": [
                    {
                        "embeddings": {
                            "values": made_up.vector(one.content, length),
                            "statistics": {
                                "token_count": made_up.tokens(one.content),
                                "truncated": False,
                            },
                        }
                    }
                    for one in body.instances
                ]
            }
        )

    def rank(self, asked: Asked) -> Told:
        body = read(RankBody, asked)
        scored = made_up.scores(body.query, [record.content for record in body.records])
        shown = [
            {"id": body.records[n].id, "score": score}
            | ({} if body.ignoreRecordDetailsInResponse else {"content": body.records[n].content})
            for n, score in scored[: body.topN]
        ]
        return json_told({"records": shown})

    def generate(self, asked: Asked) -> Told:
        pieces = generated(asked)
        parts = [one["candidates"][0]["content"]["parts"][0] for one in pieces]
        text = "".join(part.get("text", "") for part in parts)
        return json_told(pieces[-1] | piece({"text": text} if text else parts[-1], "STOP"))

    def generate_stream(self, asked: Asked) -> Told:
        if asked.query.get("alt") != "sse":
            raise Refused(400, "Only alt=sse is played here")
        return sse_told(generated(asked), is_done=False)

    def anthropic(self, asked: Asked) -> Told:
        try:
            body = read(AnthropicBody, asked)
        except Refused as exc:
            shaped = anthropic_shape.refusal_body(exc)
            raise Refused(exc.status, exc.message, body=shaped) from None
        return anthropic_shape.answer(body, "claude-of-garden")

    def raw(self, asked: Asked) -> Told:
        """Usage comes unasked."""
        options = {"stream_options": StreamOptions(include_usage=True)}
        return self.answer(read(RawBody, asked).model_copy(update=options))

    def open(self, asked: Asked) -> Told:
        return self.answer(read(OpenBody, asked))


def unsigned(assertion: str) -> tuple[Any, Any]:
    """Header and claims. Raises ValueError."""
    header = jwt.decode_header(assertion)  # type: ignore[no-untyped-call]
    return header, jwt.decode(assertion, verify=False)  # type: ignore[no-untyped-call]


def bad_grant(kind: str, why: str) -> Refused:
    return Refused(400, why, body={"error": kind, "error_description": why})


def part_of(asked: Asked, name: str) -> str:
    found = re.match(GOOGLE_MODEL, asked.path)
    return found[name] if found else ""


def prompt_of(asked: Asked) -> str:
    if part_of(asked, "location") != "global":
        raise Refused(404, "Models are called in locations/global")
    body = read(GenerateBody, asked)
    return "".join(part.text or "" for part in body.contents[-1].parts)


def generated(asked: Asked) -> list[dict[str, Any]]:
    """The pieces of an answer; the last one says why it ends and what was used."""
    prompt, tools = prompt_of(asked), read(GenerateBody, asked).tools
    text = made_up.reply_to(prompt)
    head = {"modelVersion": part_of(asked, "model"), "responseId": "sandbox"}
    parts: list[dict[str, Any]] = [{"text": word} for word in made_up.pieces_of(text)]
    if tools:
        called = {"name": tools[0].functionDeclarations[0].name, "args": {}}
        parts = [{"functionCall": called, "thoughtSignature": "c2FuZGJveA=="}]
    *earlier, last = parts
    read_tokens, written = made_up.tokens(prompt), made_up.tokens(text)
    usage = {
        "promptTokenCount": read_tokens,
        "candidatesTokenCount": written,
        "totalTokenCount": read_tokens + written,
    }
    end = piece(last, "STOP") | head | {"usageMetadata": usage}
    return [*(piece(part) | head for part in earlier), end]


def piece(part: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [part]}, "index": 0}
    return {"candidates": [candidate | ({"finishReason": reason} if reason else {})]}
