"""The process of one deployment: `python -m inference.runner.host SPEC`.

It loads the model, answers frames on its Unix socket, and tells its parent how far it is in JSON
lines on standard output; the parent says in the same way, on standard input, how many allocations
there shall be. It ends when its parent is gone: its standard input then closes.
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
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson

from inference.errors import InferenceError, InvalidRequest
from inference.runner.batching import Batcher, Job, QueueIsFull
from inference.runner.heads import make_head
from inference.runner.outputs import Output
from inference.runner.packing import pack
from inference.runner.protocol import (
    ConnectionClosed,
    HostReply,
    HostRequest,
    receive_request,
    send_reply,
)
from inference.runner.session import EncoderSession, laid_out
from inference.runner.spec import HostSpec
from inference.runner.statistics import Counter, Statistics
from inference.runner.tokenizer import TextTokenizer, TokenizedText, TooLate

logger = logging.getLogger("model-host")

SEND_TIMEOUT = struct.pack("ll", 30, 0)  # seconds and microseconds
WARM_UP_TOKENS = (8, 128)
STATISTICS_S = 1.0


class Cancellable(Protocol):
    """Work for a caller, who may leave before it is done."""

    def cancel(self) -> None: ...


class HostServer(ABC):
    """What answers the frames that come to a socket. counter: of what it did so far."""

    counter: Counter

    @abstractmethod
    def resize(self, allocations: int) -> None:
        """Go on with this many allocations."""

    def serve(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        """Read requests until the caller leaves; what it still waited for is then dropped.

        Replies are sent by the thread that finished the work, so this one sees at once when the
        caller gives up.
        """
        job: Cancellable | None = None
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SEND_TIMEOUT)
        try:
            while True:
                job = self._start(connection, receive_request(connection))
        except (ConnectionClosed, OSError):
            if job:
                job.cancel()
        finally:
            connection.close()

    @abstractmethod
    def _start(self, connection: socket.socket, request: HostRequest) -> Cancellable | None:
        """Begin to work for a caller; the reply is sent by whoever ends it."""


class ModelHost(HostServer):
    """A loaded model behind a socket."""

    def __init__(self, spec: HostSpec) -> None:
        folder = Path(spec.model_folder)
        self._prefixed = spec.prefixed
        self._graph = laid_out(folder / "model.onnx")
        self._num_threads = spec.num_threads
        narrow = self._session(spec.num_threads)
        self._sessions = {spec.num_threads: narrow}
        tokenizer = TextTokenizer(folder, spec.max_input_tokens)
        self._head = make_head(spec.task_type, Output(narrow.output), folder, tokenizer)
        self._batcher = Batcher(
            narrow,
            self._wide(spec.num_allocations),
            allocations=spec.num_allocations,
            queue_capacity=spec.queue_capacity,
            most_at_once=max(1, (os.cpu_count() or 1) // spec.num_threads),
        )
        self.counter = self._batcher.counter

    def resize(self, allocations: int) -> None:
        self._batcher.resize(allocations, self._wide(allocations))

    def _wide(self, allocations: int) -> EncoderSession:
        """The session that works on one row with the threads of all allocations."""
        cores = max(self._num_threads, os.cpu_count() or 1)
        threads = min(self._num_threads * max(1, allocations), cores)
        if threads not in self._sessions:
            self._sessions[threads] = self._session(threads)
        return self._sessions[threads]

    def _session(self, threads: int) -> EncoderSession:
        session = EncoderSession(self._graph, threads)
        for tokens in WARM_UP_TOKENS:
            session.run(pack([TokenizedText(np.zeros(1, np.int32))] * tokens))
        return session

    def _start(self, connection: socket.socket, request: HostRequest) -> Job | None:
        deadline = time.monotonic() + request.budget_s
        try:
            # To read millions of texts would fill the memory.
            self._batcher.check_room(len(request.texts) + (request.query is not None))
            texts, collector = self._head.start(self._prefixed(request), deadline)
        except (QueueIsFull, TooLate) as exc:
            send_or_hang_up(connection, error_reply(exc))
            return None

        def end(failure: Exception | None) -> None:
            try:
                reply = error_reply(failure) if failure else collector.reply()
            except Exception as exc:
                logger.exception("a reply could not be made")
                reply = error_reply(exc)
            send_or_hang_up(connection, reply)

        job = Job(texts, collector.add, end, deadline)
        try:
            self._batcher.submit(job)
        except QueueIsFull as exc:
            job.fail(exc)
        return job


def send_or_hang_up(connection: socket.socket, reply: HostReply) -> None:
    try:
        send_reply(connection, reply)
    except OSError:
        # The caller left, or takes nothing any more: half a reply is of no use to anybody.
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


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


def report(state: str, reason: str = "") -> None:
    tell({"state": state, "reason": reason})


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


class Orders(threading.Thread):
    """What the parent says: how many allocations there shall be. When it is gone, all ends."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._lock = threading.Lock()
        self._allocations: int | None = None
        self._resize: Callable[[int], None] | None = None

    def follow(self, resize: Callable[[int], None]) -> None:
        """Pass on what was said until now, and from now on."""
        with self._lock:
            self._resize = resize
            if self._allocations is not None:
                resize(self._allocations)

    def run(self) -> None:
        for line in sys.stdin.buffer:
            with self._lock:
                self._allocations = orjson.loads(line)["allocations"]
                if self._resize and self._allocations is not None:
                    self._resize(self._allocations)
        os._exit(0)


def main() -> None:
    spec = HostSpec.from_json(sys.argv[1])
    run_host(lambda: ModelHost(spec), spec.deployment_id, Path(spec.socket))


def run_host(load: Callable[[], HostServer], deployment_id: str, path: Path) -> None:
    """Be a host: load a model, listen at this path, answer until the parent is gone."""
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
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(256)
    except Exception as exc:
        logger.exception("[%s] could not be loaded", deployment_id)
        report("failed", reason_of(exc))
        sys.exit(1)
    orders.follow(host.resize)
    report("started", f"in {time.monotonic() - started:.2f} s")
    threading.Thread(target=tell_statistics, args=(host.counter,), daemon=True).start()
    host.serve(listener)


if __name__ == "__main__":
    main()
