"""The shape of Gemini's generateContent: replies, streams and errors of chats."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic

import httpx
import orjson
from pydantic import Field, ValidationError

from inference.services.calls import Call, SettingsT, given, post
from inference.services.chat_shape import (
    Chunks,
    answer_of,
    function_call,
    usage_told,
)
from inference.services.gemini_bodies import (
    contents_of,
    system_of,
    thinking_of,
    tool_config_of,
    tools_of,
)
from inference.services.google import google_error
from inference.services.openai_chat import deltas
from inference.services.remote import ProviderFailed, Task
from inference.services.replies import Received, first_problem
from inference.types import Completions, InferenceResult, TaskType
from inference.upstream.errors import ProviderError
from inference.upstream.sse import ServerEvent

FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
}
DETAILS_FORMAT = "google-vertex-ai-v1"


class FunctionCall(Received):
    id: str | None = None
    name: str
    args: dict[str, Any] = Field(default_factory=dict)


class Part(Received):
    text: str = ""
    thought: bool = False
    signature: str | None = Field(alias="thoughtSignature", default=None)
    call: FunctionCall | None = Field(alias="functionCall", default=None)


class Content(Received):
    parts: list[Part] = Field(default_factory=list)


class Candidate(Received):
    content: Content = Field(default_factory=Content)
    finish_reason: str | None = Field(alias="finishReason", default=None)

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.content.parts if not part.thought)


class Usage(Received):
    prompt: int = Field(alias="promptTokenCount", default=0)
    written: int = Field(alias="candidatesTokenCount", default=0)
    thoughts: int | None = Field(alias="thoughtsTokenCount", default=None)
    cached: int | None = Field(alias="cachedContentTokenCount", default=None)

    def to_json(self) -> dict[str, Any]:
        written = self.written + (self.thoughts or 0)
        return usage_told(self.prompt, written, cached=self.cached, reasoning=self.thoughts)


class Feedback(Received):
    block_reason: str | None = Field(alias="blockReason", default=None)


class GeminiReply(Received):
    """A whole answer, or the next piece of one."""

    candidates: list[Candidate] = Field(default_factory=list)
    feedback: Feedback = Field(alias="promptFeedback", default_factory=Feedback)
    usage: Usage | None = Field(alias="usageMetadata", default=None)
    model: str | None = Field(alias="modelVersion", default=None)
    id: str = Field(alias="responseId", default="")

    def check(self) -> None:
        """Raises ProviderFailed for a prompt that was blocked."""
        if self.feedback.block_reason:
            told = ProviderError(f"The prompt was blocked: {self.feedback.block_reason}")
            raise ProviderFailed(told, 400)


class GeminiChat(Task[SettingsT, GeminiReply], Generic[SettingsT]):
    """A chat, or a completion: the same request with a single message."""

    reply = GeminiReply
    can_stream = True
    most_inputs = 1

    def url(self, call: Call[SettingsT]) -> str:
        raise NotImplementedError

    def generation_config(self, call: Call[SettingsT]) -> dict[str, Any]:
        """What the endpoint stores of it; a chat's own wishes win."""
        return {}

    def payload(self, call: Call[SettingsT]) -> dict[str, Any]:
        chat = call.chat
        config = self.generation_config(call) | given(
            stopSequences=chat.stop or None,
            temperature=chat.temperature,
            maxOutputTokens=chat.max_completion_tokens,
            topP=chat.top_p,
            thinkingConfig=thinking_of(chat),
        )
        return given(
            contents=contents_of(chat),
            generationConfig=config or None,
            tools=tools_of(chat),
            toolConfig=tool_config_of(chat),
            systemInstruction=system_of(chat),
        )

    def build(self, call: Call[SettingsT]) -> httpx.Request:
        return post(self.url(call), self.payload(call))

    def parse(self, reply: GeminiReply, call: Call[SettingsT]) -> InferenceResult:
        reply.check()
        if not reply.candidates:
            raise ValueError("it holds no [candidates]")
        first = reply.candidates[0]
        if call.task_type == TaskType.COMPLETION:
            if not any(candidate.text for candidate in reply.candidates):
                raise no_text(first.finish_reason)
            return Completions(tuple(candidate.text for candidate in reply.candidates))
        told = Told.of(first)
        return answer_of(
            reply.id,
            reply.model,
            first.text,
            [function_call(*call) for call in told.calls],
            finish_reason(first, has_calls=bool(told.calls)),
            reply.usage.to_json() if reply.usage else None,
            **told.reasoning,
        )

    def chunks(
        self, events: Iterator[ServerEvent], call: Call[SettingsT]
    ) -> Iterator[dict[str, Any]]:
        sent = replies_in(events)
        is_chat = call.task_type == TaskType.CHAT_COMPLETION
        return chat_chunks(sent) if is_chat else texts_in(sent)


