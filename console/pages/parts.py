"""Whether the parts of the product that a page speaks of are alive."""

from collections.abc import Iterable

from endpoints.model_states import ModelStatus
from endpoints.models import Heartbeat
from endpoints.status import EndpointStatus


def silent_parts(statuses: Iterable[EndpointStatus | ModelStatus]) -> list[str]:
    """The parts that endpoints or models like these need and that give no sign of life."""
    return silent({status.needed_part for status in statuses if status.needed_part})


def silent(needed: set[str]) -> list[str]:
    if not needed:
        return []
    return sorted(needed.difference(Heartbeat.objects.fresh().values_list("part", flat=True)))
