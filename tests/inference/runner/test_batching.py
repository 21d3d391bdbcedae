"""The queue in front of the encoder, driven by an encoder that waits to be let go."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from inference.arrays import FloatArray
from inference.runner.batching import CROWDED_S, FULL_ROW, Batcher, Job, QueueIsFull
from inference.runner.encoded import EncodedText
from inference.runner.packing import PackedRow
from inference.runner.statistics import Counter
from inference.runner.tokenizer import TokenizedText, TooLate

PATIENCE_S = 10


class GatedEncoder:
    """Notes each row that comes in and holds it until the test opens the gate."""

    def __init__(self) -> None:
        self.rows: list[list[int]] = []
        self.gate = threading.Semaphore(0)
        self.entered = threading.Semaphore(0)
        self.fails_with: Exception | None = None

    def run(self, row: PackedRow) -> FloatArray:
        self.rows.append(row.ids[0].tolist())
        self.entered.release()
        assert self.gate.acquire(timeout=PATIENCE_S)
        if self.fails_with:
            raise self.fails_with
        return np.repeat(row.ids[..., None].astype(np.float32), 2, axis=2)

    def wait_for_row(self) -> list[int]:
        assert self.entered.acquire(timeout=PATIENCE_S)
        return self.rows[-1]

    def let_go(self, rows: int = 1) -> None:
        self.gate.release(rows)


@dataclass
class Outcome:
    texts: dict[int, EncodedText] = field(default_factory=dict)
    failure: Exception | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def end(self, failure: Exception | None) -> None:
        assert not self.ended.is_set(), "a job ends once"
        self.failure = failure
        self.ended.set()

    def wait(self) -> "Outcome":
        assert self.ended.wait(PATIENCE_S)
        return self


def text(first_id: int, tokens: int = 4) -> TokenizedText:
    return TokenizedText(np.full(tokens, first_id, np.int32))


def job(texts: Sequence[TokenizedText], allowed_s: float = 60) -> tuple[Job, Outcome]:
    outcome = Outcome()
    made = Job(texts, outcome.texts.__setitem__, outcome.end, time.monotonic() + allowed_s)
    return made, outcome


def submit(batcher: Batcher, *texts: TokenizedText, allowed_s: float = 60) -> Outcome:
    made, outcome = job(texts, allowed_s)
    batcher.submit(made)
    return outcome


def occupy(batcher: Batcher, encoder: GatedEncoder, first: TokenizedText | None = None) -> Outcome:
    """Let a caller's text run, and stay running until the gate is opened."""
    made, outcome = job([first or text(1)])
    threading.Thread(target=batcher.submit, args=(made,), daemon=True).start()
    encoder.wait_for_row()
    return outcome


@pytest.fixture
def encoder() -> Iterator[GatedEncoder]:
    encoder = GatedEncoder()
    yield encoder
    encoder.let_go(1000)  # whatever a failed test left waiting


@pytest.fixture
def batcher(encoder: GatedEncoder) -> Batcher:
    return Batcher(encoder, encoder, allocations=1, queue_capacity=100)


def test_a_text_comes_back_with_its_own_states(batcher: Batcher, encoder: GatedEncoder) -> None:
    encoder.let_go(10)

    outcome = submit(batcher, text(7, tokens=3), text(9, tokens=2)).wait()

    assert outcome.failure is None
    assert outcome.texts[0].states.tolist() == [[7, 7]] * 3
    assert outcome.texts[1].states.tolist() == [[9, 9]] * 2


def test_short_texts_of_several_requests_share_a_row(
    batcher: Batcher, encoder: GatedEncoder
) -> None:
    busy = occupy(batcher, encoder)
    waiting = [submit(batcher, text(number)) for number in (2, 3, 4)]

    encoder.let_go()

    assert encoder.wait_for_row() == [2] * 4 + [3] * 4 + [4] * 4
    encoder.let_go()
    assert all(outcome.wait().failure is None for outcome in (busy, *waiting))


def test_a_row_ends_before_it_is_too_long(batcher: Batcher, encoder: GatedEncoder) -> None:
    occupy(batcher, encoder)
    submit(batcher, text(2, FULL_ROW - 10), text(3, 20), text(4, 5))

    encoder.let_go()

    assert len(encoder.wait_for_row()) == FULL_ROW - 10


def test_a_text_longer_than_a_row_runs_alone(batcher: Batcher, encoder: GatedEncoder) -> None:
    encoder.let_go(10)

    outcome = submit(batcher, text(5, tokens=2 * FULL_ROW)).wait()

    assert len(outcome.texts[0].states) == 2 * FULL_ROW


