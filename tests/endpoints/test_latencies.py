import numpy as np
import pytest

from endpoints.latencies import bucket_of, from_json, merged, quantile_ms, to_json


def histogram(*times_ms: float) -> dict[int, int]:
    return merged(*({bucket_of(took_ms): 1} for took_ms in times_ms))


def test_nothing_has_no_quantile() -> None:
    assert quantile_ms({}, 0.95) is None


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_quantile_is_wrong_by_nine_percent_at_most(share: float) -> None:
    times = np.sort(np.random.default_rng(7).lognormal(4, 1.5, 2000))

    told = quantile_ms(histogram(*times), share)

    assert told == pytest.approx(times[round(share * len(times)) - 1], rel=0.1)


def test_two_histograms_add_up() -> None:
    times = [3.0, 40.0, 41.0, 900.0]

    assert merged(histogram(*times[:2]), histogram(*times[2:])) == histogram(*times)


def test_what_takes_no_time_or_for_ever_is_counted() -> None:
    assert sum(histogram(0.0, 0.001, 1e12).values()) == 3


def test_a_histogram_is_stored_whole() -> None:
    counts = histogram(1, 2, 2, 800)

    assert from_json(to_json(counts)) == counts
