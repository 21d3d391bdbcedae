"""What each allocation does, and that none of them misses its work."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from inference.runner.allocations import Allocation, AllocationFigures, Allocations
from inference.runner.statistics import Counter, Statistics
from inference.runner.workers import Workers
from tests.inference.runner.running import Clock

PATIENCE_S = 10


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


@pytest.fixture
def allocations(clock: Clock) -> Allocations:
    made = Allocations(clock)
    made.resize(3)
    return made


def numbers(taken: list[Allocation]) -> list[int]:
    return [one.number for one in taken]


def test_the_lowest_that_is_free_is_taken_first(allocations: Allocations) -> None:
    first, second = allocations.take(), allocations.take()
    assert (numbers(first), numbers(second)) == ([1], [2])

    allocations.give_back(first)

    assert numbers(allocations.take(2)) == [1, 3]
    assert allocations.idle == 0


def test_a_number_above_the_count_finishes_and_rests(allocations: Allocations) -> None:
    taken = allocations.take(3)
    allocations.resize(1)
    assert allocations.idle == -2

    allocations.give_back(taken)

    assert allocations.idle == 1
    assert numbers(allocations.take()) == [1]


def test_a_number_that_comes_back_while_at_work_is_not_given_twice(
    allocations: Allocations,
) -> None:
    taken = allocations.take(3)
    allocations.resize(1)
    allocations.resize(3)
    assert allocations.idle == 0

    allocations.give_back(taken)

    assert sorted(numbers(allocations.take(3))) == [1, 2, 3]


def run(allocations: Allocations, clock: Clock, seconds: float, texts: int = 1) -> None:
    """One run of the lowest that is free."""
    taken = allocations.take()
    taken[0].begin()
    clock.now += seconds
    taken[0].end(texts)
    allocations.give_back(taken)


def test_each_counts_for_itself(allocations: Allocations, clock: Clock) -> None:
    held = allocations.take()
    held[0].begin()
    run(allocations, clock, 2.0, texts=5)
    run(allocations, clock, 4.0, texts=1)

    first, second = allocations.read()

    assert (first.number, first.is_at_work, first.runs) == (1, True, 0)
    assert (second.number, second.is_at_work) == (2, False)
    assert (second.runs, second.texts, second.busy_s) == (2, 6, 6.0)
    assert second.last_at is not None


def test_one_that_never_worked_is_not_told_of(allocations: Allocations) -> None:
    assert allocations.read() == ()


def test_what_failed_counts_as_failed(allocations: Allocations) -> None:
    allocations.take()[0].end(failed=4)

    (only,) = allocations.read()

    assert (only.runs, only.texts, only.failed) == (1, 0, 4)


def test_the_load_is_the_share_of_the_last_minute(allocations: Allocations, clock: Clock) -> None:
    run(allocations, clock, 30.0)
    clock.now = 60.0
    assert allocations.read()[0].load == 0.5

    clock.now = 75.0
    assert allocations.read()[0].load == 0.4, "of all the time there was, until it is a minute"
    clock.now = 120.0
    assert allocations.read()[0].load == 0.0


def test_the_load_counts_a_run_that_goes_on(allocations: Allocations, clock: Clock) -> None:
    clock.now = 45.0
    allocations.take()[0].begin()
    clock.now = 60.0

    (only,) = allocations.read()

    assert (only.load, only.is_at_work, only.busy_s) == (0.25, True, 0.0)


def test_figures_of_two_hosts_are_told_together_by_number() -> None:
    of_the_past = Statistics(
        allocations=(
            AllocationFigures(1, runs=2, texts=3, busy_s=1.0, is_at_work=True, last_at=60.0),
        )
    ).of_the_past()
    now = Statistics(
        allocations=(
            AllocationFigures(1, runs=1, texts=1, busy_s=0.5, last_at=90.0, load=0.5),
            AllocationFigures(2, failed=1, runs=1),
        )
    )

    assert of_the_past.plus(now).allocations == (
        AllocationFigures(1, runs=3, texts=4, busy_s=1.5, last_at=90.0, load=0.5),
        AllocationFigures(2, failed=1, runs=1),
    )


@dataclass
class Held:
    """A piece of work that notes where it runs, and ends when the test lets it."""

    entered: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    number: int = 0

    def __call__(self, allocation: Allocation) -> None:
        self.number = allocation.number
        self.entered.set()
        assert self.gate.wait(PATIENCE_S)

    def started_on(self) -> int:
        assert self.entered.wait(PATIENCE_S)
        return self.number


@pytest.fixture
def held() -> Iterator[Callable[[Workers], Held]]:
    made: list[Held] = []

    def submit(workers: Workers) -> Held:
        made.append(Held())
        workers.submit(made[-1])
        return made[-1]

    yield submit
    for one in made:  # whatever a failed test left waiting
        one.gate.set()


def test_work_waits_for_an_allocation_and_not_for_a_thread(held: Callable[..., Held]) -> None:
    workers = Workers(Allocations(), 2)
    first, second = held(workers), held(workers)
    assert {first.started_on(), second.started_on()} == {1, 2}
    upper, lower = sorted((first, second), key=lambda one: -one.number)

    workers.resize(1)
    third = held(workers)
    upper.gate.set()
    workers.resize(1)  # takes the lock, so that whoever could have begun has
    assert not third.entered.is_set()
    lower.gate.set()

    assert third.started_on() == 1


def test_no_wake_up_is_lost_while_the_allocations_come_and_go() -> None:
    """One lost would leave a piece waiting for ever, as nothing else would wake a thread."""
    pieces, counter = 2000, Counter()
    workers = Workers(counter.allocations, 1)
    done = threading.Semaphore(0)

    def work(allocation: Allocation) -> None:
        allocation.begin()
        allocation.end(texts=1)
        done.release()

    for number in range(pieces):
        workers.submit(work)
        workers.resize((4, 1, 3, 2)[number % 4])

    for _ in range(pieces):
        assert done.acquire(timeout=PATIENCE_S)
    assert sum(one.texts for one in counter.read().allocations) == pieces


def test_one_piece_at_a_time_is_never_left_behind() -> None:
    """Each piece comes when all threads rest again, most of them above the count."""
    workers, ended = Workers(Allocations(), 8), threading.Semaphore(0)
    workers.resize(1)

    for _ in range(500):
        workers.submit(lambda _allocation: ended.release())
        assert ended.acquire(timeout=PATIENCE_S)
