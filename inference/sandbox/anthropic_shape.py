"""Anthropic's Messages API as a provider plays it, also where others host its models."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from inference.sandbox import made_up
from inference.sandbox.provider import Refused, Strict, Told, json_told, sse_told

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class TextBlock(Strict):
    type: Literal["text"]
    text: str = Field(min_length=1)


class ImageBlock(Strict):
    type: Literal["image"]
    source: dict[str, str]


class DocumentBlock(Strict):
    type: Literal["document"]
    source: dict[str, str]
    title: str | None = None


class ToolUseBlock(Strict):
    type: Literal["tool_use"]
    id: str
    name: str
    input: dict[str, Any]


class ToolResultBlock(Strict):
    type: Literal["tool_result"]
    tool_use_id: str
    content: str | list[TextBlock]


Block = Annotated[
    TextBlock | ImageBlock | DocumentBlock | ToolUseBlock | ToolResultBlock,
    Field(discriminator="type"),
]


class Message(Strict):
    role: Literal["user", "assistant"]
    content: Annotated[str, Field(min_length=1)] | list[Block]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(block.text for block in self.content if isinstance(block, TextBlock))


class InputSchema(Strict):
    model_config = ConfigDict(extra="allow")

    type: Literal["object"]


class Tool(Strict):
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str | None = None
    input_schema: InputSchema


class ToolChoice(Strict):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None


class MessagesBody(Strict):
    messages: list[Message] = Field(min_length=1)
    max_tokens: int = Field(ge=1)
    system: str | list[TextBlock] | None = None
    temperature: float | None = Field(default=None, ge=0, le=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    stop_sequences: list[str] | None = None
    stream: bool = False
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None


def answer(body: MessagesBody, model: str) -> Told:
    prompt = body.messages[-1].text
    text = made_up.reply_to(prompt)
    usage = {"input_tokens": made_up.tokens(prompt), "output_tokens": made_up.tokens(text)}
    is_call = bool(body.tools) and (body.tool_choice is None or body.tool_choice.type != "none")
    tool = body.tools[0].name if body.tools and is_call else None
    if body.stream:
        return sse_told(events(model, text, tool, usage), is_done=False, named=True)
    block: dict[str, Any] = {"type": "text", "text": text}
    if tool:
        block = {"type": "tool_use", "id": "toolu_sandbox", "name": tool, "input": {}}
    return json_told(message(model, [block], stop_reason(tool), usage))


def message(model: str, content: list[Any], stop: str | None, usage: Any) -> dict[str, Any]:
    return {
        "id": "msg_sandbox",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def stop_reason(tool: str | None) -> str:
    return "tool_use" if tool else "end_turn"


def events(
    model: str, text: str, tool: str | None, usage: dict[str, int]
) -> Iterator[dict[str, Any]]:
    begun = usage | {"output_tokens": 1}
    yield {"type": "message_start", "message": message(model, [], None, begun)}
    block: dict[str, Any] = {"type": "text", "text": ""}
    deltas = [{"type": "text_delta", "text": piece} for piece in made_up.pieces_of(text)]
    if tool:
        block = {"type": "tool_use", "id": "toolu_sandbox", "name": tool, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("{", "}")]
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    yield {"type": "ping"}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": stop_reason(tool), "stop_sequence": None}
    written = {"output_tokens": usage["output_tokens"]}
    yield {"type": "message_delta", "delta": ended, "usage": written}
    yield {"type": "message_stop"}


def refusal_body(refused: Refused) -> dict[str, Any]:
    kind = KINDS.get(refused.status, "api_error")
    error = {"type": kind, "message": refused.message}
    return {"type": "error", "error": error, "request_id": "req_sandbox"}
