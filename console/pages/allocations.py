"""The allocations of a deployment one by one: what each of them does and did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from endpoints.models import Deployment, DeploymentState

MOST_SHOWN = 32


@dataclass(frozen=True)
class ShownAllocation:
    """texts: answered; failed: not. mean_ms: of a run, which may be of several texts at once.

    load: the part of the last minute in which it was at work, in hundredths.
    """

    number: int
    is_here: bool
    is_at_work: bool = False
    texts: int = 0
    failed: int = 0
    mean_ms: float | None = None
    last_at: datetime | None = None
    load: int = 0

    @property
    def words(self) -> str:
        if not self.is_here:
            return "Starting"
        return "At work" if self.is_at_work else "Idle"


@dataclass(frozen=True)
class EachAllocation:
    """rows: of the first ones. hidden_count: those that there are beside them. resting_count: those
    above the number, which once worked.
    """

    rows: tuple[ShownAllocation, ...]
    hidden_count: int
    resting_count: int


def each_allocation(deployment: Deployment) -> EachAllocation | None:
    """None for what has none at work now."""
    current = deployment.current_allocations
    if deployment.state != DeploymentState.STARTED or not current:
        return None
    told: list[dict[str, Any]] = deployment.stats.get("allocations", [])
    by_number = {one["allocation"]: one for one in told}
    wished = max(current, deployment.num_allocations)
    shown = range(1, min(wished, MOST_SHOWN) + 1)
    return EachAllocation(
        rows=tuple(
            _shown(number, number <= current, by_number.get(number, {})) for number in shown
        ),
        hidden_count=wished - len(shown),
        resting_count=sum(number > wished for number in by_number),
    )


def _shown(number: int, is_here: bool, told: Mapping[str, Any]) -> ShownAllocation:
    """told: what was counted; nothing for one that had nothing to do yet."""
    last = told.get("last_access")
    return ShownAllocation(
        number,
        is_here,
        is_at_work=is_here and told.get("is_at_work", False),
        texts=told.get("inference_count", 0),
        failed=told.get("error_count", 0),
        mean_ms=told.get("average_run_time_ms"),
        last_at=datetime.fromtimestamp(last / 1000, UTC) if last else None,
        load=round(100 * told.get("load", 0)),
    )
