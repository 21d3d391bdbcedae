"""What a host counts by the minute of the clock."""

import pytest

from inference.runner.statistics import Counter, Statistics
from tests.inference.runner.running import Clock


@pytest.fixture
def counter(clock: Clock) -> Counter:
    return Counter(clock)


def answer(counter: Counter, texts: int) -> None:
    counter.queue(texts)
    counter.answer(texts, busy_s=0.5)


def test_a_host_that_did_nothing_has_counted_nothing(counter: Counter) -> None:
    assert counter.read() == Statistics()


def test_the_last_minute_is_the_last_whole_one(counter: Counter, clock: Clock) -> None:
    answer(counter, 3)
    assert counter.read().answered_last_minute == 0

    clock.now += 60
    assert counter.read().answered_last_minute == 3
    assert counter.read().busy_last_minute_s == 0.5

    clock.now += 60
    assert counter.read().answered_last_minute == 0
    assert counter.read().answered == 3


def test_a_minute_without_a_look_is_empty(counter: Counter, clock: Clock) -> None:
    answer(counter, 3)
    clock.now += 180

    assert counter.read().answered_last_minute == 0


def test_the_best_minute_is_remembered(counter: Counter, clock: Clock) -> None:
    answer(counter, 3)
    answer(counter, 4)
    clock.now += 60
    answer(counter, 5)

    assert counter.read().most_per_minute == 7


def test_counts_of_two_hosts_are_told_together() -> None:
    first = Statistics(answered=5, failed=1, pending=2, busy_s=1.5, answered_at=600.0)
    second = Statistics(answered=3, timed_out=1, rejected=4, pending=1, busy_s=0.5)

    both = first.plus(second)

    assert (both.answered, both.failed, both.timed_out, both.rejected) == (8, 1, 1, 4)
    assert (both.pending, both.busy_s, both.answered_at) == (3, 2.0, 600.0)
    assert Statistics().plus(Statistics()) == Statistics()


def test_a_host_that_ended_has_nothing_pending_and_no_last_minute() -> None:
    counted = Statistics(
        answered=5,
        pending=2,
        answered_last_minute=4,
        busy_last_minute_s=1.0,
        most_per_minute=4,
    )

    assert counted.of_the_past() == Statistics(answered=5, most_per_minute=4)
