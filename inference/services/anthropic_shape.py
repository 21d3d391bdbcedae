"""The shape of Anthropic's Messages API: bodies, replies, streams and errors."""

from collections.abc import Iterator
from typing import Any, ClassVar, Generic

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inference.chat import ChatRequest, ContentPart, FilePart, ImagePart, Message, TextPart, Tool
from inference.errors import InvalidRequest
from inference.services.calls import Call, SettingsT, given, post
from inference.services.chat_shape import (
    Chunks,
    DataUri,
    answer_of,
    arguments_of,
    file_of,
    function_call,
    refuse_reasoning,
    usage_told,
)
from inference.services.openai_chat import deltas
from inference.services.remote import ProviderFailed, Task
from inference.services.replies import Received, first_problem
from inference.types import Completions, InferenceResult, TaskType
from inference.upstream.errors import ProviderError
from inference.upstream.failures import SERVER_ERROR
from inference.upstream.sse import ServerEvent

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
# What an error within a stream would have had as its status.
STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
}
TOOL_CHOICES = {"auto": "auto", "none": "none", "required": "any"}


class Tokens(Received):
    input_tokens: int = 0
    output_tokens: int = 0


class Block(Received):
    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: Any = None


class MessageReply(Received):
    id: str = ""
    model: str | None = None
    content: list[Block]
    stop_reason: str | None = None
    usage: Tokens | None = None


class MessageStart(Received):
    id: str = ""
    model: str | None = None
    usage: Tokens = Field(default_factory=Tokens)


class Delta(Received):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class Failure(Received):
    type: str = ""
    message: str = ""


