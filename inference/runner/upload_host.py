"""The process of one deployment of an upload: `python -m inference.runner.upload_host SPEC`.

It is a host as `inference.runner.host` describes it. Its network was made elsewhere and takes
padded batches, so that texts of like length run together.
"""

import logging
import math
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from inference.arrays import FloatArray
from inference.nlp_config import InferenceConfig, Kind
from inference.runner.allocations import Allocation
from inference.runner.answers import Answerer
from inference.runner.batching import QueueIsFull
from inference.runner.definition import VOCABULARY_FILE
from inference.runner.foreign import Network, PaddedBatch, load_network
from inference.runner.protocol import HostReply, HostRequest
from inference.runner.serving import MEASURE_S, HostServer, error_reply, run_host
from inference.runner.spec import UploadSpec
from inference.runner.statistics import Counter
from inference.runner.token_answers import ANSWERERS
from inference.runner.tokenizer import TooLate
from inference.runner.vocabulary import UploadTokenizer, Vocabulary, Window
from inference.runner.workers import Workers

BATCH_ROWS, BATCH_TOKENS = 16, 2048
TRIAL_TEXT = "how big"

logger = logging.getLogger("model-host")


@dataclass(frozen=True)
class Place:
    """A window and where it belongs: which text of a request, and which window of that."""

    text: int
    number: int
    window: Window


class Call:
    """One request on its way: the windows of its texts, what came of them, and its end."""

    def __init__(
        self,
        request: HostRequest,
        answerer: Answerer,
        windows: list[list[Window]],
        on_end: Callable[[HostReply], None],
    ) -> None:
        self.deadline = time.monotonic() + request.budget_s
        self._request, self._answerer, self._windows = request, answerer, windows
        self._outputs: dict[tuple[int, int], FloatArray] = {}
        self._on_end = on_end
        self._unfinished = sum(map(len, windows))
        self._lock = threading.Lock()

    def cancel(self) -> None:
        with self._lock:
            self._unfinished = 0

    @property
    def is_over(self) -> bool:
        return self._unfinished <= 0

    def finish(self, place: Place, output: FloatArray) -> None:
        with self._lock:
            if self.is_over:
                return
            self._outputs[place.text, place.number] = output
            self._unfinished -= 1
            is_last = self._unfinished == 0
        if is_last:
            try:
                reply = self._reply()
            except Exception as exc:
                logger.exception("a reply could not be made")
                reply = error_reply(exc)
            self._on_end(reply)

    def fail(self, exc: Exception) -> None:
        with self._lock:
            was_over, self._unfinished = self.is_over, 0
        if not was_over:
            self._on_end(error_reply(exc))

    def _reply(self) -> HostReply:
        texts = self._request.texts
        told: list[Any] = [
            self._answerer.tell(
                text, windows, [self._outputs[place, number] for number in range(len(windows))]
            )
            for place, (text, windows) in enumerate(zip(texts, self._windows, strict=True))
        ]
        # Of a similarity the query comes first.
        first = 1 if self._answerer.kind == Kind.TEXT_SIMILARITY else 0
        truncated = {
            first + number: cut
            for number, windows in enumerate(self._windows)
            if (cut := next((window.cut for window in windows if window.cut), None))
        }
        match self._answerer.kind:
            case Kind.TEXT_EMBEDDING:
                return HostReply(vectors=np.stack(told), truncated=truncated)
            case Kind.TEXT_EXPANSION:
                return HostReply(weights=told, truncated=truncated)
            case Kind.TEXT_SIMILARITY:
                return HostReply(scores=told, truncated=truncated)
            case _:
                return HostReply(results=told, truncated=truncated)


