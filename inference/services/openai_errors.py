"""Failures in the shape of OpenAI's API, told in place of a reply or in the middle of a stream."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import orjson
from pydantic import ValidationError

from inference.services.refusals import as_text, words_of
from inference.services.remote import ProviderFailed, RemoteService
from inference.services.replies import first_problem
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError
from inference.upstream.sse import ServerEvent

EventT = TypeVar("EventT")
PROMPT_TOO_LONG = "Please reduce your prompt; or completion length."
LIMIT_HEADERS = (
    ("Token limit", "x-ratelimit-limit-tokens"),
    ("remaining tokens", "x-ratelimit-remaining-tokens"),
    ("Request limit", "x-ratelimit-limit-requests"),
    ("remaining requests", "x-ratelimit-remaining-requests"),
)


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


def is_too_large(reply: Reply, told: ProviderError) -> bool:
    if reply.status == 413:
        return True
    too_long = PROMPT_TOO_LONG in told.message or told.code == "context_length_exceeded"
    return reply.status == 400 and too_long
