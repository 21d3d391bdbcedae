"""The way to the sandbox that plays the providers, in this process.

A conftest that imports `sandbox` and `door` gives them to its tests.
"""

from collections.abc import Iterator
from functools import cache

import httpx
import pytest

from endpoints import providers
from inference.sandbox import make_sandbox
from inference.sandbox.app import Sandbox
from inference.upstream import door as doors
from inference.upstream.door import Door, Outside
from inference.upstream.mapping import OriginMap

PLACE = "http://sandbox"


class InProcess(httpx.BaseTransport):
    """Calls the sandbox without a network; where it breaks off, so does the connection."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._wsgi = httpx.WSGITransport(app=sandbox)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._wsgi.handle_request(request)
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = Breaking(response.stream)
        return response


class Breaking(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except ConnectionResetError as exc:
            raise httpx.RemoteProtocolError(str(exc)) from exc


@cache
def origin_map() -> OriginMap:
    """The same for every sandbox: checking it takes longer than most tests."""
    return OriginMap(make_sandbox().origin_map(PLACE))


@pytest.fixture
def sandbox() -> Sandbox:
    return make_sandbox()


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Door:
    """The way to the sandbox, in this process; waits between attempts take no time."""
    outside = Outside(origin_map())
    opened = Door(outside, transport=InProcess(sandbox), wait=lambda seconds: None)
    monkeypatch.setattr(providers, "door", lambda: opened)
    monkeypatch.setattr(doors, "MOST_REPLY_BYTES", 4 << 20)
    return opened
