"""Shares the allocations of one deployment between the requests that wait for it."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from inference.arrays import FloatArray
from inference.runner.allocations import Allocation
from inference.runner.encoded import EncodedText
from inference.runner.packing import PackedRow, pack, unpack
from inference.runner.statistics import Counter
from inference.runner.tokenizer import TokenizedText, TooLate

# A row below FULL_ROW tokens leaves compute unused while weights are read; above, attention over
# the other texts of the row starts to cost. Both were measured on all-MiniLM-L6-v2.
FULL_ROW, SMALL_ROW = 128, 32
# After a job came beside another, others are expected for so long.
CROWDED_S = 0.1

logger = logging.getLogger(__name__)


class Encoder(Protocol):
    def run(self, row: PackedRow) -> FloatArray: ...


class Job:
    """The texts of one request on their way through the encoder.

    on_encoded is called once a text, in any order, on a worker thread; on_end once, after the
    last text (None) or at the first failure.
    """

    def __init__(
        self,
        texts: Sequence[TokenizedText],
        on_encoded: Callable[[int, EncodedText], None],
        on_end: Callable[[Exception | None], None],
        deadline: float,
    ) -> None:
        self.waiting = deque(enumerate(texts))
        self.deadline = deadline
        self._unfinished = len(texts)
        self._on_encoded, self._on_end = on_encoded, on_end
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """Forget it: the caller is gone."""
        with self._lock:
            self._unfinished = 0

    @property
    def is_over(self) -> bool:
        return self._unfinished <= 0

    def finish(self, index: int, text: EncodedText) -> None:
        try:
            self._on_encoded(index, text)
        except Exception as exc:
            logger.exception("a result could not be made")
            return self.fail(exc)
        with self._lock:
            self._unfinished -= 1
            is_last = self._unfinished == 0
        if is_last:
            self._on_end(None)

    def fail(self, exc: Exception) -> None:
        with self._lock:
            was_over, self._unfinished = self.is_over, 0
        if not was_over:
            self._on_end(exc)


Batch: TypeAlias = list[tuple[Job, int, TokenizedText]]


@dataclass(frozen=True)
class Row:
    """Texts that run together, and jobs that were dropped on the way to them.

    allocations: those that it takes; all of them where it runs alone.
    """

    batch: Batch
    late: list[Job]
    is_lone: bool
    allocations: list[Allocation]


class QueueIsFull(Exception):
    """More texts wait than the deployment's queue may hold."""


