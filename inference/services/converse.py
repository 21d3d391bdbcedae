"""The shape of Bedrock's Converse API: a chat with a model of whatever maker."""

from collections.abc import Iterable, Iterator
from typing import Any, Generic
from urllib.parse import quote
from uuid import uuid4

import httpx
import orjson
from pydantic import Field, ValidationError

from inference.chat import ChatRequest, Message, TextPart, Tool
from inference.errors import InvalidRequest
from inference.services.aws_shape import JSON, read_frames
from inference.services.calls import Call, SettingsT, given, post
from inference.services.chat_shape import (
    Chunks,
    answer_of,
    arguments_of,
    function_call,
    refuse_reasoning,
    usage_told,
)
from inference.services.openai_chat import deltas
from inference.services.remote import Task
from inference.services.replies import Received, first_problem
from inference.types import Completions, InferenceResult, TaskType
from inference.upstream.sse import ServerEvent

STREAM = {"Accept": "application/vnd.amazon.eventstream"}
FINISH_REASONS = {
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}
STATUSES = {"validationException": 400, "throttlingException": 429}
# Converse wants turns: something of the user first, and nobody twice in a row.
OPENING = {"role": "user", "content": [{"text": "Hi"}]}
INTERLUDE = {"role": "assistant", "content": [{"text": "Please continue."}]}


class Usage(Received):
    input_tokens: int = Field(alias="inputTokens", default=0)
    output_tokens: int = Field(alias="outputTokens", default=0)
    cache_read: int | None = Field(alias="cacheReadInputTokens", default=None)
    cache_write: int | None = Field(alias="cacheWriteInputTokens", default=None)

    def to_json(self) -> dict[str, Any]:
        read = self.input_tokens + (self.cache_read or 0) + (self.cache_write or 0)
        return usage_told(read, self.output_tokens, cached=self.cache_read)


class ToolUse(Received):
    id: str = Field(alias="toolUseId")
    name: str
    input: Any = None


class Block(Received):
    text: str | None = None
    tool_use: ToolUse | None = Field(alias="toolUse", default=None)


class Said(Received):
    content: list[Block]


class Output(Received):
    message: Said


class ConverseReply(Received):
    output: Output
    stop_reason: str | None = Field(alias="stopReason", default=None)
    usage: Usage | None = None


class ToolInput(Received):
    input: str = ""


class Delta(Received):
    text: str | None = None
    tool_use: ToolInput | None = Field(alias="toolUse", default=None)


class StreamEvent(Received):
    """Any event of a stream; what it has depends on its name."""

    role: str = "assistant"
    start: Block = Block()
    delta: Delta = Delta()
    stop_reason: str | None = Field(alias="stopReason", default=None)
    usage: Usage | None = None


def model_url(region: str, model: str, action: str) -> str:
    """An ARN has colons and slashes, which must not look like parts of the path."""
    host = f"https://bedrock-runtime.{region}.amazonaws.com"
    return f"{host}/model/{quote(model, safe='')}/{action}"


class Converse(Task[SettingsT, ConverseReply], Generic[SettingsT]):
    """A chat, or a completion: the same request with a single message."""

    reply = ConverseReply
    can_stream = True
    most_inputs = 1

    def url(self, call: Call[SettingsT], action: str) -> str:
        raise NotImplementedError

    def model(self, call: Call[SettingsT]) -> str:
        raise NotImplementedError

    def build(self, call: Call[SettingsT]) -> httpx.Request:
        if call.is_stream:
            return post(self.url(call, "converse-stream"), self.payload(call), STREAM)
        return post(self.url(call, "converse"), self.payload(call), JSON)

    def payload(self, call: Call[SettingsT]) -> dict[str, Any]:
        chat, stored = call.chat, call.task_settings
        refuse_reasoning(chat)
        limit, warmth, top_p = chat.max_completion_tokens, chat.temperature, chat.top_p
        config = given(
            maxTokens=stored.max_new_tokens if limit is None else limit,
            temperature=stored.temperature if warmth is None else warmth,
            topP=stored.top_p if top_p is None else top_p,
            stopSequences=chat.stop or None,
        )
        return given(
            messages=messages_of(chat),
            system=system_of(chat),
            inferenceConfig=config,
            toolConfig=tool_config_of(chat),
            additionalModelRequestFields=given(top_k=stored.top_k) or None,
        )

    def parse(self, reply: ConverseReply, call: Call[SettingsT]) -> InferenceResult:
        content = reply.output.message.content
        texts = tuple(block.text for block in content if block.text is not None)
        if call.task_type == TaskType.COMPLETION:
            return Completions(texts)
        uses = [block.tool_use for block in content if block.tool_use]
        return answer_of(
            str(uuid4()),
            self.model(call),
            "".join(texts),
            [
                function_call(use.id, use.name, orjson.dumps(use.input or {}).decode())
                for use in uses
            ],
            finish_reason(reply.stop_reason),
            reply.usage.to_json() if reply.usage else None,
        )

    def events(self, pieces: Iterable[bytes]) -> Iterator[ServerEvent]:
        for frame in read_frames(pieces, STATUSES):
            yield ServerEvent(frame.payload.decode(), frame.name)

    def chunks(
        self, events: Iterator[ServerEvent], call: Call[SettingsT]
    ) -> Iterator[dict[str, Any]]:
        sent = events_in(events)
        if call.task_type == TaskType.CHAT_COMPLETION:
            return chat_chunks(sent, Chunks(str(uuid4()), self.model(call)))
        return (told for _, event in sent for told in deltas([event.delta.text]))


