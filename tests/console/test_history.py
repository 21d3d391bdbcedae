"""The timeline of an endpoint: what changed, what runs for it came to, and how calls went."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from endpoints import actions, audit
from endpoints.models import AuditEntry, Endpoint, UsageHour
from tests.console.conftest import text
from tests.factories import make_endpoint

PAGE = "/console/endpoints/my-endpoint/history"


WHEN = re.compile(r"\d+ \w{3}, [\d:]+")


def told(page: str) -> list[str]:
    """What happened, the newest first, without the times."""
    events = re.findall(r'<li class="event [^"]*">(.*?)</li>', page)
    return [" ".join(re.sub("<[^>]+>", " ", WHEN.sub("", one)).split()) for one in events]


def called(endpoint: Endpoint, ago: int, requests: int, errors: int = 0, **failures: int) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=ago)
    UsageHour.objects.create(
        endpoint=endpoint, hour=hour, requests=requests, errors=errors, failures=failures
    )


def hosted() -> Endpoint:
    return Endpoint.objects.create(
        inference_id="my-endpoint", task_type="completion", service="openai"
    )


def test_a_hosted_endpoint_tells_when_its_calls_were_answered_and_when_not(
    console: Client,
) -> None:
    endpoint = hosted()
    called(endpoint, 50, 2)
    called(endpoint, 4, 10)
    called(endpoint, 3, 1200, errors=3, limit=3)
    called(endpoint, 2, 20, errors=5, limit=2, provider=3)
    called(endpoint, 1, 8, errors=8, credentials=8)

    assert told(text(console.get(PAGE)).replace("&#x27;", "'")) == [
        "All 8 calls failed, until The provider did not accept the credentials. Enter a key that "
        "is valid and may use the model.",
        "5 of 20 calls failed, until The provider failed (3), The provider's limit was reached "
        "(2). Trying again later can help; the provider's own status page may say more.",
        "1,207 of 1,210 calls answered, until The provider's limit was reached.",
        "2 calls answered, until",
    ]


def test_wrong_requests_alone_are_no_fault_of_the_endpoint(console: Client) -> None:
    endpoint = hosted()
    called(endpoint, 1, 1, errors=1, request=1)
    assert '<li class="event event-refused">' in text(console.get(PAGE))

    called(endpoint, 0, 2, errors=2, request=1, fault=1)
    assert '<li class="event event-failed">' in text(console.get(PAGE))


def test_what_came_of_a_change_stands_above_it(console: Client) -> None:
    endpoint = make_endpoint()
    actions.update_endpoint(endpoint, {"service_settings": {"num_allocations": 2}})
    deployment = endpoint.deployment
    assert deployment
    deployment.events.create(phase="serving", reason="in 0.4 s")
    called(endpoint, 0, 3)

    calls, state, change = told(text(console.get(PAGE)))

    assert calls.startswith("3 calls answered")
    assert state == "Serving in 0.4 s"
    assert change.startswith("Update endpoint")


@pytest.mark.parametrize(
    ("show", "names"),
    [
        ("changes", ["Update"]),
        ("states", ["Serving"]),
        ("calls", ["3"]),
        ("nonsense", ["3", "Serving", "Update"]),
    ],
)
def test_one_kind_of_it_can_be_looked_at_alone(
    console: Client, show: str, names: list[str]
) -> None:
    endpoint = make_endpoint()
    actions.update_endpoint(endpoint, {"service_settings": {"num_allocations": 2}})
    assert endpoint.deployment
    endpoint.deployment.events.create(phase="serving")
    called(endpoint, 0, 3)

    page = text(console.get(f"{PAGE}?show={show}"))

    assert [one.split()[0] for one in told(page)] == names


def test_what_has_nothing_to_tell_says_what_will_be_told(console: Client) -> None:
    hosted()

    page = text(console.get(PAGE))
    assert "Nothing written down yet" in page
    assert ">States</a>" not in page
    assert "Nobody called it lately" in text(console.get(f"{PAGE}?show=calls"))


def test_between_the_changes_of_a_page_stands_what_happened_between_them(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.pages.history.PAGE_SIZE", 2)
    endpoint = make_endpoint()
    now = datetime.now(UTC)
    Endpoint.objects.update(created_at=now - timedelta(days=9))
    for days in (8, 6, 4, 2):
        audit.record("endpoint.update", "my-endpoint")
        newest = AuditEntry.objects.latest("number").number
        AuditEntry.objects.filter(number=newest).update(at=now - timedelta(days=days))
        called(endpoint, 24 * days - 24, days)

    first = text(console.get(PAGE))
    older = re.search(r'href="\?(before=\d+)"> ?Older', first)
    assert older
    second = text(console.get(f"{PAGE}?{older[1]}"))

    assert [one.split()[0] for one in told(first)] == ["2", "Update", "4", "Update"]
    assert [one.split()[0] for one in told(second)] == ["6", "Update", "8", "Update"]


def test_a_long_past_asks_as_often_as_a_short_one(console: Client) -> None:
    endpoint = make_endpoint()

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            console.get(PAGE)
        return len(asked)

    called(endpoint, 0, 1)
    console.get(PAGE)
    before = queries()
    for ago in range(1, 40):
        called(endpoint, ago, 2, errors=ago % 2)
    assert queries() == before
