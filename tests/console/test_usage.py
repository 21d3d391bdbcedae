"""What the page of an endpoint tells of its calls."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from endpoints.latencies import bucket_of
from endpoints.models import (
    ApiKey,
    CallerDay,
    Endpoint,
    LatestUsage,
    Team,
    TeamRole,
    UsageHour,
    User,
)
from endpoints.usage_reports import SPANS, report_of
from tests.console.conftest import HTMX, member, text
from tests.factories import make_endpoint, make_user

PAGE = "/console/endpoints/my-endpoint/usage"
NOW = datetime(2026, 11, 21, 14, 25, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def called(endpoint: Endpoint, ago: timedelta, took_ms: float = 12.0, **columns: int) -> None:
    """One hour in which it was called; every answer took as long."""
    hour = (NOW - ago).replace(minute=0)
    answered = columns.get("requests", 0) - columns.get("errors", 0)
    latencies = {str(bucket_of(took_ms)): answered} if answered else {}
    UsageHour.objects.create(endpoint=endpoint, hour=hour, latencies=latencies, **columns)


def hours(count: int) -> timedelta:
    return timedelta(hours=count)


def figures_on(page: str) -> dict[str, str]:
    tiles = page[page.index('<dl class="tiles">') : page.index("</dl>", page.index("tiles"))]
    return {
        label: " ".join(re.sub("<[^>]+>", " ", value).split())
        for label, value in re.findall(r"<dt>(.*?)</dt> <dd[^>]*>(.*?)</dd>", tiles)
    }


def titles_on(page: str) -> list[str]:
    return re.findall(r"<title>([^<]*: [^<]*)</title>", page)


def bars_on(page: str, kind: str) -> list[float]:
    """The heights of the bars of the first chart."""
    path = re.search(rf'class="chart-{kind}" d="([^"]*)"', page)
    assert path
    return [float(height) for height in re.findall(r"v-([\d.]+)", path[1])]


def test_the_figures_of_a_day_are_added_up(console: Client) -> None:
    endpoint, other = make_endpoint(), make_endpoint("other")
    called(endpoint, hours(0), requests=900, errors=0, inputs=1000, truncated_inputs=4)
    called(endpoint, hours(23), took_ms=100, requests=100, errors=40, inputs=60)
    called(endpoint, hours(24), requests=7_000)
    called(other, hours(0), requests=5_000)

    figures = figures_on(text(console.get(PAGE)))

    assert figures["Requests"] == "1,000"
    assert figures["Failed"] == "40 4.0%"
    assert figures["Inputs"] == "1,060"
    assert figures["Inputs cut"] == "4 0.38%"
    assert figures["Half within"] == "11 ms p50"
    assert figures["99 of 100 within"] == "108 ms p99"
    assert "From the cache" not in figures


def test_what_failed_is_told_by_its_kind_with_what_helps(console: Client) -> None:
    endpoint = make_endpoint()
    called(endpoint, hours(1), requests=40, errors=30)
    called(endpoint, hours(2), requests=9, errors=9)
    kinds = ({"limit": 21}, {"limit": 3, "timeout": 6})
    for row, failures in zip(UsageHour.objects.order_by("pk"), kinds, strict=True):
        row.failures = failures
        row.save()

    page = text(console.get(PAGE))

    failed = page[page.index('<ul class="failed-kinds">') : page.index("latency-title")]
    assert re.findall(r'"failed-count">(\d+)</span> <div> <p>([^<]*)</p>', failed) == [
        ("24", "The provider&#x27;s limit was reached"),
        ("6", "No answer in time"),
        ("9", "Others"),
    ]
    assert "ask the provider for a higher quota" in failed


def test_where_nothing_failed_no_kind_is_told(console: Client) -> None:
    called(make_endpoint(), hours(1), requests=8)

    assert "What failed" not in text(console.get(PAGE))


def test_what_came_from_the_cache_is_a_share_of_what_was_looked_for(console: Client) -> None:
    called(make_endpoint(), hours(1), requests=10, looked_up_inputs=40, cached_inputs=30)

    assert figures_on(text(console.get(PAGE)))["From the cache"] == "75% of inputs"


@pytest.mark.parametrize(
    ("span", "steps", "within", "beyond"),
    [
        ("24h", 24, hours(23), hours(24)),
        ("7d", 168, hours(167), hours(168)),
        ("30d", 30, timedelta(days=29, hours=14), timedelta(days=29, hours=15)),
        ("90d", 90, timedelta(days=89, hours=14), timedelta(days=89, hours=15)),
    ],
)
def test_a_range_ends_with_the_hour_or_day_that_is_now(
    console: Client, span: str, steps: int, within: timedelta, beyond: timedelta
) -> None:
    endpoint = make_endpoint()
    called(endpoint, within, requests=3)
    called(endpoint, beyond, requests=1000)

    page = text(console.get(f"{PAGE}?range={span}"))

    assert figures_on(page)["Requests"] == "3"
    assert len(titles_on(page)) == 2 * steps
    assert re.search(rf'href="\?range={span}" aria-current="page"', page)


@pytest.mark.parametrize("span", ["", "1y", "24H", "<b>"])
def test_a_range_that_there_is_not_is_the_last_day(console: Client, span: str) -> None:
    make_endpoint()

    assert "<h2>Last 24 hours</h2>" in text(console.get(PAGE, {"range": span}))


def test_an_hour_without_a_call_looks_unlike_one_without_an_error(console: Client) -> None:
    endpoint = make_endpoint()
    called(endpoint, hours(1), requests=8)
    called(endpoint, hours(2), requests=8, errors=2)

    page = text(console.get(PAGE))

    titles = titles_on(page)
    assert titles[21] == "21 Nov, 12:00 UTC: 8 requests, 2 failed"
    assert titles[22] == "21 Nov, 13:00 UTC: 8 requests, none failed"
    assert titles[23] == "21 Nov, 14:00 UTC: nothing recorded"
    chart = page[page.index('aria-label="Requests') : page.index("latency-title")]
    assert [len(bars_on(chart, kind)) for kind in ("nothing", "part", "rest")] == [22, 1, 2]


def test_the_bars_stand_on_a_round_scale(console: Client) -> None:
    endpoint = make_endpoint()
    called(endpoint, hours(0), requests=180)
    called(endpoint, hours(1), requests=60, errors=60)

    page = text(console.get(PAGE))

    ticks = page[page.index('class="chart-ticks"') :]
    assert re.findall(r"<span>([^<]*)</span>", ticks)[:3] == ["200", "100", "0"]
    assert bars_on(page, "rest") == [90]
    assert bars_on(page, "part") == [30]


def test_the_lines_break_where_nothing_was_answered(console: Client) -> None:
    endpoint = make_endpoint()
    for ago in (5, 4, 2):
        called(endpoint, hours(ago), requests=4)
    called(endpoint, hours(3), requests=4, errors=4)

    page = text(console.get(PAGE))

    (path,) = re.findall(r'chart-line-1" d="([^"]+)"', page)
    assert re.fullmatch(r"M\S+ \S+L\S+ \S+M\S+ \S+h34\.17", path)
    assert "21 Nov, 11:00 UTC: nothing answered" in page


def test_the_figures_stand_there_as_a_table_too(console: Client) -> None:
    endpoint = make_endpoint()
    called(endpoint, hours(1), requests=8, errors=1, inputs=70)

    page = text(console.get(PAGE))

    table = page[page.index("The same in figures") :]
    row = table[table.index("<tbody>") : table.index("</tbody>")]
    assert row.count("<tr>") == 1
    cells = [" ".join(cell.split()) for cell in re.findall(r"<t[hd][^>]*>([^<]*)<", row)]
    assert cells[:6] == ["21 Nov, 13:00", "8", "1", "70", "0", "–"]  # noqa: RUF001 - as it is written


def test_without_a_call_the_first_one_is_shown(console: Client) -> None:
    make_endpoint()

    page = text(console.get(PAGE))

    assert "Nobody called it yet" in page
    assert "/_inference/text_embedding/my-endpoint" in page


def test_calls_of_before_are_remembered(console: Client) -> None:
    called_at = NOW - timedelta(days=3)
    LatestUsage.objects.create(endpoint=make_endpoint(), day=called_at.date(), called_at=called_at)

    page = text(console.get(PAGE))

    assert "Nothing recorded in the last 24 hours" in page
    assert "3 days ago" in page


def test_who_called_is_told_with_their_keys(console: Client, admin: User) -> None:
    endpoint, ana = make_endpoint(), make_user("ana")
    ApiKey.objects.create(key_id="k1", name="shop <search>", user=ana, secret_sha256="x")
    for key_id, ago, requests in (("k1", 0, 40), ("k1", 1, 2), ("gone", 1, 5), ("k1", 5, 99)):
        at = NOW - timedelta(days=ago, hours=2)
        CallerDay.objects.create(
            endpoint=endpoint,
            user=ana,
            key_id=key_id,
            day=at.date(),
            requests=requests,
            called_at=at,
        )
    CallerDay.objects.create(
        endpoint=endpoint, user=admin, key_id="", day=NOW.date(), requests=1, called_at=NOW
    )

    page = text(console.get(PAGE))

    callers = page[page.index("Who called since 20 November") :]
    rows = re.findall(r"<tr>(.*?)</tr>", callers[callers.index("<tbody>") :])
    words = [re.sub(r"(<[^>]+>|\s)+", " ", row).strip() for row in rows]
    assert words == [
        "elastic none, with a password 1 just now",
        "ana shop &lt;search&gt; 42 2 hours ago",
        "ana gone gone 5 1 day ago",
    ]


def test_callers_are_paged(console: Client, admin: User) -> None:
    endpoint = make_endpoint()
    for number in range(25):
        CallerDay.objects.create(
            endpoint=endpoint,
            user=admin,
            key_id=f"key-{number:02}",
            day=NOW.date(),
            called_at=NOW - timedelta(minutes=number),
        )

    first, second = text(console.get(PAGE)), text(console.get(f"{PAGE}?range=24h&page=2"))

    assert "key-19" in first
    assert "key-20" not in first
    assert 'href="?page=2"' in first
    assert "key-20" in second
    assert "Page 2 of 2" in second
    for odd in ("0", "-1", "9" * 20, "x"):
        assert console.get(f"{PAGE}?page={odd}").status_code == 200


def test_who_may_not_delete_it_is_not_told_who_calls(search: Team, endpoint: Endpoint) -> None:
    CallerDay.objects.create(
        endpoint=endpoint, user=make_user("ana"), key_id="", day=NOW.date(), called_at=NOW
    )
    called(endpoint, hours(0), requests=3)
    user = member(search, TeamRole.INFERENCE_USER)
    manager = member(search, TeamRole.INFERENCE_ADMIN, "manager")

    assert figures_on(text(user.get(PAGE)))["Requests"] == "3"
    assert "ana" not in text(user.get(PAGE))
    assert "ana" in text(manager.get(PAGE))


def test_htmx_gets_the_page_without_its_surroundings(console: Client) -> None:
    make_endpoint()

    page = text(console.get(PAGE, headers=HTMX))

    assert "<html" not in page
    assert "<title>my-endpoint · Usage" in page


def test_ninety_days_take_as_many_queries_as_none(console: Client) -> None:
    endpoint = make_endpoint()
    console.get(PAGE)
    called(endpoint, hours(0), requests=3)
    with CaptureQueriesContext(connection) as few:
        console.get(f"{PAGE}?range=90d")
    for number in range(1, 200):
        called(endpoint, hours(number), requests=3)
    with CaptureQueriesContext(connection) as many:
        console.get(f"{PAGE}?range=90d")

    assert len(many) == len(few)


def test_a_report_has_a_step_for_each_hour() -> None:
    for span in SPANS:
        start = span.start(timezone.now())
        assert start + (span.steps - 1) * span.step <= NOW < start + span.steps * span.step


@pytest.mark.django_db
def test_steps_of_days_add_their_hours_up() -> None:
    endpoint = make_endpoint()
    called(endpoint, hours(1), requests=3, inputs=2)
    called(endpoint, hours(2), requests=4, inputs=5)

    report = report_of(endpoint, SPANS[2])

    assert report.steps[-1].asked
    assert (report.steps[-1].asked.requests, report.steps[-1].asked.inputs) == (7, 7)
    assert report.steps[-2].asked is None
