"""What a delete would come to, told before: who names the endpoint, and who calls it."""

import re
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from endpoints import usage
from endpoints.models import (
    TRIED,
    ApiKey,
    AuditEntry,
    Cluster,
    LatestUsage,
    Outcome,
    ScanState,
    User,
)
from tests.console.conftest import HTMX, FakeHosts, Worker, text, vectors
from tests.console.deleting import DELETE, LOOK, called
from tests.elastic import Elastic, semantic
from tests.factories import make_cluster, make_endpoint, make_index, make_user


def test_the_page_comes_at_once_and_asks_for_the_findings(
    console: Client, used: None, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(13):
        page = text(console.get(DELETE))

    assert "Looking for what uses it…" in page
    assert f'hx-get="{DELETE}?look=1" hx-trigger="load"' in page
    assert '<meta http-equiv="refresh" content="0; url=?look=1">' in page
    assert "docs" not in page
    assert 'type="submit" disabled' in page
    assert 'href="/console/endpoints/my-endpoint" autofocus>Cancel</a>' in page


def test_the_findings_come_as_a_fragment_and_as_a_page(console: Client, used: None) -> None:
    fragment, page = text(console.get(LOOK, headers=HTMX)), text(console.get(LOOK))

    assert "<html" not in fragment
    assert "<html" in page
    for told in (fragment, page):
        assert "It is used by 2 indices" in told
        assert 'href="/console/references/indices/docs">docs</a>' in told
        assert '<span class="font-monospace">prod:docs</span>' in told
        assert "registered here" in told
        assert "just now" in told
        assert 'name="inference_id"' in told
        assert "Asked because something names it." in told


def test_what_nothing_uses_is_told_to_be_free(console: Client) -> None:
    make_endpoint()

    page = text(console.get(LOOK))

    assert "verdict-free" in page
    assert "Nothing uses it" in page
    assert "It was never called." in page
    assert 'name="inference_id"' not in page
    assert "Point them to another endpoint" not in page


def test_the_question_says_what_stops_and_what_stays(console: Client, settings: Any) -> None:
    make_endpoint()

    page = text(console.get(LOOK))
    assert "Programs that call this id get an error from now on." in page
    assert "The model that runs for it stops" in page
    assert "stay, so creating it again is quick" in page
    assert "For 7 days it can be restored" in page

    settings.RESTORE_DAYS = 0
    assert "It cannot be restored." in text(console.get(LOOK))


def test_who_called_it_is_told_with_their_keys(console: Client, admin: User) -> None:
    endpoint, bob = make_endpoint(), make_user("bob")
    key, _ = ApiKey.issue(
        bob, "crawler", limited_by={}, role_descriptors={}, metadata={}, expires_at=None
    )
    called(endpoint, admin, timedelta(days=3), requests=2)
    called(endpoint, admin, timedelta(days=2), requests=1500)
    called(endpoint, bob, timedelta(hours=1), key.key_id, requests=7)
    called(endpoint, make_user("old"), timedelta(days=40))
    LatestUsage.objects.update(called_at=timezone.now() - timedelta(hours=1))

    page = text(console.get(LOOK))
    page = page[page.index("verdict-title") :]

    assert "It is still called" in page
    assert "2 callers in the last 7 days" in page
    assert page.index("<strong>bob</strong>") < page.index("<strong>elastic</strong>")
    assert "crawler" in page
    assert "1,502 calls" in page
    assert "<strong>old</strong>" not in page
    assert "it was called in the last 7 days." in page
    assert 'name="inference_id"' in page


def test_of_many_callers_some_are_found_by_their_name_or_that_of_their_key(
    console: Client,
) -> None:
    endpoint = make_endpoint()
    for number in range(11):
        called(endpoint, make_user(f"user-{number}"), timedelta(hours=number + 1))
    crawls = make_user("nightly")
    key, _ = ApiKey.issue(
        crawls, "crawler", limited_by={}, role_descriptors={}, metadata={}, expires_at=None
    )
    called(endpoint, crawls, timedelta(days=2), key.key_id)

    def found(query: str) -> list[str]:
        page = text(console.get(LOOK + query))
        return re.findall(r"<strong>([^<]+)</strong>", page[page.index('id="callers"') :])

    assert 'name="caller"' in text(console.get(LOOK))
    assert len(found("")) == 12
    assert found("&caller=USER-1") == ["user-1", "user-10"]
    assert found("&caller=crawl") == ["nightly"]
    assert found(f"&caller={key.key_id}") == ["nightly"]
    assert found("&caller=nobody%00") == []
    page = text(console.get(f"{LOOK}&caller=nobody&q=docs"))
    assert "Nobody with “nobody” called it." in page
    assert 'type="hidden" name="q" value="docs"' in page
    assert "It is still called" in page


def test_few_callers_need_no_search(console: Client, admin: User) -> None:
    called(make_endpoint(), admin, timedelta(hours=1))

    assert 'name="caller"' not in text(console.get(LOOK))


def test_what_was_only_tried_in_the_console_is_not_called(
    console: Client, admin: User, hosts: FakeHosts
) -> None:
    hosts.says = vectors([1.0, 0.0])
    make_endpoint()
    for _ in range(3):
        console.post("/console/endpoints/my-endpoint/try", {"input": "a"})
    usage.counter.flush()

    page = text(console.get(LOOK))

    assert LatestUsage.objects.get().requests == 3
    assert "Nothing uses it" in page
    assert "No application calls it. Tried in the console 3 times, last just now." in page
    assert 'name="inference_id"' not in page
    assert "Who called it" not in page


def test_trials_are_told_apart_from_calls(console: Client, admin: User) -> None:
    endpoint = make_endpoint()
    called(endpoint, make_user("bob"), timedelta(days=9), requests=2)
    called(endpoint, admin, timedelta(hours=1), TRIED, requests=1)

    page = text(console.get(LOOK))

    assert "Quiet for 9 days" in page
    assert "Tried in the console 1 time, last 1 hour ago." in page
    callers = page[page.index("callers-title") :]
    assert "<strong>bob</strong>" in callers
    assert "<strong>elastic</strong>" not in callers


def test_a_call_of_somebody_who_is_gone_counts_until_it_is_long_ago(console: Client) -> None:
    gone = make_user("gone")
    called(make_endpoint(), gone, timedelta(hours=1))
    gone.delete()

    page = text(console.get(LOOK))

    assert "It is still called" in page
    assert 'name="inference_id"' in page


def test_an_endpoint_that_went_quiet_is_told_so(console: Client, admin: User) -> None:
    called(make_endpoint(), admin, timedelta(days=12, hours=1))

    page = text(console.get(LOOK))

    assert "Quiet for 12 days" in page
    assert 'name="inference_id"' not in page
    assert "<strong>elastic</strong>" in page


SCAN = f"{DELETE}/scan/prod"


def test_a_cluster_that_cannot_be_judged_is_shown_with_the_reason(console: Client) -> None:
    make_endpoint()
    make_cluster(scan_state=ScanState.FAILED, reason="it refuses the key")

    page = text(console.get(LOOK))

    assert "It may be in use" in page
    assert "Nobody knows now whether it uses this endpoint: it refuses the key." in page
    assert "Last scanned" not in page
    assert f'action="{DELETE}/scan/prod"' in page
    assert "nobody can say now whether a cluster uses it" in page


def test_a_scan_begins_at_once_and_is_awaited_on_the_page(
    console: Client, elastic: Elastic, worker: Worker
) -> None:
    make_endpoint()
    elastic.indexes = {"docs": semantic("my-endpoint")}
    make_cluster(url=elastic.url, scan_state=ScanState.SCANNED, scanned_at=timezone.now())

    answer = console.post(SCAN, {"q": "d", "replacement": "new"}, follow=True)

    assert answer.redirect_chain == [(f"{LOOK}&q=d&replacement=new", 302)]
    page = text(answer)
    assert "Nothing uses it so far" in page
    assert "is being scanned: what is found there appears here." in page
    assert 'aria-disabled="true" aria-label="Scanning prod"' in page
    assert 'hx-get="?look=1&amp;replacement=new" hx-trigger="every 2s"' in page

    worker.works()
    found = text(console.get(LOOK, headers=HTMX))
    assert "prod:docs" in found
    assert "every 2s" not in found
    entry = AuditEntry.objects.get(verb="cluster.scan")
    assert (entry.actor_name, entry.outcome) == ("elastic", Outcome.DONE)


def test_a_scan_that_somebody_has_begun_is_not_begun_again(console: Client, worker: Worker) -> None:
    make_endpoint()
    began = timezone.now() - timedelta(seconds=30)
    make_cluster(scan_started_at=began)

    page = text(console.post(SCAN, follow=True))

    assert "Being scanned now." in page
    assert not worker.asked
    assert Cluster.objects.get().scan_started_at == began


def test_what_is_wrong_with_the_id_stays_while_a_cluster_is_scanned(
    console: Client, used: None
) -> None:
    Cluster.objects.update(scan_started_at=timezone.now())

    page = text(console.post(DELETE, {"inference_id": "wrong"}))

    assert "This is not its id. Nothing was deleted." in page
    assert "every 2s" not in page
    assert '<a href="?look=1">Look again</a>' in page


def test_a_scan_that_fails_is_told(console: Client, worker: Worker) -> None:
    make_endpoint()
    make_cluster(url="http://127.0.0.1:1")

    console.post(SCAN)
    worker.works()

    page = text(console.get(LOOK))
    assert "whether it uses this endpoint: [127.0.0.1:1] refuses the connection" in page
    assert AuditEntry.objects.get(verb="cluster.scan").outcome == Outcome.FAILED


def test_a_scan_that_nobody_works_at_is_told_and_not_awaited_for_ever(
    console: Client, worker: Worker
) -> None:
    make_endpoint()
    make_cluster(url="http://127.0.0.1:1")
    page = text(console.post(SCAN, follow=True))
    assert "gives no sign of life: downloads, scans" in page

    Cluster.objects.update(scan_started_at=timezone.now() - timedelta(minutes=3))

    assert "every 2s" not in text(console.get(LOOK))
    console.post(SCAN)
    assert len(worker.asked) == 2


def test_a_long_list_is_paged_and_searched(console: Client) -> None:
    make_endpoint()
    for number in range(23):
        make_index(f"docs-{number:02}", "my-endpoint")

    first = text(console.get(LOOK))
    assert "docs-19<" in first
    assert "docs-20<" not in first
    assert "docs-20<" in text(console.get(f"{LOOK}&page=2"))
    found = text(console.get(f"{LOOK}&q=S-07"))
    assert "docs-07<" in found
    assert "docs-08<" not in found
    assert "It is used by 23 indices" in found
    assert "Nothing with “zzz” names it." in text(console.get(f"{LOOK}&q=zzz"))


def test_the_dry_run_asks_as_often_for_many_as_for_one(
    console: Client, admin: User, django_assert_max_num_queries: Any
) -> None:
    endpoint = make_endpoint()
    for number in range(30):
        make_index(f"docs-{number}", "my-endpoint")
        make_cluster(f"c{number}", scan_state=ScanState.SCANNED, scanned_at=timezone.now())
        called(endpoint, make_user(f"u{number}"), timedelta(days=1))

    with django_assert_max_num_queries(26):
        console.get(LOOK, headers=HTMX)
