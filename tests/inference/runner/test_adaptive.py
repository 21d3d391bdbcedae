import pytest

from inference.runner.adaptive import Bounds, Estimate, Load, Scaler

SPAN_S = 10.0


@pytest.mark.parametrize(
    ("bounds", "allocations", "within"),
    [
        (Bounds(), 0, 0),
        (Bounds(), 40, 32),
        (Bounds(2, 4), 1, 2),
        (Bounds(2, 4), 9, 4),
        (Bounds(most=40), 50, 40),
        (Bounds(least=100), 1, 100),
    ],
)
def test_a_number_is_kept_within_the_bounds(bounds: Bounds, allocations: int, within: int) -> None:
    assert bounds.clamp(allocations) == within


def scaler(least: int | None = 1, most: int | None = None) -> Scaler:
    return Scaler(Bounds(least, most), started_at=-1000.0)


def load(rate: float, time_s: float | None = 0.1) -> Load:
    return Load(requests=round(rate * SPAN_S), time_s=time_s if rate else None, span_s=SPAN_S)


def follow(follower: Scaler, rates: list[float], allocations: int = 1) -> list[int]:
    """The numbers of allocations that a row of loads leads to, from time 0 on."""
    numbers = []
    for step, rate in enumerate(rates):
        allocations = follower.wanted(load(rate), allocations, step * SPAN_S)
        numbers.append(allocations)
    return numbers


def test_the_first_measurement_is_taken_as_it_is() -> None:
    estimate = Estimate(finds_changes=True)
    estimate.add(5.0, 4.0)

    assert estimate.bounds(unknown=0.0) == (3.0, 7.0)


def test_a_steady_quantity_is_known_ever_better() -> None:
    estimate = Estimate(finds_changes=True)
    for _ in range(50):
        estimate.add(5.0, 4.0)

    low, high = estimate.bounds(unknown=0.0)
    assert estimate.value == pytest.approx(5.0)
    assert high - low < 2.0


def test_a_surprise_is_followed_at_once_and_noise_is_not() -> None:
    estimate = Estimate(finds_changes=True)
    for _ in range(20):
        estimate.add(5.0, 1.0)
    estimate.add(6.0, 1.0)
    assert estimate.value == pytest.approx(5.0, abs=0.2)

    estimate.add(100.0, 1.0)
    assert estimate.value == pytest.approx(100.0, rel=0.05)


@pytest.mark.parametrize(
    ("rate", "allocations"),
    [(0.0, 1), (5.0, 1), (8.0, 1), (16.0, 2), (80.0, 9), (1000.0, 32)],
)
def test_a_steady_load_gets_the_allocations_that_it_keeps_busy(
    rate: float, allocations: int
) -> None:
    """One allocation that takes 0.1 s can do 10 a second."""
    assert follow(scaler(), [rate] * 20)[-1] == allocations


def test_bounds_are_kept() -> None:
    assert follow(scaler(least=2), [0.0] * 5) == [2] * 5
    assert max(follow(scaler(most=3), [500.0] * 5)) == 3


def test_it_grows_at_once_and_shrinks_only_after_a_while() -> None:
    numbers = follow(scaler(), [0.0] * 5 + [80.0] * 5 + [1.0] * 60)

    grown = numbers.index(max(numbers))
    assert 5 <= grown <= 7
    shrunk = next(step for step in range(grown, 70) if numbers[step] < numbers[grown])
    assert 30 <= shrunk - grown <= 32
    assert numbers[-1] == 1


@pytest.mark.parametrize(("least", "allocations"), [(None, 0), (0, 0), (1, 1)])
def test_what_nobody_asks_for_a_day_goes_to_nothing_where_it_may(
    least: int | None, allocations: int
) -> None:
    follower = scaler(least)
    follower.wanted(load(1.0), 1, now=0.0)

    assert follower.wanted(load(0.0), 1, now=23 * 3600.0) == 1
    assert follower.wanted(load(0.0), 1, now=24 * 3600.0 + 1) == allocations


def test_without_an_answer_yet_a_call_is_taken_to_last_a_second() -> None:
    follower = scaler()

    assert follower.wanted(Load(requests=50, time_s=None, span_s=10.0), 1, now=0.0) > 1