def test_requests_take_turns(batcher: Batcher, encoder: GatedEncoder) -> None:
    """One short text does not wait behind everything that a large request brought before it."""
    occupy(batcher, encoder)
    submit(batcher, *(text(2, FULL_ROW - 8) for _ in range(20)))
    late = submit(batcher, text(3))

    encoder.let_go()
    encoder.wait_for_row()
    encoder.let_go()

    assert late.wait().texts[0].states.tolist() == [[3, 3]] * 4


def test_work_is_spread_over_the_allocations(encoder: GatedEncoder) -> None:
    wide = GatedEncoder()
    batcher = Batcher(encoder, wide, allocations=2, queue_capacity=1000)

    submit(batcher, *(text(2, tokens=100) for _ in range(4)))

    encoder.wait_for_row()
    encoder.wait_for_row()
    assert [len(row) for row in encoder.rows] == [100, 100]
    assert wide.rows == []


def test_a_lone_text_takes_all_allocations(encoder: GatedEncoder) -> None:
    wide = GatedEncoder()
    wide.let_go(10)
    batcher = Batcher(encoder, wide, allocations=2, queue_capacity=100)

    submit(batcher, text(5, tokens=200)).wait()
    submit(batcher, text(6)).wait()

    assert [row[0] for row in wide.rows] == [5, 6]
    assert encoder.rows == []


def test_nothing_starts_beside_a_text_that_took_all_allocations(encoder: GatedEncoder) -> None:
    wide = GatedEncoder()
    batcher = Batcher(encoder, wide, allocations=2, queue_capacity=100)
    first = occupy(batcher, wide, text(5))

    second = submit(batcher, text(6))

    assert not encoder.entered.acquire(timeout=0.05)
    wide.let_go()
    assert encoder.wait_for_row() == [6] * 4
    encoder.let_go()
    assert first.wait().failure is second.wait().failure is None


def test_where_jobs_came_at_a_time_each_allocation_works_for_itself(
    encoder: GatedEncoder,
) -> None:
    """A text that happens to be alone among many callers leaves the cores to the others."""
    now = 0.0
    wide = GatedEncoder()
    encoder.let_go(10)
    batcher = Batcher(encoder, wide, allocations=2, queue_capacity=100, clock=lambda: now)
    first = occupy(batcher, wide, text(5))
    second = submit(batcher, text(6))
    wide.let_go(10)
    first.wait(), second.wait()

    submit(batcher, text(7)).wait()
    now = CROWDED_S
    submit(batcher, text(8)).wait()

    assert [row[0] for row in encoder.rows] == [6, 7]
    assert [row[0] for row in wide.rows] == [5, 8]


def test_more_allocations_join_in_at_once(batcher: Batcher, encoder: GatedEncoder) -> None:
    first = occupy(batcher, encoder, text(1, tokens=FULL_ROW))
    second = submit(batcher, text(2, tokens=FULL_ROW))

    batcher.resize(2, encoder)

    assert encoder.wait_for_row()[0] == 2
    encoder.let_go(2)
    first.wait(), second.wait()


def test_fewer_allocations_finish_what_is_at_work(encoder: GatedEncoder) -> None:
    batcher = Batcher(encoder, encoder, allocations=2, queue_capacity=100)
    outcomes = [submit(batcher, text(n, tokens=FULL_ROW), text(n, tokens=FULL_ROW)) for n in (1, 2)]
    encoder.wait_for_row()
    encoder.wait_for_row()

    batcher.resize(1, encoder)
    for rows_done in (2, 3, 4):
        encoder.let_go(2 if rows_done == 2 else 1)
        if rows_done < 4:
            encoder.wait_for_row()
            assert len(encoder.rows) == rows_done + 1

    for outcome in outcomes:
        assert outcome.wait().failure is None


def test_what_became_of_the_texts_is_counted(encoder: GatedEncoder) -> None:
    counter = Counter(clock=lambda: 60.0)
    batcher = Batcher(encoder, encoder, allocations=1, queue_capacity=2, counter=counter)
    encoder.let_go(3)
    submit(batcher, text(1), text(2)).wait()
    encoder.fails_with = RuntimeError("no")
    submit(batcher, text(3)).wait()
    submit(batcher, text(4), allowed_s=-1).wait()
    with pytest.raises(QueueIsFull):
        submit(batcher, text(5), text(6), text(7))

    counted = counter.read()

    assert (counted.answered, counted.failed, counted.timed_out) == (2, 1, 1)
    assert (counted.rejected, counted.pending) == (3, 0)
    assert counted.busy_s > 0
    assert counted.answered_at == 60.0


