"""A client that costs next to nothing, so that what is measured is the server."""

import base64
import json
import selectors
import socket
import time
from dataclasses import dataclass, field


def request_bytes(port: int, path: str, body: object, password: str) -> bytes:
    """One whole HTTP request, ready to be sent again and again."""
    payload = json.dumps(body).encode()
    credentials = base64.b64encode(f"elastic:{password}".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Basic {credentials}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


class Connection:
    """A kept connection; takes answers that carry a Content-Length."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
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
    """Let `clients` connections call without pause for some seconds, from one thread."""
    selector = selectors.DefaultSelector()
    sent_at: dict[Connection, float] = {}
    count, latencies = 0, []
    started = time.perf_counter()
    for number in range(clients):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        sent_at[connection] = time.perf_counter()
        connection.socket.sendall(requests[number % len(requests)])
    while (now := time.perf_counter()) < started + seconds:
        for key, _ in selector.select(timeout=1):
            connection = key.data
            if connection.take() is None:
                continue
            now = time.perf_counter()
            latencies.append(now - sent_at[connection])
            sent_at[connection] = now
            connection.socket.sendall(requests[count % len(requests)])
            count += 1
    for connection in sent_at:
        connection.socket.close()
    return Throughput(count / seconds, latencies)
