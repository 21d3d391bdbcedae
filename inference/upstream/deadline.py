"""The time that a call may take, all of its attempts and waits together."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """at: on the clock of `time.monotonic`; inf for a call without a limit."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    @property
    def left_s(self) -> float:
        return self.at - time.monotonic()

    @property
    def is_over(self) -> bool:
        return self.left_s <= 0
