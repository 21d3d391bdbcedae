"""Plays IBM watsonx and the IAM service that gives tokens for it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.openai_shape import OpenAIShapedSandbox, prompt_of
from inference.sandbox.provider import (
    FORBIDDEN,
    WRONG,
    Asked,
    Handler,
    Refused,
    Strict,
    Told,
    json_told,
    read,
)
from inference.upstream.auth import APIKEY_GRANT

TOKEN_PATH = "/identity/token"  # noqa: S105 - a path
TOKEN_OF = "iam-token-of-"  # noqa: S105 - the beginning of all that are given out
VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOST_INPUTS = 1000
CODES = {
    400: "invalid_request",
    401: "authentication_token_not_valid",
    403: "no_associated_service_instance_error",
    404: "model_not_supported",
    429: "consumed_quota_limit_reached",
}


class InProject(Strict):
    model_id: str
    project_id: str


class EmbeddingBody(InProject):
    inputs: list[str] = Field(min_length=1, max_length=MOST_INPUTS)


class RankInput(Strict):
    text: str


class ReturnOptions(Strict):
    top_n: int | None = Field(default=None, ge=1)
    inputs: bool = False


class RankParameters(Strict):
    truncate_input_tokens: int | None = Field(default=None, ge=1)
    return_options: ReturnOptions


class RankBody(InProject):
    query: str
    inputs: list[RankInput] = Field(min_length=1, max_length=MOST_INPUTS)
    parameters: RankParameters


class ChatBody(InProject):
    messages: list[dict[str, Any]] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1)
    n: int | None = None
    stop: list[str] | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | None = None
    tool_choice_option: str | None = None


class WatsonxAISandbox(OpenAIShapedSandbox):
    name = "watsonxai"
    origins = ("https://iam.cloud.ibm.com", "https://us-south.ml.cloud.ibm.com")

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", TOKEN_PATH): self.token,
            ("POST", "/ml/v1/text/embeddings"): self.embed,
            ("POST", "/ml/v1/text/rerank"): self.rank,
            ("POST", "/ml/v1/text/chat"): self.chat,
            ("POST", "/ml/v1/text/chat_stream"): self.chat_stream,
            ("GET", "/ml/v1/foundation_model_specs"): self.models,
        }

    def check_key(self, asked: Asked) -> None:
        if asked.path == TOKEN_PATH:
            return
        if not asked.bearer.startswith(TOKEN_OF):
            raise Refused(401, "Failed to authenticate the request due to an invalid token.")
        if FORBIDDEN in asked.bearer:
            raise Refused(403, "The project is not associated with a service instance.")
        if not VERSION.fullmatch(asked.query.get("version", "")):
            raise Refused(400, "Version param is missing or no date.")

    def refusal(self, refused: Refused) -> Any:
        code = CODES.get(refused.status, "downstream_request_failed")
        return {
            "errors": [{"code": code, "message": refused.message, "more_info": "https://ibm.com"}],
            "trace": "sandbox",
            "status_code": refused.status,
        }

    def token(self, asked: Asked) -> Told:
        form = asked.form
        if form.get("grant_type") != APIKEY_GRANT or not form.get("apikey"):
            return json_told({"errorCode": "BXNIM0109E", "errorMessage": "Property missing"}, 400)
        if WRONG in form["apikey"]:
            message = "Provided API key could not be found."
            return json_told({"errorCode": "BXNIM0415E", "errorMessage": message}, 400)
        return json_told(
            {
                "access_token": TOKEN_OF + form["apikey"],
                "refresh_token": "not_supported",
                "token_type": "Bearer",
                "expires_in": 3600,
                "expiration": 1_700_003_600,
                "scope": "ibm openid",
            }
        )

    def models(self, asked: Asked) -> Told:
        names = ("ibm/granite-4-h-small", "ibm/slate-30m-english-rtrvr")
        return json_told({"resources": [{"model_id": name} for name in names]})

    def embed(self, asked: Asked) -> Told:
        body = read(EmbeddingBody, asked)
        rows = [{"embedding": made_up.vector(text)} for text in body.inputs]
        return json_told(told_of(body, rows))

    def rank(self, asked: Asked) -> Told:
        body = read(RankBody, asked)
        options = body.parameters.return_options
        texts = [one.text for one in body.inputs]
        rows = [
            {"index": index, "score": score}
            | ({"input": {"text": texts[index]}} if options.inputs else {})
            for index, score in made_up.scores(body.query, texts)[: options.top_n]
        ]
        return json_told(told_of(body, rows))

    def chat(self, asked: Asked) -> Told:
        return self.answer(Turn(read(ChatBody, asked), is_stream=False))

    def chat_stream(self, asked: Asked) -> Told:
        told = self.answer(Turn(read(ChatBody, asked), is_stream=True))
        return Told(200, numbered(told.content), content_type="text/event-stream")


class Turn:
    """A chat as OpenAI's sandbox answers it."""

    def __init__(self, body: ChatBody, *, is_stream: bool) -> None:
        for message in body.messages:
            is_text = isinstance(message.get("content"), str | None)
            if message.get("role") != "user" and not is_text:
                raise Refused(400, "content must be a string")
        prompt_of(body.messages)
        self.messages, self.model, self.tools = body.messages, body.model_id, body.tools
        self.tool_choice = body.tool_choice or body.tool_choice_option
        self.stream = is_stream
        self.stream_options = AlwaysUsage()


class AlwaysUsage:
    include_usage = True


def numbered(pieces: Any) -> Iterator[bytes]:
    """Events with ids and names, as IBM writes them; the end has no mark."""
    for number, piece in enumerate(pieces, start=1):
        if b"[DONE]" not in piece:
            yield b"id: %d\nevent: message\n%s" % (number, piece)


def told_of(body: InProject, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "model_id": body.model_id,
        "results": rows,
        "created_at": "2024-02-21T17:32:28Z",
        "input_token_count": len(rows),
    }
