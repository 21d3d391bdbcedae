"""An endpoint of a service whose provider replies with what a test says, byte for byte."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
import orjson

from inference.chat import ChatRequest
from inference.remote import Line
from inference.services import find_service
from inference.services.base import EndpointConfig
from inference.services.remote import RemoteService
from inference.types import InferenceRequest, TaskType
from inference.upstream.door import Door

ENDPOINT = "my-endpoint"


@dataclass(frozen=True)
class Replied:
    """What a provider replies. content: bytes as they are, anything else as JSON."""

    content: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def to_response(self) -> httpx.Response:
        is_raw = isinstance(self.content, bytes)
        content = self.content if is_raw else orjson.dumps(self.content)
        return httpx.Response(self.status, headers=self.headers, content=content)


@dataclass
class Asking:
    """The endpoint, and what its provider has got. replies: in their order, the last one for ever.

    A body alone stands for a reply with status 200. Waits between attempts take no time.
    """

    service: RemoteService
    config: EndpointConfig
    replies: list[Replied]
    requests: list[httpx.Request] = field(default_factory=list)

    @cached_property
    def line(self) -> Line:
        door = Door(transport=httpx.MockTransport(self._reply), wait=lambda seconds: None)
        return Line(door, self.service, self.config, ENDPOINT)

    @property
    def request(self) -> httpx.Request:
        """The last one."""
        return self.requests[-1]

    @property
    def body(self) -> Any:
        """The JSON of the last request."""
        return orjson.loads(self.request.content)

    def infer(self, *texts: str, **more: Any) -> dict[str, Any]:
        """The answer as the API shows it. more: of an InferenceRequest."""
        return self.line.answer(InferenceRequest(texts, **more), 5).to_response()

    def chat(self, prompt: str = "hi", **more: Any) -> dict[str, Any]:
        """more: of the body of a chat; `messages` take the place of the prompt."""
        return self.line.answer(chat_request(prompt, **more), 5).to_response()

    def stream(self, prompt: str = "hi", **more: Any) -> Iterator[dict[str, Any]]:
        """The events of a stream, of a chat or a completion as the endpoint's task is."""
        if self.config.task_type == TaskType.CHAT_COMPLETION:
            return self.line.stream(chat_request(prompt, **more), 5)
        return self.line.stream(InferenceRequest((prompt,), **more), 5)

    def _reply(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply.to_response()


def endpoint(
    service: str,
    task_type: TaskType,
    settings: dict[str, Any],
    *replies: Any,
    task_settings: dict[str, Any] | None = None,
) -> Asking:
    """Raises InvalidSettings or InvalidRequest for settings that no endpoint can have."""
    adapter: Any = find_service(service)
    config = adapter.parse(
        task_type, {"service_settings": settings, "task_settings": task_settings}
    )
    told = [one if isinstance(one, Replied) else Replied(one) for one in replies]
    return Asking(adapter, config, told)


def chat_request(prompt: str = "hi", **more: Any) -> ChatRequest:
    messages = more.pop("messages", [{"role": "user", "content": prompt}])
    return ChatRequest.model_validate({"messages": messages, **more})


def sse(*events: Any, is_done: bool = True) -> bytes:
    """A stream of events, as a provider writes it."""
    told = [event if isinstance(event, bytes) else orjson.dumps(event) for event in events]
    return b"".join(b"data: %s\n\n" % one for one in [*told, *[b"[DONE]"] * is_done])
