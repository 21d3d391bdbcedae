"""What runs on this machine now, in short."""

from dataclasses import dataclass
from typing import NamedTuple

from console.pages.deployments_shown import expected_by_precision
from endpoints.access import may
from endpoints.fitting import available_bytes
from endpoints.models import Deployment, DeploymentState, User
from endpoints.owned import visible_deployments
from endpoints.permissions import Action
from endpoints.precision import wished_by

MOST = 5


class Running(NamedTuple):
    """memory_bytes: what it takes; None where nobody knows."""

    deployment: Deployment
    memory_bytes: int | None


@dataclass(frozen=True)
class RunningHere:
    """others: how many there are beside the rows. available_bytes: None where nobody says."""

    rows: list[Running]
    others: int
    available_bytes: int | None


def running_here(user: User) -> RunningHere | None:
    """The deployments that answer, those with most allocations first; None for who may see none."""
    if not may(user, Action.MODEL_STATS):
        return None
    running = visible_deployments(user).filter(state=DeploymentState.STARTED, num_allocations__gt=0)
    found = list(running.order_by("-num_allocations", "deployment_id")[: MOST + 1])
    others = running.count() - MOST if len(found) > MOST else 0
    expected = expected_by_precision(found[:MOST])
    rows = []
    for one in found[:MOST]:
        known = expected.get((one.model.model_id, wished_by(one)))
        taken = known.with_allocations(one.current_allocations) if known else None
        rows.append(Running(one, taken))
    return RunningHere(rows, others, available_bytes())