class StreamEvent(BaseModel):
    """Any event of a stream; what it has depends on its type."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    type: str
    message: MessageStart = Field(default_factory=MessageStart)
    content_block: Block | None = None
    delta: Delta = Field(default_factory=Delta)
    usage: Tokens | None = None
    error: Failure = Field(default_factory=Failure)


class AnthropicMessages(Task[SettingsT, MessageReply], Generic[SettingsT]):
    """A chat, or a completion: the same request with a single message."""

    reply = MessageReply
    can_stream = True
    most_inputs = 1
    retried = frozenset({429, 500, 529})
    own_categories: ClassVar = {
        503: SERVER_ERROR,
        529: "Received an Anthropic server is temporarily overloaded status code",
    }

    def url(self, call: Call[SettingsT]) -> str:
        raise NotImplementedError

    def headers(self, call: Call[SettingsT]) -> dict[str, str]:
        return {}

    def head(self, call: Call[SettingsT]) -> dict[str, Any]:
        """How the body begins: which model, or which version of the API."""
        raise NotImplementedError

    def max_tokens(self, call: Call[SettingsT]) -> int:
        """The most tokens to write where a chat does not say it."""
        raise NotImplementedError

    def payload(self, call: Call[SettingsT]) -> dict[str, Any]:
        chat, stored = call.chat, call.task_settings
        refuse_reasoning(chat)
        sampled = {
            name: getattr(stored, name, None) if asked is None else asked
            for name, asked in (("temperature", chat.temperature), ("top_p", chat.top_p))
        }
        limit = chat.max_completion_tokens
        return self.head(call) | given(
            messages=messages_of(chat),
            system=system_of(chat),
            max_tokens=self.max_tokens(call) if limit is None else limit,
            **sampled,
            top_k=getattr(stored, "top_k", None),
            stop_sequences=chat.stop or None,
            tools=chat.tools and [tool_of(tool) for tool in chat.tools],
            tool_choice=tool_choice_of(chat),
            stream=True if call.is_stream else None,
        )

    def build(self, call: Call[SettingsT]) -> httpx.Request:
        return post(self.url(call), self.payload(call), self.headers(call))

    def parse(self, reply: MessageReply, call: Call[SettingsT]) -> InferenceResult:
        texts = tuple(block.text for block in reply.content if block.type == "text")
        if call.task_type == TaskType.COMPLETION:
            return Completions(texts)
        return answer_of(
            reply.id,
            reply.model,
            "".join(texts),
            [
                function_call(block.id, block.name, orjson.dumps(block.input or {}).decode())
                for block in reply.content
                if block.type == "tool_use"
            ],
            finish_reason(reply.stop_reason),
            used(reply.usage),
        )

    def chunks(
        self, events: Iterator[ServerEvent], call: Call[SettingsT]
    ) -> Iterator[dict[str, Any]]:
        sent = messages_in(events)
        if call.task_type == TaskType.CHAT_COMPLETION:
            return chat_chunks(sent)
        return (told for event in sent for told in deltas([text_in(event)]))


def messages_in(events: Iterator[ServerEvent]) -> Iterator[StreamEvent]:
    """The events up to the one that ends the message.

    Raises ProviderFailed for an error, ValueError for what is none and for a stream without end.
    """
    for event in events:
        try:
            sent = StreamEvent.model_validate_json(event.data)
        except ValidationError as exc:
            raise ValueError(first_problem(exc)) from None
        if sent.type == "message_stop":
            return
        if sent.type == "error":
            told = ProviderError(sent.error.message, type=sent.error.type or None)
            raise ProviderFailed(told, STATUSES.get(sent.error.type, 500))
        yield sent
    raise ValueError("it ended before its end")


def text_in(event: StreamEvent) -> str:
    if event.type == "content_block_start" and event.content_block:
        return event.content_block.text
    return event.delta.text if event.type == "content_block_delta" else ""


def chat_chunks(events: Iterator[StreamEvent]) -> Iterator[dict[str, Any]]:
    """Usage is told once, at the end, when all of it is known."""
    chunks, read = Chunks(), 0
    for event in events:
        match event.type:
            case "message_start":
                chunks = Chunks(event.message.id, event.message.model)
                read = event.message.usage.input_tokens
                yield chunks.delta(role="assistant")
            case "content_block_start" if event.content_block and (
                event.content_block.type == "tool_use"
            ):
                yield chunks.call(event.content_block.id, event.content_block.name)
            case "content_block_delta" if event.delta.partial_json:
                yield chunks.arguments(event.delta.partial_json)
            case "message_delta":
                yield chunks.delta(finish_reason(event.delta.stop_reason))
                if event.usage:
                    yield chunks.usage(usage_told(read, event.usage.output_tokens))
            case _ if text := text_in(event):
                yield chunks.delta(content=text)


def used(tokens: Tokens | None) -> dict[str, Any] | None:
    return None if tokens is None else usage_told(tokens.input_tokens, tokens.output_tokens)


def finish_reason(told: str | None) -> str | None:
    return None if told is None else FINISH_REASONS.get(told, told)


# ---------------------------------------------------------------------- what is asked


def system_of(chat: ChatRequest) -> Any:
    """What the system messages say: a text, or blocks where there is more than one."""
    said = [message for message in chat.messages if message.role == "system"]
    if len(said) == 1 and isinstance(said[0].content, str):
        return said[0].content
    return [block for message in said for block in blocks_of(message)] or None


def messages_of(chat: ChatRequest) -> list[dict[str, Any]]:
    return [message_of(message) for message in chat.messages if message.role != "system"]


def message_of(message: Message) -> dict[str, Any]:
    """Raises InvalidRequest."""
    match message.role:
        case "tool":
            return {"role": "user", "content": [tool_result_of(message)]}
        case "assistant" if message.tool_calls:
            said = blocks_of(message) if message.content else []
            return {"role": "assistant", "content": said + calls_of(message)}
        case "user" | "assistant":
            is_text = isinstance(message.content, str) and message.content
            return {
                "role": message.role,
                "content": message.content if is_text else blocks_of(message),
            }
        case role:
            raise InvalidRequest(f"The role [{role}] is not supported by this service")


def blocks_of(message: Message) -> list[dict[str, Any]]:
    """The content of a message; one that says nothing has one empty text."""
    if not isinstance(message.content, list) or not message.content:
        return [text_block(message.text)]
    return [block_of(part) for part in message.content]


def block_of(part: ContentPart) -> dict[str, Any]:
    """Raises InvalidRequest for an image or a file that cannot be sent."""
    match part:
        case TextPart():
            return text_block(part.text)
        case ImagePart():
            return {"type": "image", "source": image_source(part.image_url.url)}
        case FilePart():
            document = {"type": "document", "source": document_source(file_of(part.file))}
            return document | given(title=part.file.filename)


def text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def image_source(url: str) -> dict[str, Any]:
    if url.startswith(("http://", "https://")):
        return {"type": "url", "url": url}
    found = DataUri.parse(url)
    if found is None:
        raise InvalidRequest("An [image_url] must be an http(s) address or a data URI in base64")
    media_type = found.media_type.replace("image/jpg", "image/jpeg")
    return {"type": "base64", "media_type": media_type, "data": found.data}


def document_source(file: DataUri) -> dict[str, Any]:
    match file.media_type:
        case "application/pdf":
            return {"type": "base64", "media_type": file.media_type, "data": file.data}
        case "text/plain":
            return {"type": "text", "media_type": file.media_type, "data": file.text}
        case other:
            raise InvalidRequest(
                f"A file of type [{other}] is not supported by this service. Supported are "
                "[application/pdf, text/plain]"
            )


def calls_of(message: Message) -> list[dict[str, Any]]:
    return [
        {
            "type": "tool_use",
            "id": call.id,
            "name": call.function.name,
            "input": arguments_of(call),
        }
        for call in message.tool_calls or []
    ]


def tool_result_of(message: Message) -> dict[str, Any]:
    if not message.tool_call_id:
        raise InvalidRequest("A message of the role [tool] needs a [tool_call_id]")
    return {
        "type": "tool_result",
        "tool_use_id": message.tool_call_id,
        "content": blocks_of(message),
    }


def tool_of(tool: Tool) -> dict[str, Any]:
    function = tool.function
    schema = {"type": "object", "properties": {}} | (function.parameters or {})
    return given(name=function.name, description=function.description, input_schema=schema)


def tool_choice_of(chat: ChatRequest) -> dict[str, Any] | None:
    """Raises InvalidRequest."""
    choice = chat.tool_choice
    if choice is None:
        return None
    if not isinstance(choice, str):
        return {"type": "tool", "name": choice.function.name}
    if choice not in TOOL_CHOICES:
        raise InvalidRequest(
            f"Invalid [tool_choice] [{choice}]. It must be one of [auto, none, required] or name "
            "a function"
        )
    return {"type": TOOL_CHOICES[choice]}


def anthropic_error(body: bytes) -> ProviderError:
    """What a failure's body says: `{"type": "error", "error": {"type", "message"}}`."""
    try:
        sent = orjson.loads(body)
        return ProviderError(str(sent["error"]["message"]), type=str(sent["error"]["type"]))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ProviderError()
