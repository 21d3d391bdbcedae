"""Tokens that are fetched: kept until shortly before they end, fetched once for all who wait."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from inference.upstream.auth import Grant, Token

MOST_KEPT = 1000


@dataclass
class Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    token: Token | None = None
    ends_at: float = 0.0


class TokenStore:
    """Tokens by grant. Any number of threads may ask; one of them fetches."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[Grant, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, grant: Grant, fetch: Callable[[Grant], Token]) -> str:
        """The token of a grant. Raises what `fetch` raises."""
        kept = self._place(grant)
        with kept.lock:
            if kept.token is None or self._clock() >= kept.ends_at:
                kept.token = fetch(grant)
                kept.ends_at = self._clock() + kept.token.lasts_s
            return kept.token.access_token.get_secret_value()

    def forget(self, grant: Grant) -> None:
        """After a provider refused the token: the next call fetches another."""
        with self._lock:
            self._kept.pop(grant, None)

    def _place(self, grant: Grant) -> Kept:
        with self._lock:
            kept = self._kept.setdefault(grant, Kept())
            self._kept.move_to_end(grant)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return kept