def events_in(events: Iterator[ServerEvent]) -> Iterator[tuple[str, StreamEvent]]:
    """Each event with its name.

    Raises ProviderFailed for an exception, ValueError for what is no event and for a stream
    without its end.
    """
    is_over = False
    for event in events:
        try:
            yield event.name, StreamEvent.model_validate_json(event.data)
        except ValidationError as exc:
            raise ValueError(first_problem(exc)) from None
        is_over = is_over or event.name == "messageStop"
    if not is_over:
        raise ValueError("it ended before its end")


def chat_chunks(
    events: Iterator[tuple[str, StreamEvent]], chunks: Chunks
) -> Iterator[dict[str, Any]]:
    for name, event in events:
        match name:
            case "messageStart":
                yield chunks.delta(role=event.role)
            case "contentBlockStart" if event.start.tool_use:
                yield chunks.call(event.start.tool_use.id, event.start.tool_use.name)
            case "contentBlockDelta" if event.delta.tool_use:
                yield chunks.arguments(event.delta.tool_use.input)
            case "contentBlockDelta" if event.delta.text:
                yield chunks.delta(content=event.delta.text)
            case "messageStop":
                yield chunks.delta(finish_reason(event.stop_reason))
            case "metadata" if event.usage:
                yield chunks.usage(event.usage.to_json())


def finish_reason(told: str | None) -> str:
    return FINISH_REASONS.get(told or "", "stop")


# ---------------------------------------------------------------------- what is asked


def system_of(chat: ChatRequest) -> list[dict[str, Any]] | None:
    said = [blocks_of(message) for message in chat.messages if message.role == "system"]
    return [block for blocks in said for block in blocks] or None


def messages_of(chat: ChatRequest) -> list[dict[str, Any]]:
    """The messages in turns: the user first, and nobody twice in a row.

    Raises InvalidRequest.
    """
    uses_tools = tool_config_of(chat) is not None
    turns: list[dict[str, Any]] = []
    for message in chat.messages:
        if message.role == "system":
            continue
        turn = turn_of(message, uses_tools=uses_tools)
        if not turn["content"]:
            continue
        if turns and turns[-1]["role"] == turn["role"]:
            if is_result(turns[-1]) == is_result(turn):
                turns[-1]["content"] += turn["content"]
                continue
            turns.append(INTERLUDE)
        turns.append(turn)
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, OPENING)
    return turns


def turn_of(message: Message, *, uses_tools: bool) -> dict[str, Any]:
    """A message as a turn, without content where nothing of it can be sent.

    uses_tools: without tools nothing may be told of their use, either.
    """
    match message.role:
        case "user":
            return {"role": "user", "content": blocks_of(message)}
        case "assistant":
            uses = uses_of(message) if uses_tools else []
            return {"role": "assistant", "content": blocks_of(message) + uses}
        case "tool":
            return {"role": "user", "content": [result_of(message)] if uses_tools else []}
        case role:
            raise InvalidRequest(f"The role [{role}] is not supported by this service")


def is_result(turn: dict[str, Any]) -> bool:
    return "toolResult" in turn["content"][0]


def blocks_of(message: Message) -> list[dict[str, Any]]:
    """The texts of a message but empty ones. Raises InvalidRequest for what is no text."""
    if not isinstance(message.content, list):
        return [{"text": message.content}] if message.content else []
    if not all(isinstance(part, TextPart) for part in message.content):
        raise InvalidRequest("Only content of type [text] is supported by this service")
    return [
        {"text": part.text} for part in message.content if isinstance(part, TextPart) and part.text
    ]


def uses_of(message: Message) -> list[dict[str, Any]]:
    return [
        {
            "toolUse": {
                "toolUseId": call.id,
                "name": call.function.name,
                "input": arguments_of(call),
            }
        }
        for call in message.tool_calls or []
    ]


def result_of(message: Message) -> dict[str, Any]:
    if not message.tool_call_id:
        raise InvalidRequest("A message of the role [tool] needs a [tool_call_id]")
    content = blocks_of(message) or [{"text": ""}]
    return {"toolResult": {"toolUseId": message.tool_call_id, "content": content}}


def tool_config_of(chat: ChatRequest) -> dict[str, Any] | None:
    """The tools and which of them may be used; None where none may. Raises InvalidRequest."""
    if not chat.tools or chat.tool_choice == "none":
        return None
    tools = [{"toolSpec": spec_of(tool)} for tool in chat.tools]
    return {"tools": tools} | given(toolChoice=tool_choice_of(chat))


def spec_of(tool: Tool) -> dict[str, Any]:
    function = tool.function
    schema = {"type": "object", "properties": {}} | (function.parameters or {})
    spec = given(name=function.name, description=function.description)
    return spec | {"inputSchema": {"json": schema}}


def tool_choice_of(chat: ChatRequest) -> dict[str, Any] | None:
    match chat.tool_choice:
        case None:
            return None
        case "auto":
            return {"auto": {}}
        case "required":
            return {"any": {}}
        case str(choice):
            raise InvalidRequest(
                f"Invalid [tool_choice] [{choice}]. It must be one of [auto, none, required] or "
                "name a function"
            )
        case choice:
            return {"tool": {"name": choice.function.name}}
