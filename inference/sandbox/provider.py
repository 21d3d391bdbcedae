"""What plays one provider: its origins, its routes, and how it refuses."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, TypeAlias, TypeVar
from urllib.parse import parse_qsl

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

# A key that holds one of these words is one that the provider does not know, or does not let in.
WRONG, FORBIDDEN = "wrong", "forbidden"
BodyT = TypeVar("BodyT", bound=BaseModel)


class Strict(BaseModel):
    """A body that may hold nothing unknown."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Asked:
    """A request as a provider sees it. url: the one that it was meant for."""

    method: str
    url: httpx.URL
    headers: httpx.Headers
    content: bytes

    @property
    def path(self) -> str:
        return self.url.path

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.url.query.decode(), keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.content.decode(), keep_blank_values=True))

    @property
    def bearer(self) -> str:
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind == "Bearer" else ""


@dataclass(frozen=True)
class Told:
    """An answer. content: bytes, or pieces of a stream, each of which is sent at once."""

    status: int = 200
    content: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class Refused(Exception):
    """How a provider says no: a status, and what its body tells."""

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.headers, self.more = dict(headers or {}), more


Handler: TypeAlias = Callable[[Asked], Told]


class Provider:
    """One provider. origins: where it is really found; `https://*.name` for all below a name."""

    name: ClassVar[str]
    origins: ClassVar[tuple[str, ...]]

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        """What answers a method and a path, which is a regular expression."""
        raise NotImplementedError

    def check_key(self, asked: Asked) -> None:
        """Refuse who does not prove who it is, with a bearer token here. Raises Refused."""
        check_token(asked.bearer)

    def refusal(self, refused: Refused) -> Any:
        """The body of a refusal, as this provider writes it."""
        return {"error": {"message": refused.message, **refused.more}}

    def broken_stream(self, refused: Refused) -> bytes:
        """How it says no within a stream that has begun."""
        return b"data: %s\n\n" % orjson.dumps(self.refusal(refused))


def check_token(token: str, status: int = 401) -> None:
    """A key as the sandbox knows it: any but none and those that say that they are wrong."""
    if not token or WRONG in token:
        raise Refused(status, "Incorrect API key provided", code="invalid_api_key")
    if FORBIDDEN in token:
        raise Refused(403, "This key has no access to the model")


def read(schema: type[BodyT], asked: Asked, status: int = 400) -> BodyT:
    """A JSON body of this shape. Raises Refused."""
    if "application/json" not in asked.headers.get("content-type", ""):
        raise Refused(415, "Content-Type must be application/json")
    try:
        return schema.model_validate_json(asked.content)
    except ValidationError as exc:
        error = exc.errors()[0]
        place = ".".join(map(str, error["loc"]))
        raise Refused(status, f"{place}: {error['msg']}") from None


def json_told(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Told:
    return Told(status, orjson.dumps(body), headers or {})


def sse_told(events: Iterable[Any], *, is_done: bool = True, named: bool = False) -> Told:
    """A stream of JSON events; named: under the name in their `type`."""

    def pieces() -> Iterable[bytes]:
        for event in events:
            name = b"event: %s\n" % event["type"].encode() if named else b""
            yield name + b"data: %s\n\n" % orjson.dumps(event)
        if is_done:
            yield b"data: [DONE]\n\n"

    return Told(200, pieces(), content_type="text/event-stream")
