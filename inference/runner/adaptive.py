"""How many allocations a deployment should have, judged by what it had to do.

Source: Elasticsearch's AdaptiveAllocationsScaler and KalmanFilter1d.
"""

import math
from dataclasses import dataclass, field

SMOOTHING = 100.0
# A measurement this many standard deviations off means that the load itself has changed.
SURPRISE = 10.0
# Above the first share of its time at work an allocation is added, below the second one is removed.
TOO_BUSY, TOO_IDLE = 0.9, 0.85
UNKNOWN_TIME_S = 1.0
DEFAULT_MOST = 32
COOL_DOWN_S = 300.0
IDLE_AFTER_S = 24 * 3600.0


class Estimate:
    """A quantity that is measured again and again with noise: a Kalman filter of one dimension.

    finds_changes: whether a surprising measurement is taken for a change of the quantity.
    """

    def __init__(self, *, finds_changes: bool) -> None:
        self._finds_changes = finds_changes
        self._has_changed = False
        self.value: float | None = None
        self._variance = 0.0

    def add(self, measured: float, variance: float, *, has_changed: bool = False) -> None:
        """has_changed: the quantity is known to be another than it was."""
        if self.value is None:
            self.value, self._variance, self._has_changed = measured, variance, True
            return
        error = measured - self.value
        if self._finds_changes and error**2 > SURPRISE**2 * (variance + self._variance):
            has_changed = True
        noise = self.value**2 if has_changed or self._has_changed else variance / SMOOTHING
        gain = (self._variance + noise) / (self._variance + noise + variance)
        self.value += gain * error
        self._variance = (1 - gain) * (self._variance + noise)
        self._has_changed = has_changed

    def bounds(self, unknown: float) -> tuple[float, float]:
        """One standard deviation to both sides; unknown: the value while nothing was measured."""
        if self.value is None:
            return unknown, unknown
        deviation = math.sqrt(self._variance)
        return max(0.0, self.value - deviation), self.value + deviation


@dataclass(frozen=True)
class Load:
    """What a deployment had to do in a span of time.

    requests: answered, failed and newly waiting. time_s: how long the model took for one, on
    average; None where it answered none.
    """

    requests: int
    time_s: float | None
    span_s: float


@dataclass(frozen=True)
class Bounds:
    """Of the number of allocations; None for one that is not set."""

    least: int | None = None
    most: int | None = None

    def clamp(self, allocations: int) -> int:
        """The nearest number within the bounds; without an upper one, DEFAULT_MOST stands for it.

        What at least there shall be counts more than that.
        """
        least = self.least or 0
        most = max(DEFAULT_MOST, least) if self.most is None else self.most
        return min(max(allocations, least), most)


@dataclass
class Scaler:
    """Follows one deployment. Times are seconds of any clock that only goes forward.

    started_at: when the deployment started, or last came back from nothing.
    """

    bounds: Bounds
    started_at: float
    idle_after_s: float = IDLE_AFTER_S
    cool_down_s: float = COOL_DOWN_S
    _rate: Estimate = field(default_factory=lambda: Estimate(finds_changes=True))
    _time: Estimate = field(default_factory=lambda: Estimate(finds_changes=False))
    _has_scaled: bool = False

    def __post_init__(self) -> None:
        self._last_grown = self._last_asked = self.started_at

    def wanted(self, load: Load, allocations: int, now: float) -> int:
        """The number of allocations to have from now on, where there are `allocations` now."""
        self._measure(load)
        if load.requests:
            self._last_asked = now
        wanted = self._fitting(max(1, allocations))
        if not self.bounds.least and now - self._last_asked > self.idle_after_s:
            wanted = 0
        is_early = now - self._last_grown < self.cool_down_s
        if wanted < allocations and is_early:
            return allocations
        if wanted > allocations:
            self._last_grown = now
        self._has_scaled = wanted != allocations
        return wanted

    def _measure(self, load: Load) -> None:
        rate = load.requests / load.span_s
        expected = rate if self._rate.value is None else self._rate.value
        self._rate.add(rate, max(1.0, expected * load.span_s) / load.span_s**2)
        if load.requests and load.time_s is not None:
            expected = load.time_s if self._time.value is None else self._time.value
            variance = expected**2 / load.requests
            self._time.add(load.time_s, variance, has_changed=self._has_scaled)
            self._has_scaled = False

    def _fitting(self, allocations: int) -> int:
        least_rate, most_rate = self._rate.bounds(unknown=0.0)
        least_time, most_time = self._time.bounds(unknown=UNKNOWN_TIME_S)
        while least_rate * least_time / allocations > TOO_BUSY:
            allocations += 1
        while allocations > 1 and most_rate * most_time / (allocations - 1) < TOO_IDLE:
            allocations -= 1
        return self.bounds.clamp(allocations)
