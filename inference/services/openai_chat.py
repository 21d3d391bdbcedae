"""Chats and completions in the shape of OpenAI's API: bodies, replies and streams.

What a provider does differently is overridden, never branched on.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Generic

import httpx
from pydantic import BeforeValidator

from inference.chat import ChatRequest, Tool
from inference.errors import InvalidRequest
from inference.services.calls import Call, SettingsT, given, post
from inference.services.openai_errors import is_too_large, openai_error, read_event
from inference.services.remote import Task
from inference.services.replies import Received
from inference.types import ChatAnswer, Completions, InferenceResult, TaskType
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError
from inference.upstream.sse import ServerEvent


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
