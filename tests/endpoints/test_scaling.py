"""Deployments whose number of allocations follows the load."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from endpoints.models import Deployment, DeploymentState
from endpoints.scaling import Scaling
from inference.runner.statistics import Statistics
from tests.factories import make_deployment

DAY_S = 24 * 3600


@dataclass
class Machine:
    """A clock that is moved on by hand, and what the one host of the machine has counted."""

    now: float = 0.0
    counted: Statistics = field(default_factory=Statistics)

    def __post_init__(self) -> None:
        self.scaling = Scaling(clock=lambda: self.now)

    def pass_time(self, seconds: float = 10.0, counted: Statistics | None = None) -> int:
        self.now += seconds
        self.counted = counted or self.counted
        self.scaling.step(Deployment.objects.all(), lambda _: self.counted)
        return Deployment.objects.get().num_allocations


@pytest.fixture
def machine(db: None, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    return Machine()


def adapting(least: int | None = None, most: int | None = None, **columns: Any) -> Deployment:
    bounds = {"min_number_of_allocations": least, "max_number_of_allocations": most}
    set_bounds = {name: value for name, value in bounds.items() if value is not None}
    return make_deployment("d1", adaptive_allocations={"enabled": True, **set_bounds}, **columns)


# 50 texts a second at 0.1 s each keep five allocations busy.
BUSY = Statistics(answered=500, busy_s=50.0)


def test_a_busy_deployment_gets_more_allocations(machine: Machine) -> None:
    adapting()
    assert machine.pass_time() == 1

    assert machine.pass_time(counted=BUSY) > 3


def test_it_is_looked_at_every_ten_seconds(machine: Machine) -> None:
    adapting()
    machine.pass_time()

    assert machine.pass_time(9.0, BUSY) == 1
    assert machine.pass_time(1.0) > 3


def test_texts_that_wait_and_fail_count_too(machine: Machine) -> None:
    adapting()
    machine.pass_time()

    waiting = Statistics(pending=30, failed=10, timed_out=10, rejected=10)
    assert machine.pass_time(counted=waiting) > 3


def test_bounds_are_kept_even_when_they_change(machine: Machine) -> None:
    deployment = adapting(most=2)
    machine.pass_time()
    assert machine.pass_time(counted=BUSY) == 2

    deployment.adaptive_allocations = {"enabled": True, "max_number_of_allocations": 3}
    deployment.save(update_fields=["adaptive_allocations"])
    twice = Statistics(answered=1000, busy_s=100.0)
    assert machine.pass_time(counted=twice) == 3


def test_there_are_no_more_than_the_machine_can_run(machine: Machine) -> None:
    adapting(num_threads=4)
    machine.pass_time()

    assert machine.pass_time(counted=BUSY) == 2


def test_a_fresh_host_counts_from_nothing_again(machine: Machine) -> None:
    adapting()
    machine.pass_time(counted=BUSY)

    assert machine.pass_time(counted=Statistics()) == 1


def test_a_moment_without_a_host_is_no_load(machine: Machine) -> None:
    adapting()
    machine.pass_time(counted=BUSY)
    machine.now += 10
    machine.scaling.step(Deployment.objects.all(), lambda _: None)

    assert machine.pass_time(counted=BUSY) == 1


def test_one_that_nobody_calls_for_a_day_goes_to_nothing(machine: Machine) -> None:
    adapting(least=0)
    machine.pass_time(counted=Statistics(answered=1, busy_s=0.1))

    assert machine.pass_time(DAY_S - 100) == 1
    assert machine.pass_time(200) == 0


@pytest.mark.parametrize("state", [DeploymentState.STARTING, DeploymentState.FAILED])
def test_only_what_runs_is_scaled(machine: Machine, state: str) -> None:
    adapting(state=state)
    machine.pass_time()

    assert machine.pass_time(counted=BUSY) == 1


def test_a_fixed_number_stays(machine: Machine) -> None:
    make_deployment("d1", adaptive_allocations={"enabled": False})
    machine.pass_time()

    assert machine.pass_time(counted=BUSY) == 1
