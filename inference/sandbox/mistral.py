"""Plays Mistral."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from inference.sandbox.openai_shape import (
    ChatFields,
    OpenAIShapedSandbox,
    chunks,
    models_told,
    prompt_of,
    usage_of,
)
from inference.sandbox.provider import (
    Asked,
    Handler,
    Refused,
    Strict,
    Told,
    read,
)

UNPROCESSABLE = 422


class EmbeddingBody(Strict):
    input: str | list[str] = Field(min_length=1)
    model: str
    encoding_format: Literal["float"] = "float"


class Function(Strict):
    name: str
    description: str = ""
    strict: bool = False
    parameters: dict[str, Any]


class Tool(Strict):
    type: Literal["function"] = "function"
    function: Function


class CalledFunction(Strict):
    name: str
    arguments: str


class ToolCall(Strict):
    id: str = Field(pattern=r"^[a-zA-Z0-9]{9}$")
    type: str = "function"
    function: CalledFunction


class Message(Strict):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = Field(default=None, pattern=r"^[a-zA-Z0-9]{9}$")


def shaped(schema: type[Strict]) -> AfterValidator:
    """An object of this shape, as it came."""

    def check(value: dict[str, Any]) -> dict[str, Any]:
        schema.model_validate(value)
        return value

    return AfterValidator(check)


class ChatBody(ChatFields):
    messages: list[Annotated[dict[str, Any], shaped(Message)]] = Field(min_length=1)
    tools: list[Annotated[dict[str, Any], shaped(Tool)]] | None = None
    model: str
    max_tokens: int | None = Field(default=None, ge=0)


class MistralSandbox(OpenAIShapedSandbox):
    """Refuses what it does not know, and tells usage at the end of every stream."""

    name = "mistral"
    origins = ("https://api.mistral.ai",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/embeddings"): self.embed,
            ("POST", "/v1/chat/completions"): self.chat,
            ("GET", "/v1/models"): self.models,
        }

    def embed(self, asked: Asked) -> Told:
        return self.embeddings(read(EmbeddingBody, asked, UNPROCESSABLE))

    def chat(self, asked: Asked) -> Told:
        return self.answer(read(ChatBody, asked, UNPROCESSABLE))

    def models(self, asked: Asked) -> Told:
        return models_told("mistral-embed", "mistral-small-latest")

    def stream(
        self, body: Any, model: str, text: str, tools: list[dict[str, Any]] | None
    ) -> Iterator[dict[str, Any]]:
        *most, last = chunks(model, text, tools)
        yield from most
        yield last | {"usage": usage_of(prompt_of(body.messages), text)}

    def refusal(self, refused: Refused) -> Any:
        message: Any = refused.message
        if refused.status == 401:
            return {"message": "Unauthorized", "request_id": "sandbox"}
        if refused.status == 404:
            return {"detail": "Not Found"}
        if refused.status == UNPROCESSABLE:
            message = {"detail": [{"type": "invalid", "loc": ["body"], "msg": message}]}
        kind = "invalid_request_error"
        return {"object": "error", "message": message, "type": kind, "param": None, "code": None}
