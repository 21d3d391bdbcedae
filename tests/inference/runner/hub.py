"""A server on this machine with the hub's layout, and the faults that a real one can have."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# How a slow answer comes: about 3 MB/s.
PIECE_BYTES, PIECE_S = 64 * 1024, 0.02


@dataclass
class Hub:
    """files: content by path. drops: how many bytes of each next answer arrive before it breaks.

    errors: the statuses of the next answers. asked: path and Range header of each request so far.
    arrived, gate: set by a request; what it then waits for. holds: how many bytes of each next
    answer arrive before the rest waits for the client to go away. commit: what it says of every
    file that it has. tells_hashes: whether it answers as the hub does who only looks at a file.
    is_fast: answers trickle as long as it is not set.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    drops: list[int] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    etag: str | None = '"one"'
    content_type: str = "application/octet-stream"
    has_ranges: bool = True
    honours_if_range: bool = True
    hides_length: bool = False
    commit: str = ""
    tells_hashes: bool = True
    arrived: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    is_fast: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.is_fast.set()

    @property
    def ranges(self) -> list[str | None]:
        return [requested for _, requested in self.asked]


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        hub, path = self.hub, self.path
        requested = self.headers.get("Range")
        hub.asked.append((path, requested))
        hub.arrived.set()
        hub.gate.wait(timeout=60)
        if path in hub.redirects:
            self.send_response(302)
            self.send_header("Location", hub.redirects[path])
            self.end_headers()
            return
        if hub.errors or path not in hub.files:
            self.send_error(hub.errors.pop(0) if hub.errors else 404)
            return
        self._send(hub.files[path], self._start(requested, len(hub.files[path])))

    def do_HEAD(self) -> None:
        """The hub sends on to where the bytes are, and says on the way what they are."""
        hub, content = self.hub, self.hub.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(302 if hub.tells_hashes else 200)
        if hub.commit:
            self.send_header("X-Repo-Commit", hub.commit)
        if hub.tells_hashes:
            self.send_header("Location", "/nobody-should-ask-here")
            self.send_header("X-Linked-Size", str(len(content)))
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()

    def _start(self, requested: str | None, size: int) -> int | None:
        """Where a partial answer begins; None for a whole one."""
        condition = self.headers.get("If-Range")
        is_unchanged = not self.hub.honours_if_range or condition in (None, self.hub.etag)
        if not requested or not self.hub.has_ranges or not is_unchanged:
            return None
        return int(requested.removeprefix("bytes=").removesuffix("-"))

    def _send(self, content: bytes, start: int | None) -> None:
        if start is not None and start >= len(content):
            self.send_error(416)
            return
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        body = content[start or 0 :]
        self.send_header("Content-Type", self.hub.content_type)
        if not self.hub.hides_length:
            self.send_header("Content-Length", str(len(body)))
        if self.hub.commit:
            self.send_header("X-Repo-Commit", self.hub.commit)
        if self.hub.etag:
            self.send_header("ETag", self.hub.etag)
        self.end_headers()
        if self.hub.drops:
            body = body[: self.hub.drops.pop(0)]
        with suppress(ConnectionError):  # a client that had enough is what some tests are about
            if self.hub.holds:
                self.wfile.write(body[: self.hub.holds.pop(0)])
                self.connection.recv(1)  # returns when the client is gone
                return
            for at in range(0, len(body), PIECE_BYTES):
                self.hub.is_fast.wait(PIECE_S)
                self.wfile.write(body[at : at + PIECE_BYTES])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test has its own list."""


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            hub.url = f"http://127.0.0.1:{server.server_port}"
            yield hub
        finally:
            server.shutdown()
            thread.join()
