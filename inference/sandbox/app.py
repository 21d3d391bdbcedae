"""The server: providers under one roof, each under its name, with faults that can be switched on.

A WSGI application, so that it runs under any server, and in tests without one.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from itertools import islice
from typing import Any, Literal, TypeAlias

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inference.sandbox.provider import Asked, Provider, Refused, Told, json_told

FAULTS_PATH = "/_faults/"
StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], Any]
FaultKind: TypeAlias = Literal[
    "status", "slow", "cut", "error", "bad_json", "empty", "enormous", "html"
]


class Fault(BaseModel):
    """What a provider does wrong.

    kind: `status` refuses with `status`, `slow` waits `seconds` before its answer, `cut` breaks
    off in the middle of a stream or a body, `error` ends a stream with an error within it,
    `bad_json`, `empty` and `enormous` send that. times: how many requests it holds for; None: all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    status: int = Field(default=500, ge=300, le=599)
    retry_after: float | None = None
    seconds: float = Field(default=1.0, ge=0, le=600)
    times: int | None = Field(default=None, ge=1)


class Sandbox:
    """Any number of threads may call it at once."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self.providers = providers
        self.faults: dict[str, Fault] = {}
        # The last requests that came for each provider, oldest first.
        self.seen: dict[str, list[Asked]] = {name: [] for name in providers}
        self._lock = threading.Lock()

    def origin_map(self, place: str) -> dict[str, str]:
        """What sends every provider's calls here. place: this server's own origin."""
        return {
            origin: f"{place}/{name}"
            for name, provider in self.providers.items()
            for origin in provider.origins
        }

    def __call__(
        self, environ: Mapping[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(FAULTS_PATH):
            told = self._switch(environ, path.removeprefix(FAULTS_PATH))
        else:
            told = self._answer(environ, path)
        phrase = HTTPStatus(told.status).phrase if told.status in list(HTTPStatus) else "Status"
        headers = [("Content-Type", told.content_type), *told.headers.items()]
        if isinstance(told.content, bytes):
            headers.append(("Content-Length", str(len(told.content))))
        start_response(f"{told.status} {phrase}", headers)
        return [told.content] if isinstance(told.content, bytes) else told.content

    def _answer(self, environ: Mapping[str, Any], path: str) -> Told:
        name, _, rest = path.lstrip("/").partition("/")
        provider = self.providers.get(name)
        if provider is None:
            return json_told({"error": f"no provider [{name}] here"}, 404)
        asked = received(environ, f"/{rest}")
        with self._lock:
            self.seen[name] = [*self.seen[name][-99:], asked]
        fault = self._due_fault(name)
        try:
            if fault and fault.kind == "status":
                raise refusal_of(fault)
            told = route(provider, asked)
        except Refused as exc:
            return json_told(provider.refusal(exc), exc.status, exc.headers)
        return told if fault is None else spoiled(told, fault, provider)

    def _due_fault(self, name: str) -> Fault | None:
        with self._lock:
            fault = self.faults.get(name)
            if fault is None or fault.times is None:
                return fault
            if fault.times == 1:
                del self.faults[name]
            else:
                self.faults[name] = fault.model_copy(update={"times": fault.times - 1})
            return fault

    def _switch(self, environ: Mapping[str, Any], name: str) -> Told:
        """GET, PUT or DELETE the fault of a provider."""
        if name not in self.providers:
            return json_told({"error": f"no provider [{name}] here"}, 404)
        method = environ["REQUEST_METHOD"]
        if method == "PUT":
            try:
                self.faults[name] = Fault.model_validate_json(body_of(environ))
            except ValidationError as exc:
                return json_told({"error": str(exc)}, 400)
        elif method == "DELETE":
            self.faults.pop(name, None)
        fault = self.faults.get(name)
        return json_told({"fault": fault and fault.model_dump()})


def body_of(environ: Mapping[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    content: bytes = stream.read(int(length)) if length else stream.read()
    return content


def received(environ: Mapping[str, Any], path: str) -> Asked:
    """The request as it was meant: for the origin that the map took it from."""
    headers = httpx.Headers(
        {
            name.removeprefix("HTTP_").replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
    )
    if kind := environ.get("CONTENT_TYPE"):
        headers["content-type"] = kind
    host = headers.get("x-forwarded-host", headers.get("host", "sandbox"))
    scheme = headers.get("x-forwarded-proto", "http")
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    target = path if raw is None else f"/{raw.partition('?')[0].lstrip('/').partition('/')[2]}"
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    url = httpx.URL(f"{scheme}://{host}{target}{query}")
    return Asked(environ["REQUEST_METHOD"], url, headers, body_of(environ))


def route(provider: Provider, asked: Asked) -> Told:
    """Raises Refused."""
    methods = []
    for (method, pattern), handler in provider.routes().items():
        if re.fullmatch(pattern, asked.path):
            if method == asked.method:
                provider.check_key(asked)
                return handler(asked)
            methods.append(method)
    if methods:
        raise Refused(405, f"Method not allowed, use {', '.join(methods)}")
    raise Refused(404, f"No such route: {asked.path}")


def refusal_of(fault: Fault) -> Refused:
    headers = {}
    if fault.retry_after is not None:
        headers["Retry-After"] = f"{fault.retry_after:g}"
    if 300 <= fault.status < 400:
        headers["Location"] = "https://elsewhere.example/"
    return Refused(fault.status, f"The sandbox was told to answer {fault.status}", headers)


def spoiled(told: Told, fault: Fault, provider: Provider) -> Told:
    """An answer with a fault in it."""
    match fault.kind:
        case "slow":
            time.sleep(fault.seconds)
            return told
        case "bad_json":
            return replace(told, content=b'{"oops": ')
        case "empty":
            return replace(told, content=b"")
        case "html":
            return Told(200, b"<html><body>Welcome to the hotel</body></html>", {}, "text/html")
        case "enormous":
            return replace(told, content=(b" " * (1 << 20) for _ in range(1 << 12)))
        case "error" if not isinstance(told.content, bytes):
            broken = provider.broken_stream(Refused(500, "The sandbox broke the stream"))
            return replace(told, content=[*islice(told.content, 2), broken])
        case "cut" | "error":
            return replace(told, content=cut_off(told.content))
    return told


def cut_off(content: bytes | Iterable[bytes]) -> Iterable[bytes]:
    """The beginning, and then a connection that ends without its end."""
    if isinstance(content, bytes):
        yield content[: len(content) // 2]
    else:
        yield from islice(content, 2)
    raise ConnectionResetError("the sandbox was told to break off")
