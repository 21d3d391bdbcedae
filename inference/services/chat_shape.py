"""Chats of providers that have a shape of their own, told in OpenAI's."""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

import orjson

from inference.chat import ChatRequest, File, ToolCall
from inference.errors import InvalidRequest
from inference.services.calls import given
from inference.types import ChatAnswer

CHUNK = "chat.completion.chunk"


@dataclass(frozen=True)
class DataUri:
    """`data:image/png;base64,...`, taken apart. data: base64."""

    media_type: str
    data: str

    @classmethod
    def parse(cls, uri: str) -> "DataUri | None":
        """None for what is no such address."""
        head, comma, data = uri.partition(",")
        if not comma or not head.startswith("data:") or not head.endswith(";base64"):
            return None
        media_type, *_ = head.removeprefix("data:").split(";")
        return cls(media_type.lower(), data)

    @property
    def text(self) -> str:
        """What it holds, as words. Raises InvalidRequest."""
        try:
            return b64decode(self.data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise InvalidRequest("A file of type text/plain is not base64 of a text") from None


def file_of(file: File) -> DataUri:
    """Raises InvalidRequest for a file that is not given with its content."""
    found = DataUri.parse(file.file_data or "")
    if found is None:
        raise InvalidRequest("A [file] needs its content in [file_data], as a data URI in base64")
    return found


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """What a tool was called with; nothing where that is blank. Raises InvalidRequest."""
    if not call.function.arguments.strip():
        return {}
    try:
        found = orjson.loads(call.function.arguments)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise InvalidRequest(
            f"The [arguments] of tool call [{call.id}] are not the JSON text of an object"
        )
    return found


def refuse_reasoning(chat: ChatRequest) -> None:
    """For services that cannot be told how to reason. Raises InvalidRequest."""
    if chat.reasoning is not None:
        raise InvalidRequest("The [reasoning] field is not supported by this service")


def usage_told(
    prompt: int, completion: int, *, cached: int | None = None, reasoning: int | None = None
) -> dict[str, Any]:
    """Tokens read and written. cached, reasoning: how many of them came from there."""
    told: dict[str, Any] = {
        "completion_tokens": completion,
        "prompt_tokens": prompt,
        "total_tokens": prompt + completion,
    }
    if cached is not None:
        told["prompt_tokens_details"] = {"cached_tokens": cached}
    if reasoning is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return told


def function_call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {
        "id": call_id,
        "function": {"arguments": arguments, "name": name},
        "type": "function",
    }


def answer_of(
    answer_id: str,
    model: str | None,
    text: str,
    tool_calls: list[dict[str, Any]],
    finish_reason: str | None,
    usage: dict[str, Any] | None,
    **more: Any,
) -> ChatAnswer:
    """A whole answer. more: what its message has beside text and tool calls."""
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    message |= given(tool_calls=tool_calls or None, **more)
    if not tool_calls:
        message["content"] = text
    shown: dict[str, Any] = {"id": answer_id, "object": "chat.completion"} | given(model=model)
    shown["choices"] = [{"index": 0, "message": message, "finish_reason": finish_reason}]
    return ChatAnswer(shown | given(usage=usage))


@dataclass
class Chunks:
    """Makes the chunks of one stream. tool_calls: how many have begun."""

    id: str = ""
    model: str | None = None
    tool_calls: int = 0

    def delta(self, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
        choice = {"delta": delta} | given(finish_reason=finish_reason) | {"index": 0}
        return self._chunk([choice])

    def begun(self, call_id: str, name: str, arguments: str = "") -> dict[str, Any]:
        """A call of a tool, numbered."""
        self.tool_calls += 1
        return {"index": self.tool_calls - 1, **function_call(call_id, name, arguments)}

    def call(self, call_id: str, name: str) -> dict[str, Any]:
        """A call of a tool begins; its arguments follow."""
        return self.delta(tool_calls=[self.begun(call_id, name)])

    def arguments(self, text: str) -> dict[str, Any]:
        """More of the arguments of the call that began last."""
        more = {"index": max(self.tool_calls - 1, 0), "function": {"arguments": text}}
        return self.delta(tool_calls=[more])

    def usage(self, usage: dict[str, Any]) -> dict[str, Any]:
        return self._chunk([]) | {"usage": usage}

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": self.id, "choices": choices} | given(model=self.model) | {"object": CHUNK}
