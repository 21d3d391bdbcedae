"""The process of one deployment: `python -m inference.runner.host SPEC`.

It loads the model, answers frames on its Unix socket, and tells its parent how far it is in JSON
lines on standard output. It ends when its parent is gone: its standard input then closes.
"""

import logging
import os
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import orjson

from inference.runner.batching import Batcher, Job, QueueIsFull, TooLate
from inference.runner.heads import HEADS, Head
from inference.runner.protocol import (
    ConnectionClosed,
    HostReply,
    HostRequest,
    receive_request,
    send_reply,
)
from inference.runner.session import EncoderSession, laid_out
from inference.runner.spec import HostSpec
from inference.runner.tokenizer import TextTokenizer

logger = logging.getLogger("model-host")

SEND_TIMEOUT = struct.pack("ll", 30, 0)  # seconds and microseconds
WARM_UP_TOKENS = (8, 128)


class ModelHost:
    """A loaded model behind a socket."""

    def __init__(self, spec: HostSpec) -> None:
        folder = Path(spec.model_folder)
        self._tokenizer = TextTokenizer(folder, spec.max_input_tokens)
        self._head: Head = HEADS[spec.task_type](folder, self._tokenizer)
        graph = laid_out(folder / "model.onnx")
        narrow = EncoderSession(graph, spec.num_threads)
        all_threads = min(spec.num_threads * spec.num_allocations, os.cpu_count() or 1)
        wide = narrow if all_threads <= spec.num_threads else EncoderSession(graph, all_threads)
        for session in {narrow, wide}:
            for tokens in WARM_UP_TOKENS:
                ids = np.zeros((1, tokens), np.int32)
                session.run(ids, ids, np.ones((1, tokens, tokens), np.int32))
        self._batcher = Batcher(
            narrow,
            wide,
            allocations=spec.num_allocations,
            queue_capacity=spec.queue_capacity,
        )

    def serve(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        """Read requests until the caller leaves; what it still waited for is then dropped.

        Replies are sent by the thread that finished the work, so this one sees at once when the
        caller gives up.
        """
        job: Job | None = None
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SEND_TIMEOUT)
        try:
            while True:
                job = self._start(connection, receive_request(connection))
        except (ConnectionClosed, OSError):
            if job:
                job.cancel()
        finally:
            connection.close()

    def _start(self, connection: socket.socket, request: HostRequest) -> Job | None:
        deadline = time.monotonic() + request.budget_s
        collector = self._head.collector(request)
        texts = request.texts if request.query is None else (request.query, *request.texts)

        def end(failure: Exception | None) -> None:
            try:
                reply = error_reply(failure) if failure else collector.reply()
            except Exception as exc:
                logger.exception("a reply could not be made")
                reply = error_reply(exc)
            try:
                send_reply(connection, reply)
            except OSError:
                # The caller left, or takes nothing any more: half a reply is of no use to anybody.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

        job = Job(self._tokenizer.tokenize(texts), collector.add, end, deadline)
        try:
            self._batcher.submit(job)
        except QueueIsFull as exc:
            job.fail(exc)
        return job


def error_reply(failure: Exception) -> HostReply:
    match failure:
        case QueueIsFull():
            kind = "queue_full"
        case TooLate():
            kind = "too_late"
        case _:
            kind = "failed"
    return HostReply(error=f"{failure}" or type(failure).__name__, error_kind=kind)


def report(state: str, reason: str = "") -> None:
    sys.stdout.buffer.write(orjson.dumps({"state": state, "reason": reason}) + b"\n")
    sys.stdout.buffer.flush()


def end_with_parent() -> None:
    """End this process as soon as the other end of standard input is closed."""
    while os.read(0, 1024):
        pass
    os._exit(0)


def main() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which decides
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    threading.Thread(target=end_with_parent, daemon=True).start()
    spec = HostSpec.from_json(sys.argv[1])
    try:
        report("loading")
        started = time.monotonic()
        host = ModelHost(spec)
        path = Path(spec.socket)
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(256)
    except Exception as exc:
        logger.exception("[%s] could not be loaded", spec.deployment_id)
        report("failed", f"{type(exc).__name__}: {exc}")
        sys.exit(1)
    report("started", f"in {time.monotonic() - started:.2f} s")
    host.serve(listener)


if __name__ == "__main__":
    main()
