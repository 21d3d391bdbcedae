"""How calls went, hour by hour, told as the spells in which they went alike."""

from datetime import UTC, datetime, timedelta

from endpoints.models import UsageHour
from endpoints.spells import Hour, Mood, put_together, spells_of
from tests.factories import make_endpoint

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def hour(number: int, requests: int, errors: int = 0, **failures: int) -> Hour:
    return Hour(NOON + timedelta(hours=number), requests, errors, failures)


def test_hours_in_which_calls_went_alike_are_one_spell() -> None:
    answered, failed = put_together(
        [hour(0, 4, 4, limit=4), hour(1, 2, 2, limit=1, busy=1), hour(2, 10), hour(5, 20)]
    )

    assert (failed.mood, failed.requests, failed.errors) == (Mood.ALL_FAILED, 6, 6)
    assert failed.failures == {"limit": 5, "busy": 1}
    assert (failed.start, failed.end) == (NOON, NOON + timedelta(hours=2))
    assert (answered.mood, answered.requests, answered.errors) == (Mood.ANSWERED, 30, 0)
    assert answered.end == NOON + timedelta(hours=6)


def test_a_few_failures_of_many_calls_are_no_change() -> None:
    moods = [put_together([hour(0, 100, errors)])[0].mood for errors in (0, 4, 5, 99, 100)]

    assert moods == [
        Mood.ANSWERED,
        Mood.ANSWERED,
        Mood.SOME_FAILED,
        Mood.SOME_FAILED,
        Mood.ALL_FAILED,
    ]


def test_after_a_day_without_calls_a_spell_begins_anew() -> None:
    within = put_together([hour(0, 1), hour(24, 1)])
    after = put_together([hour(0, 1), hour(25, 1)])

    assert [spell.requests for spell in within] == [2]
    assert [spell.start for spell in after] == [NOON + timedelta(hours=25), NOON]


def test_hours_in_which_nobody_called_are_none_of_a_spell(db: None) -> None:
    endpoint = make_endpoint()
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for ago, requests in ((1, 3), (2, 0), (31 * 24, 9)):
        start = now - timedelta(hours=ago)
        UsageHour.objects.create(endpoint=endpoint, hour=start, requests=requests)

    assert [spell.requests for spell in spells_of(endpoint)] == [3]
