"""What hosts counted, as the records keep it."""

from dataclasses import dataclass

import pytest

from endpoints.figures import Figures, figures_of
from endpoints.models import Deployment
from inference.runner.allocations import AllocationFigures
from inference.runner.statistics import Statistics
from tests.factories import make_deployment


@dataclass
class Runner:
    now: float = 0.0
    counted: Statistics | None = None

    def __post_init__(self) -> None:
        self.figures = Figures(clock=lambda: self.now)

    def step(self, counted: Statistics | None, seconds: float = 2.0) -> dict[str, object]:
        """What the record holds after this was counted for so long."""
        self.now += seconds
        self.figures.step(Deployment.objects.all(), lambda _: counted)
        stats: dict[str, object] = Deployment.objects.get().stats
        return stats


@pytest.fixture
def runner(db: None) -> Runner:
    make_deployment()
    return Runner()


def test_counts_go_by_the_names_of_the_api() -> None:
    counted = Statistics(
        answered=4,
        failed=1,
        timed_out=2,
        rejected=3,
        pending=5,
        busy_s=0.02,
        answered_at=1700.0,
        answered_last_minute=2,
        busy_last_minute_s=0.03,
        most_per_minute=6,
    )

    assert figures_of(counted) == {
        "inference_count": 4,
        "error_count": 1,
        "timeout_count": 2,
        "rejected_execution_count": 3,
        "number_of_pending_requests": 5,
        "throughput_last_minute": 2,
        "peak_throughput_per_minute": 6,
        "average_inference_time_ms": 5.0,
        "average_inference_time_ms_last_minute": 15.0,
        "last_access": 1_700_000,
    }


def test_each_allocation_is_told_of() -> None:
    figures = AllocationFigures(
        2, runs=4, texts=9, failed=1, busy_s=0.02, is_at_work=True, last_at=1700.0, load=0.25
    )

    assert figures_of(Statistics(allocations=(figures,)))["allocations"] == [
        {
            "allocation": 2,
            "inference_count": 9,
            "run_count": 4,
            "error_count": 1,
            "is_at_work": True,
            "load": 0.25,
            "average_run_time_ms": 5.0,
            "last_access": 1_700_000,
        }
    ]


def test_there_is_no_mean_of_nothing() -> None:
    assert "average_inference_time_ms" not in figures_of(Statistics())
    assert "last_access" not in figures_of(Statistics())


def test_they_are_written_from_time_to_time(runner: Runner) -> None:
    assert runner.step(Statistics(answered=1))["inference_count"] == 1
    assert runner.step(Statistics(answered=2), seconds=1.0)["inference_count"] == 1
    assert runner.step(Statistics(answered=3), seconds=1.0)["inference_count"] == 3


def test_what_nobody_can_tell_now_stays_as_it_was(runner: Runner) -> None:
    runner.step(Statistics(answered=1))

    assert runner.step(None)["inference_count"] == 1
