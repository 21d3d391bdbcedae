"""How often a key may call, for the keys that have a limit."""

from functools import cache
from math import ceil

from endpoints.models import ApiKey
from endpoints.providers import shared_turns
from inference.errors import RateLimited
from inference.upstream.limiting import Group, MemoryTurns, Turns


@cache
def turns() -> Turns:
    """Those of all processes where they share a Redis, else those of this one."""
    return shared_turns() or MemoryTurns()


def take_turn(key: ApiKey) -> None:
    """Let a key call now, or raise RateLimited. One without a limit costs nothing."""
    limit = key.requests_per_minute
    if limit is None:
        return
    wait_s = turns().take(Group("api_key", (key.key_id,), limit), 0)
    if wait_s > 0:
        after_s = ceil(wait_s)
        raise RateLimited(
            f"API key [{key.key_id}] may call [{limit}] times a minute and has called more often; "
            f"try again in {after_s} s",
            after_s,
        )
