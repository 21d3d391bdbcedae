from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from inference.runner.progress import Cancelled, Clock, Meter, Progress


@dataclass
class Watched:
    """What a meter told, on a clock that stands still until it is set."""

    now_s: float = 0.0
    seen: list[Progress] = field(default_factory=list)

    def meter(self, in_place: int = 0, is_cancelled: Callable[[], bool] = lambda: False) -> Meter:
        clock = Clock(now=lambda: self.now_s)
        return Meter("hub", in_place, 10_000, self.seen.append, is_cancelled, clock)

    def rate_at(self, meter: Meter, now_s: float, file_bytes: int) -> float:
        self.now_s = now_s
        meter.at(file_bytes)
        return self.seen[-1].bytes_per_s


def test_reports_come_five_times_a_second() -> None:
    watched = Watched()
    meter = watched.meter()

    meter.start(0)
    for tick in range(1, 101):
        watched.now_s = tick / 100
        meter.at(tick)

    assert 5 <= len(watched.seen) <= 6


def test_the_rate_is_that_of_the_last_five_seconds() -> None:
    watched = Watched()
    meter = watched.meter()
    meter.start(0)

    assert watched.rate_at(meter, 1, 100) == 100
    assert watched.rate_at(meter, 3, 700) == pytest.approx(700 / 3)
    assert watched.rate_at(meter, 6, 1000) == pytest.approx((1000 - 100) / 5)
    assert watched.rate_at(meter, 11, 1000) == 0


def test_what_an_earlier_try_left_counts_as_done_but_not_as_speed() -> None:
    watched = Watched()
    meter = watched.meter(in_place=2000)
    meter.start(500)

    assert watched.seen[-1] == Progress("hub", 2500, 10_000, 0.0)
    assert watched.rate_at(meter, 1, 600) == 100


def test_the_next_file_adds_to_what_is_in_place() -> None:
    watched = Watched()
    meter = watched.meter()
    meter.start(0)
    watched.rate_at(meter, 1, 1000)
    meter.file_in_place(1200)

    watched.now_s = 2
    meter.start(500)

    assert watched.seen[-1] == Progress("hub", 1700, 10_000, 0.0)
    assert watched.rate_at(meter, 3, 600) == 100
    meter.file_in_place(800)
    watched.now_s = 4
    meter.start(0)
    assert watched.seen[-1].bytes_done == 2000


def test_the_end_is_told_whatever_was_told_a_moment_ago() -> None:
    watched = Watched()
    meter = watched.meter()
    meter.start(0)

    meter.finish()

    assert watched.seen[-1].bytes_done == 10_000


def test_an_estimate_never_passes_the_total() -> None:
    watched = Watched()
    meter = watched.meter(in_place=9000)
    meter.start(0)
    watched.rate_at(meter, 1, 50_000)

    assert watched.seen[-1].bytes_done == 10_000


def test_a_cancellation_is_noticed_with_the_next_report() -> None:
    watched = Watched()
    meter = watched.meter(is_cancelled=lambda: bool(watched.seen))
    meter.start(0)

    meter.at(1)
    watched.now_s = 0.2
    with pytest.raises(Cancelled):
        meter.at(2)
