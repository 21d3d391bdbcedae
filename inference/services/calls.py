"""One call to a provider, and what its request is made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

import httpx
import orjson

from inference.chat import ChatRequest
from inference.services.remote_settings import RemoteSettings
from inference.types import InferenceRequest, InputType, TaskType
from inference.upstream.door import USER_AGENT

CHARACTERS_PER_TOKEN = 3
MOST_ADDRESSES = 1000
# Some providers ask for the product that calls them.
REQUEST_SOURCE = {"Request-Source": f"unspecified:{USER_AGENT}"}
SettingsT = TypeVar("SettingsT", bound=RemoteSettings)


@dataclass(frozen=True)
class Call(Generic[SettingsT]):
    """One call to a provider: what the endpoint says, and what is asked of it now.

    task_settings: those of the endpoint with those of this call over them, as the task's schema.
    """

    settings: SettingsT
    task_settings: Any
    request: Any
    task_type: TaskType
    is_stream: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """The inputs of a request that has texts."""
        request: InferenceRequest = self.request
        return request.input

    @property
    def input(self) -> InferenceRequest:
        """The request of any task but a chat."""
        request: InferenceRequest = self.request
        return request

    @property
    def chat(self) -> ChatRequest:
        """The request of a chat; a completion is one with a single message."""
        if isinstance(self.request, ChatRequest):
            return self.request
        return ChatRequest.of_prompt(self.texts[0])

    @property
    def input_type(self) -> InputType:
        """What the call says, else its task settings or the endpoint's."""
        if self.input.input_type != InputType.UNSPECIFIED:
            return self.input.input_type
        stored = getattr(self.task_settings, "input_type", None)
        return InputType(stored) if stored else InputType.UNSPECIFIED

    @property
    def top_n(self) -> int | None:
        if self.input.top_n is not None:
            return self.input.top_n
        found: int | None = getattr(self.task_settings, "top_n", None)
        return found

    @property
    def return_documents(self) -> bool | None:
        if self.input.return_documents is not None:
            return self.input.return_documents
        found: bool | None = getattr(self.task_settings, "return_documents", None)
        return found


def post(url: str, payload: Any, headers: Mapping[str, str] | None = None) -> httpx.Request:
    """A request with JSON."""
    return httpx.Request(
        "POST",
        address(url),
        content=orjson.dumps(payload, option=orjson.OPT_SERIALIZE_NUMPY),
        headers={"Content-Type": "application/json", **(headers or {})},
    )


# Reading an address takes longer than all else that a request is made of.
address = lru_cache(MOST_ADDRESSES)(httpx.URL)


def given(**fields: Any) -> dict[str, Any]:
    """The fields of a body that are set."""
    return {name: value for name, value in fields.items() if value is not None}


def cut_call(call: Call[Any], most_characters: Iterable[int]) -> Call[Any]:
    """The call with each text cut to so many characters."""
    texts = tuple(text[:most] for text, most in zip(call.texts, most_characters, strict=True))
    return replace(call, request=replace(call.request, input=texts))
