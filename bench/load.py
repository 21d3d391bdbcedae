"""A client that costs next to nothing, so that what is measured is the server."""

import base64
import json
import selectors
import socket
import time
from dataclasses import dataclass, field

LONGEST_ANSWER_S = 120.0


def request_bytes(port: int, path: str, body: object, password: str | None = None) -> bytes:
    """One whole HTTP request, ready to be sent again and again; no password, no credentials."""
    payload = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
    )
    if password is not None:
        credentials = base64.b64encode(f"elastic:{password}".encode()).decode()
        head += f"Authorization: Basic {credentials}\r\n"
    return f"{head}\r\n".encode() + payload


class Connection:
    """A kept connection; takes answers that carry a Content-Length."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), LONGEST_ANSWER_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def call(self, request: bytes) -> bytes:
        self.socket.sendall(request)
        while (body := self.take()) is None:
            continue
        return body

    def take(self) -> bytes | None:
        """Read once; the body of the answer when it is complete."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.received += piece
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return None
        self.received = b""
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{head!r} {body!r}")
        return body


@dataclass
class Throughput:
    requests_per_s: float
    latencies_s: list[float] = field(repr=False)

    def percentile_s(self, percent: float) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def drive(port: int, requests: list[bytes], clients: int, seconds: float) -> Throughput:
    """Let `clients` connections call without pause for some seconds, from one thread.

    Answers that are under way at the end are waited for, so that the server is idle afterwards;
    they do not count.
    """
    selector = selectors.DefaultSelector()
    sent_at: dict[Connection, float] = {}
    latencies: list[float] = []
    sent = 0
    started = last = time.perf_counter()

    def send(connection: Connection) -> None:
        nonlocal sent
        sent_at[connection] = time.perf_counter()
        connection.socket.sendall(requests[sent % len(requests)])
        sent += 1

    for _ in range(clients):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        send(connection)
    while sent_at:
        if time.perf_counter() > started + seconds + LONGEST_ANSWER_S:
            raise TimeoutError(f"no answer from port {port} within {LONGEST_ANSWER_S:.0f} s")
        for key, _ in selector.select(timeout=1):
            connection = key.data
            if connection.take() is None:
                continue
            now = time.perf_counter()
            began = sent_at.pop(connection)
            if now < started + seconds:
                latencies.append(now - began)
                last = now
                send(connection)
            else:
                selector.unregister(connection.socket)
                connection.socket.close()
    if not latencies:
        raise TimeoutError(f"no answer from port {port} within {seconds:.0f} s")
    return Throughput(len(latencies) / (last - started), latencies)
