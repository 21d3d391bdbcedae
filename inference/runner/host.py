"""The process of one deployment: `python -m inference.runner.host SPEC`."""

import logging
import math
import os
import socket
import sys
import time
from pathlib import Path

import numpy as np

from inference.runner.batching import Batcher, Job, QueueIsFull
from inference.runner.heads import make_head
from inference.runner.outputs import Output
from inference.runner.packing import pack
from inference.runner.precision.engines import GraphEncoder, open_encoder
from inference.runner.protocol import HostRequest
from inference.runner.serving import MEASURE_S, HostServer, error_reply, run_host
from inference.runner.spec import HostSpec
from inference.runner.tokenizer import TextTokenizer, TokenizedText, TooLate

logger = logging.getLogger("model-host")

WARM_UP_TOKENS = (8, 128)


class ModelHost(HostServer):
    """A published model behind a socket."""

    def __init__(self, spec: HostSpec) -> None:
        folder = Path(spec.model_folder)
        self._prefixed = spec.prefixed
        self._folder, self._precision = folder, spec.precision
        self._num_threads = spec.num_threads
        self._narrow = self._session(spec.num_threads)
        self._sessions = {spec.num_threads: self._narrow}
        tokenizer = TextTokenizer(folder, spec.max_input_tokens)
        self._head = make_head(spec.task_type, Output(self._narrow.output), folder, tokenizer)
        self._batcher = Batcher(
            self._narrow,
            self._wide(spec.num_allocations),
            allocations=spec.num_allocations,
            queue_capacity=spec.queue_capacity,
            most_at_once=max(1, (os.cpu_count() or 1) // spec.num_threads),
        )
        super().__init__(self._batcher.counter)

    def resize(self, allocations: int) -> None:
        self._batcher.resize(allocations, self._wide(allocations))

    def _wide(self, allocations: int) -> GraphEncoder:
        """The session that works on one row with the threads of all allocations."""
        cores = max(self._num_threads, os.cpu_count() or 1)
        threads = min(self._num_threads * max(1, allocations), cores)
        if threads not in self._sessions:
            self._sessions[threads] = self._session(threads)
        return self._sessions[threads]

    def _session(self, threads: int) -> GraphEncoder:
        session = open_encoder(self._folder, self._precision, threads)
        for tokens in WARM_UP_TOKENS:
            run_once(session, tokens)
        return session

    def tokens_per_s(self) -> float:
        tokens, fastest_s = WARM_UP_TOKENS[-1], math.inf
        until = time.perf_counter() + MEASURE_S
        while (started := time.perf_counter()) < until:
            run_once(self._narrow, tokens)
            fastest_s = min(fastest_s, time.perf_counter() - started)
        return tokens / fastest_s

    def _start(self, connection: socket.socket, request: HostRequest) -> Job | None:
        deadline = time.monotonic() + request.budget_s
        try:
            # To read millions of texts would fill the memory.
            self._batcher.check_room(len(request.texts) + (request.query is not None))
            texts, collector = self._head.start(self._prefixed(request), deadline)
        except (QueueIsFull, TooLate) as exc:
            self._reply(connection, error_reply(exc))
            return None

        def end(failure: Exception | None) -> None:
            try:
                reply = error_reply(failure) if failure else collector.reply()
            except Exception as exc:
                logger.exception("a reply could not be made")
                reply = error_reply(exc)
            self._reply(connection, reply)

        job = Job(texts, collector.add, end, deadline)
        try:
            self._batcher.submit(job)
        except QueueIsFull as exc:
            job.fail(exc)
        return job


def run_once(encoder: GraphEncoder, tokens: int) -> None:
    """One row of that many tokens, whatever they say."""
    encoder.run(pack([TokenizedText(np.zeros(1, np.int32))] * tokens))


def main() -> None:
    spec = HostSpec.from_json(sys.argv[1])
    run_host(lambda: ModelHost(spec), spec.deployment_id, spec.socket)


if __name__ == "__main__":
    main()