def replies_in(events: Iterator[ServerEvent]) -> Iterator[GeminiReply]:
    """Raises ProviderFailed for an error, ValueError for what is no reply."""
    for event in events:
        told = google_error(event.data.encode())
        if told != ProviderError():
            code = int(told.code) if told.code and told.code.isdigit() else 500
            raise ProviderFailed(told, code if 400 <= code < 500 else 500)
        try:
            reply = GeminiReply.model_validate_json(event.data)
        except ValidationError as exc:
            raise ValueError(first_problem(exc)) from None
        reply.check()
        yield reply


def texts_in(replies: Iterator[GeminiReply]) -> Iterator[dict[str, Any]]:
    """Raises ProviderFailed where none of them holds any."""
    has_text, reason = False, None
    for reply in replies:
        for candidate in reply.candidates:
            has_text, reason = has_text or bool(candidate.text), candidate.finish_reason
        yield from deltas(candidate.text for candidate in reply.candidates)
    if not has_text:
        raise no_text(reason)


def no_text(reason: str | None) -> ProviderFailed:
    """Of an answer whose tokens were all thought, for example."""
    told = ProviderError(f"The answer holds no text, and ended with [{reason}]")
    return ProviderFailed(told, 400)


def chat_chunks(replies: Iterator[GeminiReply]) -> Iterator[dict[str, Any]]:
    """Each reply holds the usage so far; what is told is the last."""
    chunks, usage = Chunks(), None
    for number, reply in enumerate(replies):
        chunks.id, chunks.model = reply.id or chunks.id, reply.model or chunks.model
        usage = reply.usage or usage
        for candidate in reply.candidates[:1]:
            told = Told.of(candidate)
            delta = {"role": "assistant"} if number == 0 else {}
            if text := candidate.text:
                delta["content"] = text
            delta |= told.reasoning
            calls = [chunks.begun(*call) for call in told.calls]
            reason = finish_reason(candidate, has_calls=chunks.tool_calls > 0)
            yield chunks.delta(reason, **delta, **given(tool_calls=calls or None))
    if usage:
        yield chunks.usage(usage.to_json())


@dataclass(frozen=True)
class Told:
    """What a candidate has beside its text. calls: id, name and arguments of each."""

    calls: list[tuple[str, str, str]] = field(default_factory=list)
    reasoning: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, candidate: Candidate) -> "Told":
        calls, details = [], []
        for part in candidate.content.parts:
            if part.thought:
                details.append(
                    {"type": "reasoning.text", "text": part.text}
                    | given(signature=part.signature)
                    | {"format": DETAILS_FORMAT}
                )
            elif part.call:
                call = part.call
                calls.append((call.id or call.name, call.name, orjson.dumps(call.args).decode()))
                if part.signature:
                    details.append(
                        {
                            "type": "reasoning.encrypted",
                            "id": call.id or call.name,
                            "data": part.signature,
                            "format": DETAILS_FORMAT,
                        }
                    )
        thoughts = "".join(part.text for part in candidate.content.parts if part.thought)
        reasoning = given(reasoning=thoughts or None, reasoning_details=details or None)
        return cls(calls, reasoning)


def finish_reason(candidate: Candidate, *, has_calls: bool) -> str | None:
    """Gemini says STOP of a call of a tool, too."""
    reason = candidate.finish_reason
    if reason is None:
        return None
    if reason == "STOP" and has_calls:
        return "tool_calls"
    return FINISH_REASONS.get(reason, reason.lower())
