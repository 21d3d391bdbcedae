"""OpenAI's API as a provider plays it: what the others that speak it share."""

import base64
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.provider import (
    Asked,
    Provider,
    Refused,
    Strict,
    Told,
    json_told,
    read,
    sse_told,
)

MOST_INPUTS = 2048
CREATED = 1_700_000_000


class EmbeddingBody(Strict):
    input: str | list[str] = Field(min_length=1)
    model: str
    user: str | None = None
    dimensions: int | None = Field(default=None, ge=1)
    encoding_format: Literal["float", "base64"] = "float"


class StreamOptions(Strict):
    include_usage: bool = False


class ChatFields(Strict):
    """What all who speak OpenAI's API know."""

    messages: list[dict[str, Any]] = Field(min_length=1)
    n: int | None = None
    stop: list[str] | str | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    stream: bool = False


class ChatBody(ChatFields):
    model: str
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stream_options: StreamOptions | None = None
    user: str | None = None
    reasoning_effort: str | None = None


class OlderChatBody(ChatFields):
    """With the limit of tokens under its first name."""

    model: str
    max_tokens: int | None = Field(default=None, ge=1)
    stream_options: StreamOptions | None = None


class OpenAIShapedSandbox(Provider):
    """What differs is overridden: bodies, routes, how a key is sent."""

    def embed(self, asked: Asked) -> Told:
        return self.embeddings(read(EmbeddingBody, asked))

    def chat(self, asked: Asked) -> Told:
        return self.answer(read(ChatBody, asked))

    def embeddings(self, body: Any) -> Told:
        texts = [body.input] if isinstance(body.input, str) else body.input
        if len(texts) > MOST_INPUTS:
            raise Refused(400, f"'$.input' is invalid: at most {MOST_INPUTS} items")
        dimensions = getattr(body, "dimensions", None) or made_up.DIMENSIONS
        vectors = [made_up.vector(text, dimensions) for text in texts]
        is_packed = getattr(body, "encoding_format", "float") == "base64"
        return json_told(
            {
                "object": "list",
                "data": [
                    {"object": "embedding", "index": n, "embedding": pack(v) if is_packed else v}
                    for n, v in enumerate(vectors)
                ],
                "model": getattr(body, "model", "model"),
                "usage": {"prompt_tokens": len(texts), "total_tokens": len(texts)},
            }
        )

    def answer(self, body: Any) -> Told:
        prompt = prompt_of(body.messages)
        model = getattr(body, "model", None) or "model"
        text = made_up.reply_to(prompt)
        tools = getattr(body, "tools", None)
        if tools and body.tool_choice == "none":
            tools = None
        if body.stream:
            return sse_told(self.stream(body, model, text, tools))
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if tools:
            message = {"role": "assistant", "content": None, "tool_calls": [tool_call(tools)]}
        return json_told(
            {
                "id": "chatcmpl-sandbox",
                "object": "chat.completion",
                "created": CREATED,
                "model": model,
                "choices": [
                    {
                        "index": 0,
                        "message": message,
                        "finish_reason": "tool_calls" if tools else "stop",
                    }
                ],
                "usage": usage_of(prompt, text),
            }
        )

    def stream(
        self, body: Any, model: str, text: str, tools: list[dict[str, Any]] | None
    ) -> Iterator[dict[str, Any]]:
        """The events of an answer; usage is told where the body asks for it."""
        options = getattr(body, "stream_options", None)
        tells_usage = bool(options and options.include_usage)
        usage = usage_of(prompt_of(body.messages), text) if tells_usage else None
        return chunks(model, text, tools, usage)


def models_told(*names: str) -> Told:
    """OpenAI's list of models."""
    return json_told({"object": "list", "data": [{"id": name} for name in names]})


def pack(vector: list[float]) -> str:
    return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()


def prompt_of(messages: list[dict[str, Any]]) -> str:
    """What the last message says. Raises Refused for a message that is none."""
    for message in messages:
        if message.get("role") not in ("system", "developer", "user", "assistant", "tool"):
            raise Refused(400, f"Invalid role [{message.get('role')}]")
    content = messages[-1].get("content") or ""
    if isinstance(content, list):
        content = "".join(part.get("text", "") for part in content)
    return str(content)


def usage_of(prompt: str, text: str) -> dict[str, int]:
    asked, written = made_up.tokens(prompt), made_up.tokens(text)
    return {
        "prompt_tokens": asked,
        "completion_tokens": written,
        "total_tokens": asked + written,
    }


def tool_call(tools: list[dict[str, Any]]) -> dict[str, Any]:
    name = tools[0]["function"]["name"]
    return {
        "index": 0,
        "id": "call_sandbox",
        "type": "function",
        "function": {"name": name, "arguments": "{}"},
    }


def chunks(
    model: str, text: str, tools: list[dict[str, Any]] | None, usage: Any = None
) -> Iterator[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if tools:
        deltas.append({"tool_calls": [tool_call(tools)]})
    else:
        deltas += [{"content": piece} for piece in made_up.pieces_of(text)]
    ends: list[str | None] = [None] * len(deltas) + ["tool_calls" if tools else "stop"]
    for delta, end in zip([*deltas, {}], ends, strict=True):
        yield chunk(model, [{"index": 0, "delta": delta, "finish_reason": end}])
    if usage:
        yield chunk(model, []) | {"usage": usage}


def chunk(model: str, choices: list[Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-sandbox",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "choices": choices,
    }
