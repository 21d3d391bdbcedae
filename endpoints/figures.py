"""Writes down what the hosts counted, for everybody who asks how deployments do."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from endpoints.models import Deployment
from inference.runner.allocations import AllocationFigures
from inference.runner.statistics import Statistics

INTERVAL_S = 2.0


class Figures:
    """Looked after by the runner. clock: seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_at = clock()

    def step(
        self,
        deployments: Iterable[Deployment],
        statistics: Callable[[str], Statistics | None],
    ) -> None:
        """Write what has changed; what nobody can tell now stays as it was last told."""
        if self._clock() < self._next_at:
            return
        self._next_at = self._clock() + INTERVAL_S
        for deployment in deployments:
            counted = statistics(deployment.deployment_id)
            if counted is None:
                continue
            told = figures_of(counted) | {"current_allocations": deployment.num_allocations}
            if precision := deployment.running_precision:
                told["precision"] = precision
            if told != deployment.stats:
                Deployment.objects.filter(pk=deployment.pk).update(stats=told)


def figures_of(counted: Statistics) -> dict[str, Any]:
    """The counts by the names that the API gives them."""
    told: dict[str, Any] = {
        "inference_count": counted.answered,
        "error_count": counted.failed,
        "timeout_count": counted.timed_out,
        "rejected_execution_count": counted.rejected,
        "number_of_pending_requests": counted.pending,
        "throughput_last_minute": counted.answered_last_minute,
        "peak_throughput_per_minute": counted.most_per_minute,
    }
    if counted.allocations:
        told["allocations"] = [figures_of_allocation(one) for one in counted.allocations]
    if counted.answered:
        told["average_inference_time_ms"] = 1000 * counted.busy_s / counted.answered
    if counted.answered_last_minute:
        mean_s = counted.busy_last_minute_s / counted.answered_last_minute
        told["average_inference_time_ms_last_minute"] = 1000 * mean_s
    if counted.answered_at is not None:
        told["last_access"] = int(1000 * counted.answered_at)
    return told


def figures_of_allocation(counted: AllocationFigures) -> dict[str, Any]:
    """The same names where the API has any; the others are ours.

    load: the share of the last minute in which it was at work, 0 to 1.
    """
    told: dict[str, Any] = {
        "allocation": counted.number,
        "inference_count": counted.texts,
        "run_count": counted.runs,
        "error_count": counted.failed,
        "is_at_work": counted.is_at_work,
        "load": counted.load,
    }
    if counted.runs:
        told["average_run_time_ms"] = 1000 * counted.busy_s / counted.runs
    if counted.last_at is not None:
        told["last_access"] = int(1000 * counted.last_at)
    return told