class Batcher:
    """A queue of jobs and one thread an allocation that works it off.

    Jobs take turns, so a short text does not wait behind a thousand long ones. A lone row takes
    all allocations at once (`wide`); where several jobs come at a time, each allocation works on
    rows of its own (`narrow`), which is what gives the highest throughput: threads that share a
    short row wait for each other, on cores that others could use.
    """

    def __init__(
        self,
        narrow: Encoder,
        wide: Encoder,
        *,
        allocations: int,
        queue_capacity: int,
        most_at_once: int | None = None,
        counter: Counter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """most_at_once: how many allocations the machine can really run at a time.

        clock: seconds that only go forward.
        """
        self.counter = counter or Counter()
        self._allocations = self.counter.allocations
        self._clock = clock
        self._crowded_until = clock()
        self._narrow = narrow
        self._capacity = queue_capacity
        self._most_at_once = most_at_once
        self._jobs: deque[Job] = deque()
        self._texts_waiting = self._tokens_waiting = 0
        self._threads = 0
        self._changed = threading.Condition()
        self.resize(allocations, wide)

    def resize(self, allocations: int, wide: Encoder) -> None:
        """Go on with this many allocations; what is at work is finished first."""
        with self._changed:
            self._wide = wide
            self._allocations.resize(allocations)
            self._changed.notify_all()
        while self._threads < allocations:
            self._threads += 1
            name = f"allocation-{self._threads}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def check_room(self, count: int) -> None:
        """Raises QueueIsFull where so many texts more do not fit."""
        if self._texts_waiting + count > self._capacity:
            self.counter.reject(count)
            raise QueueIsFull(
                f"it holds {self._capacity} texts, {self._texts_waiting} are waiting already "
                f"and {count} more do not fit"
            )

    def submit(self, job: Job) -> None:
        """Queue a job of at least one text. Raises QueueIsFull and then keeps none of it.

        A row that would run at once is run here, on the caller's thread: to wake another one would
        cost a short text a good part of its time.
        """
        tokens = sum(len(text.ids) for _, text in job.waiting)
        with self._changed:
            self.check_room(len(job.waiting))
            idle = self._allocations.idle
            if idle < self._allocations.count:
                self._crowded_until = self._clock() + CROWDED_S
            self.counter.queue(len(job.waiting))
            self._texts_waiting += len(job.waiting)
            self._tokens_waiting += tokens
            self._jobs.append(job)
            if idle <= 0 or not (self._is_lone_row() or self._fits(self._row_tokens())):
                self._changed.notify(len(job.waiting))
                return
            row = self._next_row()
        self._run(row)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._jobs and self._allocations.idle > 0):
                    self._changed.wait()
                row = self._next_row()
            self._run(row)

    def _is_lone_row(self) -> bool:
        """Whether all that waits fits one row while nothing else runs, nor is expected."""
        return (
            self._allocations.idle == self._allocations.count
            and self._fits(FULL_ROW)
            and self._clock() >= self._crowded_until
        )

    def _fits(self, row_tokens: int) -> bool:
        """Whether all that waits makes one row; a text is never cut."""
        return self._texts_waiting == 1 or self._tokens_waiting <= row_tokens

    def _next_row(self) -> Row:
        """Take a row off the queue, and the allocations that it needs."""
        is_lone = self._is_lone_row()
        batch, late = self._take(FULL_ROW if is_lone else self._row_tokens())
        taken = self._allocations.take(self._allocations.count if is_lone else 1)
        return Row(batch, late, is_lone, taken)

    def _row_tokens(self) -> int:
        """How long a row to make: an even share for each idle allocation, within bounds."""
        return max(SMALL_ROW, min(FULL_ROW, self._tokens_waiting // self._allocations.idle))

    def _take(self, row_tokens: int) -> tuple[Batch, list[Job]]:
        """Take one text of each job in turn until the row is full; the first always fits.

        Beside the row come the jobs that were dropped because their time had run out.
        """
        batch: Batch = []
        late: list[Job] = []
        room = row_tokens
        while self._jobs:
            job = self._jobs[0]
            if job.is_over or time.monotonic() > job.deadline:
                late.append(self._jobs.popleft())
                count = len(job.waiting)
                self.counter.drop(count, timed_out=0 if job.is_over else count)
                self._texts_waiting -= count
                self._tokens_waiting -= sum(len(text.ids) for _, text in job.waiting)
                continue
            index, text = job.waiting[0]
            if batch and len(text.ids) > room:
                break
            job.waiting.popleft()
            self._jobs.rotate(-1)
            if not job.waiting:
                self._jobs.pop()
            self._texts_waiting -= 1
            self._tokens_waiting -= len(text.ids)
            room -= len(text.ids)
            batch.append((job, index, text))
        return batch, late

    def _run(self, row: Row) -> None:
        try:
            for job in row.late:
                job.fail(TooLate("the time that the caller allowed ran out in the queue"))
            if row.batch:
                self._encode(self._wide if row.is_lone else self._narrow, row)
        finally:
            with self._changed:
                self._allocations.give_back(row.allocations)
                if self._jobs:
                    self._changed.notify(len(row.allocations))

    def _encode(self, encoder: Encoder, row: Row) -> None:
        batch, started = row.batch, time.perf_counter()
        at_once = row.allocations[: self._most_at_once]
        for one in at_once:
            one.begin()
        try:
            packed = pack([text for _, _, text in batch])
            states = unpack(encoder.run(packed), packed)
        except Exception as exc:
            logger.exception("the model failed on a batch of %d texts", len(batch))
            self.counter.drop(len(batch), failed=len(batch))
            for one in at_once:
                one.end(failed=len(batch) if one is at_once[0] else 0)
            for job, _, _ in batch:
                job.fail(exc)
            return
        self.counter.answer(len(batch), len(at_once) * (time.perf_counter() - started))
        for one in at_once:
            one.end(len(batch) if one is at_once[0] else 0)
        for (job, index, text), own in zip(batch, states, strict=True):
            job.finish(index, EncodedText(text.ids, own, text.truncation))
