"""A proxy on this machine, which connects to whatever it is asked for."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ProxyServer(ThreadingHTTPServer):
    """credentials: `name:password` that it asks for, or empty. asked: where it was to connect."""

    daemon_threads = True

    def __init__(self, credentials: str) -> None:
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.credentials = credentials
        self.asked: list[str] = []

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class ProxyHandler(BaseHTTPRequestHandler):
    server: ProxyServer

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.path)
        expected = "Basic " + base64.b64encode(self.server.credentials.encode()).decode()
        if self.server.credentials and self.headers["Proxy-Authorization"] != expected:
            self.send_error(407)
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as further:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=pass_on, args=(further, self.connection), daemon=True)
            back.start()
            pass_on(self.connection, further)
            back.join()

    def log_message(self, format: str, *args: object) -> None:
        pass


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Until one of both ends it."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@contextmanager
def proxying(credentials: str = "") -> Iterator[ProxyServer]:
    with ProxyServer(credentials) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