class UploadHost(HostServer):
    """A loaded upload behind a socket."""

    def __init__(self, spec: UploadSpec) -> None:
        """Raises UnsupportedModel for an upload that cannot be run, and says why."""
        super().__init__(Counter())
        folder = Path(spec.model_folder)
        self._config = InferenceConfig.stored(spec.inference_config)
        self._prefixed = spec.prefixed
        vocabulary = Vocabulary.read(folder / VOCABULARY_FILE)
        self._tokenizer = UploadTokenizer(vocabulary, self._config.tokenization)
        self._network: Network = load_network(folder, self._config.kind, spec.num_threads)
        self._capacity, self._waiting = spec.queue_capacity, 0
        self._lock = threading.Lock()
        self._try_out()
        self._workers = Workers(self.counter.allocations, spec.num_allocations)

    def resize(self, allocations: int) -> None:
        self._workers.resize(allocations)

    def tokens_per_s(self) -> float:
        window, fastest_s = self._trial, math.inf
        until = time.perf_counter() + MEASURE_S
        while (started := time.perf_counter()) < until:
            self._run([window])
            fastest_s = min(fastest_s, time.perf_counter() - started)
        return len(window.encoding) / fastest_s

    def _try_out(self) -> None:
        """One run before anybody asks, which finds a network that does not fit its config."""
        answerer = self._answerer(self._config)
        self._trial = answerer.windows(TRIAL_TEXT, TRIAL_TEXT)[0]
        answerer.check(self._run([self._trial])[0])

    def _answerer(self, config: InferenceConfig) -> Answerer:
        return ANSWERERS[config.kind](config, self._tokenizer)

    def _start(self, connection: socket.socket, request: HostRequest) -> Call | None:
        def end(reply: HostReply) -> None:
            self._reply(connection, reply)

        texts = len(request.texts)
        try:
            self._reserve(texts)
        except QueueIsFull as exc:
            end(error_reply(exc))
            return None
        try:
            config = self._config
            if request.options is not None:
                config = InferenceConfig.stored(request.options)
            answerer = self._answerer(config)
            windows = [
                answerer.windows(text, request.query) for text in self._prefixed(request).texts
            ]
        except Exception as exc:
            self._give_back(texts)
            self.counter.drop(texts, failed=texts)
            end(error_reply(exc))
            return None
        call = Call(request, answerer, windows, end)
        for batch in batches(windows):
            self._workers.submit(partial(self._work, call, batch))
        return call

    def _reserve(self, texts: int) -> None:
        """Raises QueueIsFull."""
        with self._lock:
            if self._waiting + texts > self._capacity:
                self.counter.reject(texts)
                raise QueueIsFull(f"{self._waiting} texts are waiting already")
            self._waiting += texts
        self.counter.queue(texts)

    def _give_back(self, texts: int) -> None:
        with self._lock:
            self._waiting -= texts

    def _work(self, call: Call, batch: list[Place], allocation: Allocation) -> None:
        texts = sum(place.number == 0 for place in batch)  # each counts by its first window
        self._give_back(texts)
        if call.is_over:
            self.counter.drop(texts)
            return
        if time.monotonic() > call.deadline:
            self.counter.drop(texts, timed_out=texts)
            call.fail(TooLate("the time that the caller allowed ran out in the queue"))
            return
        started = time.perf_counter()
        allocation.begin()
        try:
            outputs = self._run([place.window for place in batch])
        except Exception as exc:
            logger.exception("the model failed on a batch of %d texts", len(batch))
            self.counter.drop(texts, failed=texts)
            allocation.end(failed=texts)
            call.fail(exc)
            return
        allocation.end(texts)
        self.counter.answer(texts, time.perf_counter() - started)
        for place, output in zip(batch, outputs, strict=True):
            call.finish(place, output)

    def _run(self, windows: Sequence[Window]) -> list[FloatArray]:
        texts = [(window.encoding.ids, window.encoding.type_ids) for window in windows]
        return list(self._network.run(PaddedBatch.of(texts, self._tokenizer.pad_id)))


def batches(windows: Sequence[Sequence[Window]]) -> list[list[Place]]:
    """All windows, those of like length together, in batches that are not too large."""
    places = [
        Place(text, number, window)
        for text, own in enumerate(windows)
        for number, window in enumerate(own)
    ]
    places.sort(key=lambda place: len(place.window.encoding))
    made: list[list[Place]] = []
    for place in places:
        length = len(place.window.encoding)  # the longest so far
        last = made[-1] if made else []
        if last and len(last) < BATCH_ROWS and (len(last) + 1) * length <= BATCH_TOKENS:
            last.append(place)
        else:
            made.append([place])
    return made


def main() -> None:
    spec = UploadSpec.from_json(sys.argv[1])
    run_host(lambda: UploadHost(spec), spec.deployment_id, spec.socket)


if __name__ == "__main__":
    main()
