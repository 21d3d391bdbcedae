"""What every host process does, whatever it runs: load, warm up, answer callers, heed its parent.

It tells its parent how far it is in JSON lines on standard output; the parent says in the same way,
on standard input, how many allocations there shall be, and when callers find it no more. It ends
when its parent is gone: its standard input then closes.
"""

import logging
import os
import signal
import socket
import struct
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from io import FileIO
from typing import Any, Protocol

import orjson

from inference.errors import InferenceError, InvalidRequest
from inference.runner.batching import QueueIsFull
from inference.runner.callers import Callers
from inference.runner.memory import give_back, memory_of
from inference.runner.protocol import (
    AskedToEnd,
    ConnectionClosed,
    HostReply,
    HostRequest,
    receive_request,
    send_reply,
    warming_path,
)
from inference.runner.statistics import Counter, Statistics
from inference.runner.tokenizer import TooLate

logger = logging.getLogger("model-host")

SEND_TIMEOUT = struct.pack("ll", 30, 0)  # seconds and microseconds
STATISTICS_S = 1.0
# How long to look for the fastest run, which is the one that nothing else slowed down.
MEASURE_S = 0.1


class Cancellable(Protocol):
    """Work for a caller, who may leave before it is done."""

    def cancel(self) -> None: ...


class HostServer(ABC):
    """A loaded model that answers the frames that come to a socket."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self._callers = Callers()

    @abstractmethod
    def resize(self, allocations: int) -> None:
        """Go on with this many allocations."""

    @abstractmethod
    def tokens_per_s(self) -> float:
        """How fast one allocation is, by a short run."""

    @abstractmethod
    def _start(self, connection: socket.socket, request: HostRequest) -> Cancellable | None:
        """Begin to work for a caller; whoever ends the work calls `_reply`, once."""

    def serve(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            self._callers.welcome(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def drain(self) -> None:
        """Answer what was asked here, and end the process; the socket is no longer its own."""
        self._callers.drain()
        tell({"statistics": asdict(self.counter.read())})
        os._exit(0)

    def _talk(self, connection: socket.socket) -> None:
        """Read requests until the caller leaves; what it still waited for is then dropped.

        Replies are sent by the thread that finished the work, so this one sees at once when the
        caller gives up.
        """
        work: Cancellable | None = None
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SEND_TIMEOUT)
        try:
            request = receive_request(connection)
            while True:
                work = self._start(connection, request)
                request = receive_request(connection)
                self._callers.asked(connection)
        except AskedToEnd:
            os._exit(0)
        except (ConnectionClosed, OSError):
            if work:
                work.cancel()
        finally:
            self._callers.left(connection)
            connection.close()

    def _reply(self, connection: socket.socket, reply: HostReply) -> None:
        try:
            send_reply(connection, reply)
        except OSError:
            # The caller left, or takes nothing any more: half a reply is of no use to anybody.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._callers.answered(connection)


def error_reply(failure: Exception) -> HostReply:
    match failure:
        case QueueIsFull():
            kind = "queue_full"
        case TooLate():
            kind = "too_late"
        case InvalidRequest():
            kind = "refused"
        case _:
            kind = "failed"
    return HostReply(error=f"{failure}" or type(failure).__name__, error_kind=kind)


def reason_of(exc: Exception) -> str:
    """Why a model could not be loaded; our own words stand for themselves."""
    return str(exc) if isinstance(exc, InferenceError) else f"{type(exc).__name__}: {exc}"


def report(state: str, reason: str = "", **more: Any) -> None:
    tell({"state": state, "reason": reason, **more})


def tell(message: dict[str, Any]) -> None:
    # One write, so that lines of several threads do not mix.
    os.write(1, orjson.dumps(message) + b"\n")


def tell_statistics(counter: Counter) -> None:
    """Tell the parent what was counted, whenever it has changed."""
    told = Statistics()
    while True:
        time.sleep(STATISTICS_S)
        if (counted := counter.read()) != told:
            told = counted
            tell({"statistics": asdict(counted)})


def measured(host: HostServer) -> dict[str, float]:
    """What a warm host takes and does; memory only where the system tells."""
    found = {"tokens_per_s": host.tokens_per_s()}
    if used := memory_of():
        found |= {"resident_bytes": used.resident, "private_bytes": used.private}
    return found


class Orders(threading.Thread):
    """What the parent says: how many allocations, and when to end. When it is gone, all ends."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._lock = threading.Lock()
        self._allocations: int | None = None
        self._host: HostServer | None = None

    def follow(self, host: HostServer) -> None:
        """Pass on what was said until now, and from now on."""
        with self._lock:
            self._host = host
            self._resize()

    def run(self) -> None:
        # Not sys.stdin, whose lock this thread would hold when a failed start ends the process.
        for line in FileIO(0, closefd=False):
            order = orjson.loads(line)
            with self._lock:
                self._allocations = order.get("allocations", self._allocations)
                self._resize()
                if self._host and order.get("drain"):
                    threading.Thread(target=self._host.drain, name="drain").start()
        os._exit(0)

    def _resize(self) -> None:
        if self._host and self._allocations is not None:
            self._host.resize(self._allocations)


def run_host(load: Callable[[], HostServer], deployment_id: str, path: str) -> None:
    """Be a host: load a model, listen beside this path, answer until the parent is gone."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which decides
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    orders = Orders()
    orders.start()
    try:
        report("loading")
        started = time.monotonic()
        host = load()
        report("warming")
        give_back()  # to lay out the weights of a model for the first time takes as much as they do
        found = measured(host)
        own_path = warming_path(path)
        own_path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(own_path))
        own_path.chmod(0o600)
        listener.listen(256)
    except Exception as exc:
        logger.exception("[%s] could not be loaded", deployment_id)
        report("failed", reason_of(exc))
        sys.exit(1)
    orders.follow(host)
    report("started", f"in {time.monotonic() - started:.2f} s", measured=found)
    threading.Thread(target=tell_statistics, args=(host.counter,), daemon=True).start()
    host.serve(listener)
