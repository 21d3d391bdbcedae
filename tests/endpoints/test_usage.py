import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from endpoints import actions, calls, tasks, usage
from endpoints.models import ApiKey, CallerDay, Endpoint, LatestUsage, UsageHour, User
from endpoints.usage import Figures, UsageCounter
from inference.errors import InferenceError, QueueFull
from inference.types import InferenceRequest, Truncation
from tests.endpoints.conftest import World
from tests.factories import make_endpoint, make_user

NINE = datetime(2026, 11, 21, 9, tzinfo=UTC)
COLUMNS = ("requests", "inputs", "errors", "truncated_inputs", "truncated_tokens")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the time of the day that calls are counted at: nine until then."""

    def set_time(hour: int, minute: int = 0, second: int = 0) -> None:
        now = NINE.replace(hour=hour, minute=minute, second=second).timestamp()
        monkeypatch.setattr(usage, "time", lambda: now)

    set_time(9)
    return set_time


def call(
    endpoint: Endpoint, *texts: str, query: str | None = None, user: User | None = None
) -> None:
    calls.run_inference(endpoint, InferenceRequest(texts, query=query), 30, user)


def counted(endpoint: Endpoint) -> dict[str, int]:
    """What the only row of the endpoint says, after all that waits is written."""
    usage.counter.flush()
    row = UsageHour.objects.get(endpoint=endpoint)
    return {name: getattr(row, name) for name in COLUMNS}


def figures(**named: int) -> dict[str, int]:
    return dict.fromkeys(COLUMNS, 0) | named


@pytest.mark.django_db
def test_calls_and_their_texts_are_counted(world: World) -> None:
    endpoint = make_endpoint()

    call(endpoint, "a", "b")
    call(endpoint, "c")

    assert counted(endpoint) == figures(requests=2, inputs=3)


@pytest.mark.django_db
def test_what_was_cut_is_counted_in_texts_and_tokens(world: World) -> None:
    endpoint = make_endpoint()
    world.hosts.truncated = {0: Truncation(256, 44), 2: Truncation(256, 900, is_exact=False)}

    call(endpoint, "a", "b", "c")

    assert counted(endpoint) == figures(
        requests=1, inputs=3, truncated_inputs=2, truncated_tokens=944
    )


@pytest.mark.django_db
def test_the_query_of_a_rerank_is_one_of_its_texts(world: World) -> None:
    endpoint = make_endpoint(model_id=".minilm-rerank-v1")
    world.hosts.truncated = {0: Truncation(256, 5), 1: Truncation(256, 6)}

    call(endpoint, "document", query="query")

    assert counted(endpoint) == figures(
        requests=1, inputs=2, truncated_inputs=2, truncated_tokens=11
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("failure", "kind"), [(QueueFull("full"), "busy"), (ZeroDivisionError(), "fault")]
)
def test_a_failed_call_is_an_error_of_a_kind_and_its_texts_do_not_count(
    world: World, failure: Exception, kind: str
) -> None:
    endpoint = make_endpoint()
    world.hosts.raises = failure

    with pytest.raises(type(failure)):
        call(endpoint, "a", "b")

    assert counted(endpoint) == figures(requests=1, errors=1)
    assert UsageHour.objects.get().failures == {kind: 1}


@pytest.mark.django_db
def test_failures_of_a_kind_add_up_over_flushes(world: World) -> None:
    endpoint = make_endpoint()
    for failure in (QueueFull("full"), QueueFull("full"), ZeroDivisionError()):
        world.hosts.raises = failure
        with pytest.raises(type(failure)):
            call(endpoint, "a")
        usage.counter.flush()

    assert UsageHour.objects.get().failures == {"busy": 2, "fault": 1}


@pytest.mark.django_db
def test_a_refused_request_is_an_error(world: World) -> None:
    endpoint = make_endpoint()

    with pytest.raises(InferenceError):
        calls.run_inference(endpoint, InferenceRequest(("a",), task_settings={"x": 1}), 30)

    assert counted(endpoint) == figures(requests=1, errors=1)


@pytest.mark.django_db
def test_the_probe_of_a_new_endpoint_is_not_counted(world: World) -> None:
    calls.probe(make_endpoint(), 30)

    usage.counter.flush()

    assert not UsageHour.objects.exists()


@pytest.mark.django_db
def test_each_hour_and_each_endpoint_has_a_row(world: World, clock: Callable[..., None]) -> None:
    first, second = make_endpoint("first"), make_endpoint("second")

    clock(9, 59, 59)
    call(first, "a")
    call(second, "a")
    clock(10)
    call(first, "a", "b")
    usage.counter.flush()

    rows = UsageHour.objects.order_by("hour", "endpoint__inference_id")
    assert list(rows.values_list("endpoint__inference_id", "hour", "inputs")) == [
        ("first", NINE, 1),
        ("second", NINE, 1),
        ("first", NINE.replace(hour=10), 2),
    ]


@pytest.mark.django_db
def test_a_row_grows_with_every_flush(world: World) -> None:
    endpoint = make_endpoint()

    for _ in range(3):
        call(endpoint, "a", "b")
        assert counted(endpoint)

    assert counted(endpoint) == figures(requests=3, inputs=6)


@pytest.mark.django_db
def test_a_flush_of_nothing_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        usage.counter.flush()


@pytest.mark.django_db
def test_a_database_that_fails_loses_no_figures(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = make_endpoint()
    call(endpoint, "a")

    def refuse(*waiting: Any) -> None:
        call(endpoint, "b", "c")  # what comes in meanwhile is not lost either
        raise OperationalError("disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(usage, "write", refuse)
        with pytest.raises(OperationalError):
            usage.counter.flush()

    assert counted(endpoint) == figures(requests=2, inputs=3)
    assert counted(endpoint) == figures(requests=2, inputs=3)  # and nothing is written twice


@pytest.mark.django_db
def test_a_failure_in_the_middle_of_a_flush_leaves_nothing_half_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_endpoint("first"), make_endpoint("second")
    call(first, "a")
    call(second, "a")

    def fail(*args: Any) -> None:
        raise OperationalError("disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(usage, "write_latest", fail)
        with pytest.raises(OperationalError):
            usage.counter.flush()

    assert not UsageHour.objects.exists()
    assert counted(first) == counted(second) == figures(requests=1, inputs=1)


@pytest.mark.django_db
def test_memory_is_bounded_while_the_database_fails() -> None:
    endpoints = [make_endpoint(f"e{number}") for number in range(3)]
    counter = UsageCounter(most_waiting=2)

    for endpoint in (*endpoints, *endpoints):
        counter.record(endpoint.pk, Figures())
    counter.flush()

    rows = UsageHour.objects.order_by("endpoint").values_list("endpoint", "requests")
    assert list(rows) == [(endpoints[0].pk, 2), (endpoints[1].pk, 2)]


@pytest.mark.django_db
def test_the_figures_of_a_deleted_endpoint_are_dropped(world: World) -> None:
    gone, kept = make_endpoint("gone"), make_endpoint("kept")
    call(gone, "a")
    usage.counter.flush()
    call(gone, "b")
    call(kept, "c")

    actions.take_back(gone, "it never answered")

    assert counted(kept) == figures(requests=1, inputs=1)
    assert UsageHour.objects.count() == 1


@pytest.mark.django_db
def test_the_latest_day_of_an_endpoint_stands_in_one_row(
    world: World, clock: Callable[..., None]
) -> None:
    endpoint = make_endpoint()
    call(endpoint, "a")
    usage.counter.flush()
    clock(10)
    world.hosts.raises = QueueFull("full")
    with pytest.raises(QueueFull):
        call(endpoint, "b")
    usage.counter.flush()

    latest = LatestUsage.objects.get(endpoint=endpoint)
    assert (latest.day, latest.requests, latest.errors) == (NINE.date(), 2, 1)
    assert latest.called_at == NINE.replace(hour=10)
    assert latest.p95_ms is not None


@pytest.mark.django_db
def test_a_new_day_begins_at_nothing(world: World, clock: Callable[..., None]) -> None:
    endpoint = make_endpoint()
    call(endpoint, "a")
    usage.counter.flush()
    LatestUsage.objects.update(day=NINE.date() - timedelta(days=1), requests=50, errors=7)

    call(endpoint, "b")
    usage.counter.flush()

    latest = LatestUsage.objects.get(endpoint=endpoint)
    assert (latest.day, latest.requests, latest.errors) == (NINE.date(), 1, 0)


@pytest.mark.django_db
def test_who_called_is_kept_by_the_day_and_by_the_key(world: World) -> None:
    endpoint, person = make_endpoint(), make_user("ada")
    by_key = make_user("grace")
    by_key.acting_key = ApiKey(key_id="k1")

    for user in (person, person, by_key, None):
        call(endpoint, "a", user=user)
    usage.counter.flush()
    call(endpoint, "a", user=person)
    usage.counter.flush()

    seen = CallerDay.objects.order_by("user__username")
    assert list(seen.values_list("user__username", "key_id", "requests", "called_at")) == [
        ("ada", "", 3, NINE),
        ("grace", "k1", 1, NINE),
    ]


@pytest.mark.django_db
def test_a_caller_who_is_gone_keeps_nothing_from_being_written(world: World) -> None:
    endpoint, person = make_endpoint(), make_user("ada")
    call(endpoint, "a", user=person)
    person.delete()

    assert counted(endpoint) == figures(requests=1, inputs=1)
    assert not CallerDay.objects.exists()


def flush_patiently(counter: UsageCounter) -> None:
    """SQLite in memory, as tests have it, refuses a second writer at once; a file makes it wait."""
    for _ in range(10_000):
        with suppress(OperationalError):
            return counter.flush()
        threading.Event().wait(0.001)
    raise AssertionError("the other writer never ends")


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_write_at_once_lose_nothing() -> None:
    """Two counters with a connection each, as two web processes have them."""
    endpoint = make_endpoint()
    failures: list[Exception] = []

    def work() -> None:
        counter = UsageCounter()
        try:
            for _ in range(20):
                counter.record(endpoint.pk, Figures(inputs=3))
                flush_patiently(counter)
        except Exception as exc:
            failures.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert counted(endpoint) == figures(requests=40, inputs=120)


@pytest.mark.django_db
def test_a_call_waits_for_no_write(world: World, django_assert_num_queries: Any) -> None:
    endpoint = make_endpoint()

    with django_assert_num_queries(1):  # what the fake host looks up
        call(endpoint, "a")


@pytest.mark.django_db
def test_old_figures_go_a_part_at_a_time(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "FORGOTTEN_AT_ONCE", 2)
    settings.USAGE_DAYS = 100
    endpoint, user, now = make_endpoint(), make_user(), datetime.now(UTC)
    for days in (0, 89, 91, 99, 101, 102, 103):
        at = now - timedelta(days=days)
        UsageHour.objects.create(endpoint=endpoint, hour=at)
        CallerDay.objects.create(endpoint=endpoint, user=user, day=at.date(), called_at=at)

    tasks.forget_usage()

    assert UsageHour.objects.count() == 4
    assert CallerDay.objects.count() == 2
    assert min(UsageHour.objects.values_list("hour", flat=True)) > now - timedelta(days=100)


@pytest.mark.django_db
def test_figures_that_are_kept_for_good_are_not_forgotten(settings: Any) -> None:
    settings.USAGE_DAYS = 0
    UsageHour.objects.create(endpoint=make_endpoint(), hour=datetime(2001, 1, 1, tzinfo=UTC))

    tasks.forget_usage()

    assert UsageHour.objects.count() == 1
