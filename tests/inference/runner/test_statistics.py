"""What a host counts by the minute of the clock."""

from dataclasses import dataclass

import pytest

from inference.runner.statistics import Counter, Statistics


@dataclass
class Clock:
    now: float = 600.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


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
