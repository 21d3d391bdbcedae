"""How often a provider is called: as often as its endpoints allow, the rest waits its turn.

Turns are given out by the generic cell rate algorithm (ITU-T I.371): each takes its share of a
minute, and those that nobody took can be made up for, up to a sixth of a minute's.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from inference.upstream.deadline import Deadline
from inference.upstream.errors import Explanation, UpstreamTimedOut

logger = logging.getLogger(__name__)

MINUTE_S = 60.0
CATCH_UP = 1 / 6
MOST_GROUPS = 10_000
REDIS_TIMEOUT_S = 1.0
# How long a Redis that did not answer is left alone.
REDIS_PAUSE_S = 5.0


@dataclass(frozen=True)
class Group:
    """Endpoints that share what one provider allows: the same values, and the same limit."""

    service: str
    values: tuple[str, ...]
    requests_per_minute: int

    @property
    def key(self) -> str:
        """The group without its values, some of which are keys."""
        text = "\0".join((self.service, *self.values, str(self.requests_per_minute)))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def share_s(self) -> float:
        """What one turn takes of the time."""
        return MINUTE_S / self.requests_per_minute

    @property
    def slack_s(self) -> float:
        """How far turns may be ahead of the time."""
        return max(self.requests_per_minute * CATCH_UP - 1, 0) * self.share_s


class Turns(Protocol):
    def take(self, group: Group, most_wait_s: float) -> float:
        """Take the next turn of a group.

        Returns the seconds until it comes. One that is further away than most_wait_s is not
        taken; the seconds are told all the same.
        """
        ...


class MemoryTurns:
    """The turns of one process. Any number of threads may take some."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # When the turns that were taken are paid for, by group.
        self._paid_at: dict[Group, float] = {}
        self._lock = threading.Lock()

    def take(self, group: Group, most_wait_s: float) -> float:
        with self._lock:
            now = self._clock()
            paid_at = max(self._paid_at.get(group, now), now)
            wait_s = max(paid_at - group.slack_s - now, 0.0)
            if wait_s <= most_wait_s:
                if len(self._paid_at) >= MOST_GROUPS:
                    self._forget_old(now)
                self._paid_at[group] = paid_at + group.share_s
            return wait_s

    def _forget_old(self, now: float) -> None:
        self._paid_at = {group: at for group, at in self._paid_at.items() if at > now}


class RedisTurns:
    """The turns of all processes that share a Redis, by its clock.

    While it does not answer, each process gives out turns of its own, and asks it again only now
    and then, so that calls do not wait for it.
    """

    SCRIPT = """
        local time = redis.call('TIME')
        local now = time[1] + time[2] / 1000000
        local share, slack, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local paid_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
        local wait = math.max(paid_at - slack - now, 0)
        if wait <= most then
            local ends = paid_at + share
            redis.call('SET', KEYS[1], string.format('%.6f', ends),
                       'PX', math.ceil((ends - now) * 1000) + 1000)
        end
        return string.format('%.6f', wait)
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ValueError for what is no address of a Redis."""
        import redis  # an optional extra, and slow to import
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._unreachable: type[Exception] = redis.RedisError
        client = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            # Once, at once: a connection that idled may have been closed by the other side.
            retry=Retry(NoBackoff(), 1),
        )
        self._script: Any = client.register_script(self.SCRIPT)
        self._own = MemoryTurns(clock)
        self._clock = clock
        self._asked_again_at = 0.0

    def take(self, group: Group, most_wait_s: float) -> float:
        if self._clock() < self._asked_again_at:
            return self._own.take(group, most_wait_s)
        most = min(most_wait_s, 1e9)
        try:
            return float(
                self._script(
                    keys=[f"console:turns:{group.key}"], args=[group.share_s, group.slack_s, most]
                )
            )
        except self._unreachable as exc:
            logger.warning("REDIS_URL does not answer, so rate limits are not shared: %s", exc)
            self._asked_again_at = self._clock() + REDIS_PAUSE_S
            return self._own.take(group, most_wait_s)


class Limiter:
    """Makes callers wait for their turns."""

    def __init__(
        self, turns: Turns | None = None, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._turns = turns or MemoryTurns()
        self._wait = wait

    def take(self, group: Group | None, deadline: Deadline, inference_id: str) -> None:
        """Wait for a turn. Raises UpstreamTimedOut, at once, where none comes in time."""
        if group is None:
            return
        left_s = max(deadline.left_s, 0.0)
        wait_s = self._turns.take(group, left_s)
        if wait_s > left_s:
            raise no_turn(group, inference_id, wait_s)
        if wait_s > 0:
            self._wait(wait_s)


def no_turn(group: Group, inference_id: str, wait_s: float) -> UpstreamTimedOut:
    limit = group.requests_per_minute
    return UpstreamTimedOut(
        f"Request timed out waiting to be sent, for inference entity id [{inference_id}]: its rate "
        f"limit of [{limit}] requests per minute has no turn left within the timeout",
        Explanation(
            f"The endpoint's own rate limit of {limit} requests per minute is used up; the next "
            f"turn is in {wait_s:.0f} s.",
            "Send fewer requests, allow a longer timeout, or raise [rate_limit] if the provider "
            "allows more.",
            retry_helps=True,
        ),
    )