def test_each_allocation_counts_what_it_did(encoder: GatedEncoder) -> None:
    counter = Counter()
    now = 0.0
    batcher = Batcher(
        encoder, encoder, allocations=2, queue_capacity=100, counter=counter, clock=lambda: now
    )
    alone = occupy(batcher, encoder)
    encoder.let_go()
    alone.wait()
    both = submit(batcher, text(2, tokens=FULL_ROW), text(3, tokens=FULL_ROW))
    encoder.wait_for_row(), encoder.wait_for_row()
    assert [one.is_at_work for one in counter.read().allocations] == [True, True]
    encoder.let_go(2)
    both.wait()

    first, second = counter.read().allocations

    assert (first.runs, first.texts) == (2, 2), "a text alone counts for the first of all"
    assert (second.runs, second.texts) == (2, 1)


def test_a_row_that_fails_counts_for_the_allocation_it_ran_on(encoder: GatedEncoder) -> None:
    counter = Counter()
    batcher = Batcher(encoder, encoder, allocations=1, queue_capacity=100, counter=counter)
    encoder.fails_with = RuntimeError("no")
    encoder.let_go()
    submit(batcher, text(1), text(2)).wait()

    (only,) = counter.read().allocations

    assert (only.failed, only.texts, only.is_at_work) == (2, 0, False)


def test_a_full_queue_refuses_the_whole_request(batcher: Batcher, encoder: GatedEncoder) -> None:
    occupy(batcher, encoder)
    submit(batcher, *(text(2) for _ in range(60)))

    with pytest.raises(QueueIsFull):
        submit(batcher, *(text(3) for _ in range(41)))

    encoder.let_go(100)
    assert submit(batcher, text(4)).wait().failure is None
    assert all(3 not in row for row in encoder.rows)


def test_a_caller_that_left_is_dropped_from_the_queue(
    batcher: Batcher, encoder: GatedEncoder
) -> None:
    occupy(batcher, encoder)
    gone, outcome = job([text(2), text(2)])
    batcher.submit(gone)
    patient = submit(batcher, text(3))

    gone.cancel()
    encoder.let_go(10)
    patient.wait()

    assert all(2 not in row for row in encoder.rows)
    assert not outcome.ended.is_set()


def test_a_request_whose_time_ran_out_in_the_queue_is_told_so(
    batcher: Batcher, encoder: GatedEncoder
) -> None:
    occupy(batcher, encoder)
    late = submit(batcher, text(2), allowed_s=-1)

    encoder.let_go(10)

    assert isinstance(late.wait().failure, TooLate)
    assert all(2 not in row for row in encoder.rows)


def test_a_failing_model_fails_the_requests_of_that_row_only(
    batcher: Batcher, encoder: GatedEncoder
) -> None:
    encoder.fails_with = RuntimeError("out of memory")
    encoder.let_go()
    failed = submit(batcher, text(1)).wait()
    encoder.fails_with = None
    encoder.let_go()

    assert str(failed.failure) == "out of memory"
    assert submit(batcher, text(2)).wait().failure is None


def test_a_result_that_cannot_be_made_fails_its_request_and_nothing_else(
    batcher: Batcher, encoder: GatedEncoder
) -> None:
    encoder.let_go(10)
    outcome = Outcome()

    def refuse(index: int, encoded: EncodedText) -> None:
        raise ValueError("no result")

    batcher.submit(Job([text(1)], refuse, outcome.end, time.monotonic() + 60))

    assert str(outcome.wait().failure) == "no result"
    assert submit(batcher, text(2)).wait().failure is None


def test_many_callers_at_once_all_get_their_own_answer() -> None:
    encoder = GatedEncoder()
    encoder.let_go(10_000)
    batcher = Batcher(encoder, encoder, allocations=3, queue_capacity=10_000)
    outcomes: dict[int, Outcome] = {}

    def call(number: int) -> None:
        outcomes[number] = submit(batcher, *(text(number, tokens=1 + n % 9) for n in range(20)))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(1, 31)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for number, outcome in outcomes.items():
        found = outcome.wait().texts
        assert sorted(found) == list(range(20))
        assert all(set(one.ids.tolist()) == {number} for one in found.values())
