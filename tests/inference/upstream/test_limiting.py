"""Turns at calling a provider."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.upstream.deadline import Deadline
from inference.upstream.errors import UpstreamTimedOut
from inference.upstream.limiting import Group, Limiter, MemoryTurns

GROUP = Group("openai", ("model", "key"), 60)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def waits(turns: MemoryTurns, count: int, group: Group = GROUP) -> list[float]:
    return [turns.take(group, 1e9) for _ in range(count)]


def test_the_first_come_at_once_and_the_rest_one_share_apart(clock: Clock) -> None:
    found = waits(MemoryTurns(clock), 13)

    assert found[:10] == [0] * 10
    assert found[10:] == pytest.approx([1, 2, 3])


def test_time_that_passes_gives_turns_back(clock: Clock) -> None:
    turns = MemoryTurns(clock)
    waits(turns, 10)
    clock.now += 5

    assert waits(turns, 6) == pytest.approx([0, 0, 0, 0, 0, 1])


def test_a_turn_that_is_too_far_away_is_not_taken(clock: Clock) -> None:
    turns = MemoryTurns(clock)
    waits(turns, 12)

    assert turns.take(GROUP, 1.5) == pytest.approx(3)
    assert turns.take(GROUP, 1e9) == pytest.approx(3)


def test_groups_have_turns_of_their_own(clock: Clock) -> None:
    turns = MemoryTurns(clock)
    waits(turns, 10)

    assert waits(turns, 1, Group("openai", ("model", "other"), 60)) == [0]
    assert waits(turns, 1, Group("openai", ("model", "key"), 61)) == [0]


@given(gaps=st.lists(st.floats(0, 5), min_size=1, max_size=200), limit=st.integers(1, 600))
def test_no_minute_has_many_more_calls_than_the_limit(gaps: list[float], limit: int) -> None:
    clock, group = Clock(), Group("s", (), limit)
    turns, sent = MemoryTurns(clock), []
    for gap in gaps:
        clock.now += gap
        sent.append(clock.now + turns.take(group, 1e9))

    sent.sort()
    for first in sent:
        within = sum(first <= at < first + 60 - 1e-6 for at in sent)
        assert within <= limit + max(limit / 6, 1)


def test_the_key_of_a_group_does_not_show_what_it_is_made_of() -> None:
    assert "key" not in GROUP.key


def test_who_cannot_have_a_turn_in_time_is_told_at_once(clock: Clock) -> None:
    slept: list[float] = []
    limiter = Limiter(MemoryTurns(clock), slept.append)
    for _ in range(10):
        limiter.take(GROUP, Deadline.after(0.5), "e")

    with pytest.raises(UpstreamTimedOut, match=r"rate limit of \[60\]") as told:
        limiter.take(GROUP, Deadline.after(0.5), "e")

    assert told.value.status == 504
    assert told.value.explanation.retry_helps
    assert not slept


def test_threads_never_share_a_turn(clock: Clock) -> None:
    turns, found, lock = MemoryTurns(clock), list[float](), threading.Lock()

    def take() -> None:
        for _ in range(50):
            wait = turns.take(GROUP, 1e9)
            with lock:
                found.append(round(wait, 6))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    late = [wait for wait in found if wait]
    assert len(late) == len(set(late)) == 390
