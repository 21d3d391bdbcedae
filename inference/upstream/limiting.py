"""How often a provider is called: as often as its endpoints allow, the rest waits its turn."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from inference.upstream.deadline import Deadline
from inference.upstream.errors import Explanation, UpstreamTimedOut

IN_MEMORY = "memory://"
# Somebody else may have taken the turn that was waited for.
LONGEST_WAIT_S = 1.0


@dataclass(frozen=True)
class Group:
    """Endpoints that share what one provider allows: the same values, and the same limit."""

    service: str
    values: tuple[str, ...]
    requests_per_minute: int

    @property
    def key(self) -> str:
        """The group without its values, some of which are keys."""
        text = "\0".join((self.service, *self.values))
        return hashlib.sha256(text.encode()).hexdigest()


class Limiter:
    """Turns at calling, for all threads; with Redis for all processes, too."""

    def __init__(
        self,
        storage: str = IN_MEMORY,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limiter = MovingWindowRateLimiter(open_storage(storage))
        self._clock, self._wait = clock, wait

    def take(self, group: Group | None, deadline: Deadline, inference_id: str) -> None:
        """Wait for a turn. Raises UpstreamTimedOut where none comes in time.

        A store that does not answer stops nobody: the provider has limits of its own.
        """
        if group is None:
            return
        item = RateLimitItemPerMinute(group.requests_per_minute)
        try:
            while not self._limiter.hit(item, group.key):
                turn_at = self._limiter.get_window_stats(item, group.key).reset_time
                left_s = deadline.left_s
                waits_s = max(turn_at - self._clock(), 0.01)
                if waits_s > left_s:
                    raise no_turn(group, inference_id, waits_s)
                self._wait(min(waits_s, LONGEST_WAIT_S))
        except StorageError:
            return


def open_storage(storage: str) -> Storage:
    opened = storage_from_string(storage, wrap_exceptions=True)
    if not isinstance(opened, Storage):
        raise ValueError(f"[{storage}] is no place that threads can use")
    return opened


def no_turn(group: Group, inference_id: str, waits_s: float) -> UpstreamTimedOut:
    limit = group.requests_per_minute
    return UpstreamTimedOut(
        f"Request timed out waiting to be sent, for inference entity id [{inference_id}]: its rate "
        f"limit of [{limit}] requests per minute has no turn left within the timeout",
        Explanation(
            f"The endpoint's own rate limit of {limit} requests per minute is used up; the next "
            f"turn is in {waits_s:.0f} s.",
            "Send fewer requests, allow a longer timeout, or raise [rate_limit] if the provider "
            "allows more.",
            retry_helps=True,
        ),
    )


def group_of(service: str, values: Sequence[object], requests_per_minute: int) -> Group:
    return Group(service, tuple(str(value) for value in values), requests_per_minute)
