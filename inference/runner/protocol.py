"""Frames between a web process and a model host: one request, one reply, over a Unix socket.

A frame is two lengths (4 and 8 bytes, big endian), a JSON header and raw bytes. Vectors travel
as the raw bytes, so they are never printed and parsed on the way.
"""

import hashlib
import os
import socket
import struct
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from inference.arrays import FloatArray
from inference.types import InputType, Truncation

LENGTHS = struct.Struct("!IQ")
MAX_SOCKET_PATH = 100  # the kernel takes 108 bytes, some systems fewer


@dataclass(frozen=True)
class HostRequest:
    """texts: what to encode. query: set for rerank. budget_s: how long the caller will wait.

    input_type: what the texts are for; models with prefixes choose by it.
    options: of the kind of inference, for a model that somebody uploaded; None for its own.
    """

    texts: tuple[str, ...]
    query: str | None
    budget_s: float
    input_type: InputType = InputType.UNSPECIFIED
    options: dict[str, Any] | None = None


@dataclass(frozen=True)
class HostReply:
    """What came out: the fields that the task of the host fills, or an error in words.

    vectors: (texts, dim). scores: one a text. weights: token to weight, one a text.
    results: what the API tells of each text, for a kind of inference that is of no task.
    truncated: the texts that were cut to the model's window, by their number from 0; of a rerank
    the query is 0 and the documents follow.
    """

    vectors: FloatArray | None = None
    scores: list[float] | None = None
    weights: list[dict[str, float]] | None = None
    results: list[dict[str, Any]] | None = None
    truncated: dict[int, Truncation] = field(default_factory=dict)
    error: str | None = None
    error_kind: str = ""


class ConnectionClosed(ConnectionError):
    """The other side went away before a whole frame came."""


class AskedToEnd(Exception):
    """What came is no request: the host is to end at once."""


def socket_folder(data_dir: Path) -> Path:
    """Where the sockets lie: in the data folder, unless its path is too long for a socket."""
    folder = data_dir / "run"
    if len(os.fsencode(folder)) + len("/0123456789abcdef.sock") <= MAX_SOCKET_PATH:
        return folder
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"inference-console-{os.getuid()}-{name}"


def socket_path(folder: Path, deployment_id: str) -> Path:
    return folder / f"{hashlib.sha256(deployment_id.encode()).hexdigest()[:16]}.sock"


def warming_path(socket: str) -> Path:
    """Where a host listens while it is not known yet to those who call this socket."""
    return Path(socket).with_suffix(".next")


def send_request(connection: socket.socket, request: HostRequest) -> None:
    header: dict[str, Any] = {
        "texts": request.texts,
        "query": request.query,
        "budget_s": request.budget_s,
        "input_type": request.input_type,
    }
    if request.options is not None:
        header["options"] = request.options
    _send(connection, header, b"")


def send_end(connection: socket.socket) -> None:
    """Ask a host to end at once, whoever it still works for."""
    _send(connection, {"end": True}, b"")


def receive_request(connection: socket.socket) -> HostRequest:
    """Raises AskedToEnd where it is told to."""
    header, _ = _receive(connection)
    if header.get("end"):
        raise AskedToEnd
    return HostRequest(
        tuple(header["texts"]),
        header["query"],
        header["budget_s"],
        InputType(header["input_type"]),
        header.get("options"),
    )


def send_reply(connection: socket.socket, reply: HostReply) -> None:
    vectors = reply.vectors
    header: dict[str, Any] = {
        name: value
        for name in ("scores", "weights", "results", "error", "error_kind")
        if (value := getattr(reply, name)) is not None
    }
    if reply.truncated:
        header["truncated"] = {str(number): cut for number, cut in reply.truncated.items()}
    if vectors is None:
        _send(connection, header, b"")
    else:
        header["shape"] = vectors.shape
        _send(connection, header, np.ascontiguousarray(vectors, np.float32).data.cast("B"))


def receive_reply(connection: socket.socket) -> HostReply:
    header, body = _receive(connection)
    shape = header.pop("shape", None)
    vectors = None if shape is None else np.frombuffer(body, np.float32).reshape(shape)
    cuts = header.pop("truncated", {}).items()
    truncated = {int(number): Truncation(**cut) for number, cut in cuts}
    return HostReply(vectors=vectors, truncated=truncated, **header)


def _send(connection: socket.socket, header: dict[str, Any], body: bytes | memoryview) -> None:
    head = orjson.dumps(header)
    connection.sendall(LENGTHS.pack(len(head), len(body)) + head)
    if body:
        connection.sendall(body)


def _receive(connection: socket.socket) -> tuple[dict[str, Any], bytearray]:
    head_length, body_length = LENGTHS.unpack(_read(connection, LENGTHS.size))
    header = orjson.loads(_read(connection, head_length))
    return header, _read(connection, body_length)


def _read(connection: socket.socket, length: int) -> bytearray:
    buffer = bytearray(length)
    view, done = memoryview(buffer), 0
    while done < length:
        count = connection.recv_into(view[done:])
        if not count:
            raise ConnectionClosed
        done += count
    return buffer
