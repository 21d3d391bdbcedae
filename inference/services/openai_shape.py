"""The shape of OpenAI's API, which most providers speak: bodies, replies, streams and errors.

What a provider does differently is overridden, never branched on.
"""

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import httpx
import numpy as np
import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from inference.chat import ChatRequest, Tool
from inference.errors import InvalidRequest
from inference.services.remote import (
    PROMPT_TOO_LONG,
    Call,
    ProviderFailed,
    RemoteService,
    SettingsT,
    Task,
    first_problem,
    given,
    post,
)
from inference.services.replies import embeddings
from inference.types import (
    ChatAnswer,
    Completions,
    InferenceResult,
    TaskType,
    TextEmbeddings,
)
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError
from inference.upstream.sse import ServerEvent

EventT = TypeVar("EventT")
LIMIT_HEADERS = (
    ("Token limit", "x-ratelimit-limit-tokens"),
    ("remaining tokens", "x-ratelimit-remaining-tokens"),
    ("Request limit", "x-ratelimit-limit-requests"),
    ("remaining requests", "x-ratelimit-remaining-requests"),
)


RECEIVED = ConfigDict(frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class Received(BaseModel):
    """A part of a provider's reply: what is not named here is not looked at."""

    model_config = RECEIVED


# ---------------------------------------------------------------------- vectors


class EmbeddingRow(Received):
    embedding: list[float] | str


class EmbeddingReply(Received):
    data: list[EmbeddingRow]


class OpenAIEmbedding(Task[SettingsT, EmbeddingReply], Generic[SettingsT]):
    """Vectors of texts."""

    reply = EmbeddingReply
    is_cut = True

    def url(self, settings: SettingsT) -> str:
        raise NotImplementedError

    def payload(self, call: Call[SettingsT]) -> dict[str, Any]:
        raise NotImplementedError

    def headers(self, call: Call[SettingsT]) -> dict[str, str]:
        return {}

    def build(self, call: Call[SettingsT]) -> httpx.Request:
        return post(self.url(call.settings), self.payload(call), self.headers(call))

    def parse(self, reply: EmbeddingReply, call: Call[SettingsT]) -> TextEmbeddings:
        return embeddings([vector_of(row.embedding) for row in reply.data], call)

    def is_too_large(self, reply: Reply, told: ProviderError) -> bool:
        return is_too_large(reply, told)


def vector_of(sent: list[float] | str) -> Any:
    """Numbers, or base64 of little-endian float32. Raises ValueError."""
    if not isinstance(sent, str):
        return sent
    try:
        return np.frombuffer(base64.b64decode(sent, validate=True), dtype="<f4")
    except (binascii.Error, ValueError):
        raise ValueError("an embedding is neither numbers nor base64 of them") from None


def is_too_large(reply: Reply, told: ProviderError) -> bool:
    if reply.status == 413:
        return True
    too_long = PROMPT_TOO_LONG in told.message or told.code == "context_length_exceeded"
    return reply.status == 400 and too_long


# ---------------------------------------------------------------------- chats


class ReceivedFunction(Received):
    name: str | None = None
    arguments: str | None = None


class ReceivedToolCall(Received):
    index: int | None = None
    id: str | None = None
    function: ReceivedFunction | None = None
    type: str | None = None


def text_of(content: Any) -> Any:
    """The text of a content that comes in parts; what a model thinks is none of it."""
    if not isinstance(content, list):
        return content
    texts = (part.get("text") for part in content if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


class ReceivedMessage(Received):
    content: Annotated[str | None, BeforeValidator(text_of)] = None
    refusal: str | None = None
    role: str | None = None
    tool_calls: list[ReceivedToolCall] | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


class PromptDetails(Received):
    cached_tokens: int | None = None


class CompletionDetails(Received):
    reasoning_tokens: int | None = None


class Usage(Received):
    completion_tokens: int
    prompt_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


class Choice(Received):
    message: ReceivedMessage
    finish_reason: str | None = None
    index: int = 0


class ChatReply(Received):
    """A whole answer. An `error` in its place is a failure that came with status 200."""

    id: str = ""
    model: str | None = None
    created: int | None = None
    choices: list[Choice]
    usage: Usage | None = None


class ChunkChoice(Received):
    delta: ReceivedMessage
    finish_reason: str | None = None
    index: int = 0


class ChatChunk(Received):
    id: str
    choices: list[ChunkChoice]
    model: str | None = None
    object: str | None = None
    usage: Usage | None = None


class OpenAIChat(Task[SettingsT, ChatReply], Generic[SettingsT]):
    """A chat, or a completion: the same request with a single message.

    limit_field: what the body calls the most tokens to write. has_stream_options: whether usage
    is asked for in a stream. names_model: whether the body names the model. ends_with_done:
    whether a stream without a [DONE] was broken off, unless a reason to finish was told.
    """

    reply = ChatReply
    can_stream = True
    most_inputs = 1
    limit_field: ClassVar[str] = "max_completion_tokens"
    has_stream_options: ClassVar[bool] = True
    names_model: ClassVar[bool] = True
    ends_with_done: ClassVar[bool] = False

    def url(self, settings: SettingsT) -> str:
        raise NotImplementedError

    def headers(self, call: Call[SettingsT]) -> dict[str, str]:
        return {}

    def model(self, settings: SettingsT) -> str | None:
        """The endpoint's model; the one that a chat names wins."""
        found: str | None = getattr(settings, "model_id", None)
        return found

    def extras(self, call: Call[SettingsT]) -> dict[str, Any]:
        """What the provider's body has beside the shape: `user`, for example."""
        return {}

    def reasoning(self, chat: ChatRequest) -> dict[str, Any]:
        """How the body says what a chat wishes of reasoning. Raises InvalidRequest."""
        if chat.reasoning is not None:
            raise InvalidRequest("The [reasoning] field is not supported by this service")
        return {}

    def messages(self, chat: ChatRequest) -> list[dict[str, Any]]:
        return [message.to_json() for message in chat.messages]

    def tool(self, tool: Tool) -> dict[str, Any]:
        return tool.to_json()

    def payload(self, call: Call[SettingsT]) -> dict[str, Any]:
        chat = call.chat
        body = given(
            messages=self.messages(chat),
            model=(chat.model or self.model(call.settings)) if self.names_model else None,
            **{self.limit_field: chat.max_completion_tokens},
            n=1,
            stop=chat.stop or None,
            temperature=chat.temperature,
            top_p=chat.top_p,
            tools=chat.tools and [self.tool(tool) for tool in chat.tools],
            tool_choice=tool_choice(chat),
            stream=call.is_stream,
            stream_options=(
                {"include_usage": True} if call.is_stream and self.has_stream_options else None
            ),
        )
        return body | self.reasoning(chat) | self.extras(call)

    def build(self, call: Call[SettingsT]) -> httpx.Request:
        return post(self.url(call.settings), self.payload(call), self.headers(call))

    def parse(self, reply: ChatReply, call: Call[SettingsT]) -> InferenceResult:
        if call.task_type == TaskType.COMPLETION:
            texts = tuple(choice.message.content or "" for choice in reply.choices)
            if not texts:
                raise ValueError("it holds no [choices]")
            return Completions(texts)
        return ChatAnswer(chat_answer(reply))

    def chunks(
        self, events: Iterator[ServerEvent], call: Call[SettingsT]
    ) -> Iterator[dict[str, Any]]:
        has_finished = False
        for event in events:
            if event.is_done:
                return
            chunk = self.chunk(event)
            has_finished |= any(choice.finish_reason for choice in chunk.choices)
            if call.task_type == TaskType.CHAT_COMPLETION:
                yield chat_chunk(chunk)
            else:
                yield from deltas(choice.delta.content for choice in chunk.choices)
        if self.ends_with_done and not has_finished:
            raise ValueError("it ended before its end")

    def chunk(self, event: ServerEvent) -> ChatChunk:
        """Raises ProviderFailed for an error, ValueError for what is no chunk."""
        return read_event(event, self.chunk_of, self.error)

    def chunk_of(self, data: str) -> ChatChunk:
        return ChatChunk.model_validate_json(data)

    def error(self, body: bytes) -> ProviderError:
        """What an event says of a failure; empty where it says nothing."""
        return openai_error(body)

    def is_too_large(self, reply: Reply, told: ProviderError) -> bool:
        return is_too_large(reply, told)


def tool_choice(chat: ChatRequest) -> Any:
    choice = chat.tool_choice
    return choice if choice is None or isinstance(choice, str) else choice.to_json()


def deltas(texts: Any) -> Iterator[dict[str, Any]]:
    """The event of a completion's stream for some texts; none where all of them are empty."""
    if found := [{"delta": text} for text in texts if text]:
        yield {"completion": found}


def chat_chunk(chunk: ChatChunk) -> dict[str, Any]:
    """A chunk as a caller gets it, in Elasticsearch's order of fields."""
    shown: dict[str, Any] = {
        "id": chunk.id,
        "choices": [
            given(
                delta=with_indexes(choice.delta.to_json()),
                finish_reason=choice.finish_reason,
                index=choice.index,
            )
            for choice in chunk.choices
        ],
    }
    return shown | given(
        model=chunk.model, object=chunk.object, usage=chunk.usage and chunk.usage.to_json()
    )


def with_indexes(delta: dict[str, Any]) -> dict[str, Any]:
    """Tool calls numbered by their place, where a provider leaves that out."""
    for place, call in enumerate(delta.get("tool_calls", ())):
        call.setdefault("index", place)
    return delta


def chat_answer(reply: ChatReply) -> dict[str, Any]:
    """A whole answer as a caller gets it."""
    shown: dict[str, Any] = {"id": reply.id, "object": "chat.completion"}
    shown |= given(created=reply.created, model=reply.model)
    shown["choices"] = [
        {
            "index": choice.index,
            "message": {"role": "assistant", "content": None} | choice.message.to_json(),
            "finish_reason": choice.finish_reason,
        }
        for choice in reply.choices
    ]
    return shown | given(usage=reply.usage and reply.usage.to_json())


# ---------------------------------------------------------------------- errors


def openai_error(body: bytes) -> ProviderError:
    """What a failure's body says, in OpenAI's shape and in those that come near it."""
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ProviderError()
    error = sent.get("error", sent) if isinstance(sent, dict) else None
    if isinstance(error, str):
        return ProviderError(error)
    if not isinstance(error, dict):
        return ProviderError()
    return ProviderError(
        message=as_text(error.get("message") or error.get("detail")) or "",
        code=as_text(error.get("code")),
        type=as_text(error.get("type")),
        param=as_text(error.get("param")),
    )


def read_event(
    event: ServerEvent,
    read: Callable[[str], EventT],
    error: Callable[[bytes], ProviderError] = openai_error,
) -> EventT:
    """What an event holds.

    read: its data, with ValidationError where it is something else. error: what it says of a
    failure. Raises ProviderFailed for an error, ValueError for what is neither.
    """
    if event.name == "error":
        raise ProviderFailed(error(event.data.encode()))
    try:
        return read(event.data)
    except ValidationError as exc:
        told = error(event.data.encode())
        if told.message:
            raise ProviderFailed(told) from None
        raise ValueError(first_problem(exc)) from None


def as_text(value: Any) -> str | None:
    """A value of a failure's body as words: JSON where it is no text."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def words_of(body: bytes) -> str:
    """A failure's body of no known shape, as it is; empty for a page that is meant for people."""
    text = body.decode(errors="replace").strip()
    return "" if text.startswith("<") else text


class OpenAIShaped(RemoteService):
    """A service whose failures have OpenAI's shape."""

    def error(self, body: bytes) -> ProviderError:
        """What the body of a failure says; empty where it has none of the shapes known here."""
        return openai_error(body)

    def told(self, reply: Reply) -> ProviderError:
        told = self.error(reply.content)
        return told if told.message else replace(told, message=words_of(reply.content))

    def suffix(self, reply: Reply) -> str:
        if reply.status != 429:
            return ""
        said = [f"{label} [{reply.headers.get(name, 'unknown')}]" for label, name in LIMIT_HEADERS]
        return f". {said[0]}, {said[1]}. {said[2]}, {said[3]}"
