"""Scans of connected clusters: what is noted, what stays, and what two at once do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pydantic import SecretStr
from pytest_django.fixtures import Settings

from console.env import encryption_key
from endpoints import scanning, tasks
from endpoints.clusters import change_cluster, connect_cluster, remove_cluster
from endpoints.models import AuditEntry, Cluster, ClusterReference, ScanState
from endpoints.models.cluster import MISSED_SCANS, SCAN_TIMEOUT_S
from endpoints.scanning import connected_clusters, scan_cluster
from inference.references.cluster import Findings, scan
from inference.references.connection import Connection
from tests.elastic import API_KEY, MAPPINGS, Elastic, inferring, semantic
from tests.factories import make_admin, make_cluster

pytestmark = pytest.mark.django_db


def seen() -> list[tuple[str, str, str]]:
    return [(one.kind, one.name, one.inference_id) for one in ClusterReference.objects.all()]


def only() -> Cluster:
    return Cluster.objects.get()


def test_a_scan_notes_what_it_saw_and_when(elastic: Elastic) -> None:
    elastic.indexes, elastic.pipelines = {"docs": semantic("e1")}, {"embed": inferring("e2")}
    before = timezone.now()

    assert scan_cluster(make_cluster(url=elastic.url).pk)

    assert seen() == [("index", "docs", "e1"), ("pipeline", "embed", "e2")]
    cluster = only()
    assert (cluster.state, cluster.doubt) == (ScanState.SCANNED, "")
    assert (cluster.index_count, cluster.pipeline_count) == (1, 1)
    assert cluster.scanned_at
    assert cluster.scanned_at >= before
    assert {one.seen_at for one in ClusterReference.objects.all()} == {cluster.scanned_at}


def test_the_next_scan_replaces_what_was_seen(elastic: Elastic) -> None:
    elastic.indexes = {"old": semantic("e1"), "kept": semantic("e1")}
    cluster = make_cluster(url=elastic.url)
    scan_cluster(cluster.pk)

    elastic.indexes = {"kept": semantic("e1"), "new": semantic("e1")}
    scan_cluster(cluster.pk)

    assert [name for _, name, _ in seen()] == ["kept", "new"]


def test_a_scan_leaves_other_clusters_alone(elastic: Elastic) -> None:
    elastic.indexes = {"docs": semantic("e1")}
    one, other = make_cluster("one", elastic.url), make_cluster("other", elastic.url)
    scan_cluster(other.pk)

    elastic.indexes = {}
    scan_cluster(one.pk)

    assert ClusterReference.objects.get().cluster == other


def test_a_failed_scan_keeps_what_was_seen_and_says_since_when(elastic: Elastic) -> None:
    elastic.indexes = {"docs": semantic("e1")}
    cluster = make_cluster(url=elastic.url)
    scan_cluster(cluster.pk)
    good = only()

    elastic.says = {MAPPINGS: (500, b"")}
    scan_cluster(cluster.pk)
    failed = only()
    scan_cluster(cluster.pk)

    assert failed.state == ScanState.FAILED
    assert "with status 500" in failed.doubt
    assert failed.scanned_at == good.scanned_at
    assert ClusterReference.objects.get().seen_at == good.scanned_at
    assert only().doubted_since == failed.state_changed_at > good.state_changed_at

    elastic.says = {}
    scan_cluster(cluster.pk)
    assert (only().state, only().reason) == (ScanState.SCANNED, "")


def test_many_findings_are_kept_in_one_go(elastic: Elastic) -> None:
    elastic.indexes = {f"docs-{number:05}": semantic("e1") for number in range(2500)}

    scan_cluster(make_cluster(url=elastic.url).pk)

    assert ClusterReference.objects.count() == only().index_count == 2500


def test_a_key_that_cannot_be_read_fails_the_scan_in_words(
    elastic: Elastic, settings: Settings
) -> None:
    cluster = make_cluster(url=elastic.url)
    settings.SECRET_KEYS = (encryption_key(),)

    scan_cluster(cluster.pk)

    assert "CONSOLE_SECRET_KEYS" in only().doubt
    assert elastic.asked == []


def test_a_bug_is_shown_and_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Findings:
        raise KeyError("oops")

    monkeypatch.setattr(scanning, "scan", fail)
    with pytest.raises(KeyError):
        scan_cluster(make_cluster().pk)

    assert only().doubt == "the scan failed here: KeyError"
    assert Cluster.objects.unattended().exists()


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen between the replies of a cluster and the note of what they held."""

    def arrange(act: Callable[[], object]) -> None:
        def scan_then_act(connection: Connection, timeout_s: float) -> Findings:
            findings = scan(connection, timeout_s)
            monkeypatch.setattr(scanning, "scan", scan)
            act()
            return findings

        monkeypatch.setattr(scanning, "scan", scan_then_act)

    return arrange


Meanwhile = Callable[[Callable[[], object]], None]


def test_a_second_scan_at_once_does_nothing(elastic: Elastic, meanwhile: Meanwhile) -> None:
    cluster, second = make_cluster(url=elastic.url), []
    meanwhile(lambda: second.append(scan_cluster(cluster.pk)))

    assert scan_cluster(cluster.pk)

    assert second == [False]
    assert len(elastic.asked) == 2
    assert only().scan_started_at is None


def test_a_scan_that_was_given_up_does_not_overwrite_the_next(
    elastic: Elastic, meanwhile: Meanwhile
) -> None:
    elastic.indexes = {"old": semantic("e1")}
    cluster = make_cluster(url=elastic.url)

    def take_over() -> None:
        long_ago = timezone.now() - timedelta(seconds=2 * SCAN_TIMEOUT_S + 1)
        Cluster.objects.update(scan_started_at=long_ago)
        elastic.indexes = {"new": semantic("e1")}
        assert scan_cluster(cluster.pk)

    meanwhile(take_over)
    scan_cluster(cluster.pk)

    assert [name for _, name, _ in seen()] == ["new"]


def test_a_scan_of_the_former_address_does_not_count(
    elastic: Elastic, meanwhile: Meanwhile
) -> None:
    elastic.indexes = {"docs": semantic("e1")}
    cluster = make_cluster(url=elastic.url)
    elsewhere = Connection("http://127.0.0.1:1", SecretStr(API_KEY))
    meanwhile(lambda: change_cluster(cluster, elsewhere))

    scan_cluster(cluster.pk)

    assert seen() == []
    assert only().state == ScanState.WAITING
    assert Cluster.objects.unattended().exists()


def test_a_cluster_that_is_removed_meanwhile_stays_removed(
    elastic: Elastic, meanwhile: Meanwhile
) -> None:
    elastic.indexes = {"docs": semantic("e1")}
    cluster = make_cluster(url=elastic.url)
    meanwhile(lambda: remove_cluster(cluster))

    scan_cluster(cluster.pk)

    assert not Cluster.objects.exists()
    assert seen() == []
    assert not scan_cluster(cluster.pk)


def test_a_cluster_whose_scans_have_stopped_is_in_doubt(
    elastic: Elastic, settings: Settings
) -> None:
    cluster = make_cluster(url=elastic.url)
    scan_cluster(cluster.pk)
    age = timedelta(seconds=MISSED_SCANS * settings.CLUSTER_SCAN_S + 1)
    Cluster.objects.update(scanned_at=timezone.now() - age)

    assert only().state == ScanState.STALE
    assert only().doubt
    assert only().doubted_since == only().scanned_at


def test_the_schedule_asks_for_every_cluster(
    elastic: Elastic, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters = [make_cluster(name, elastic.url) for name in ("a", "b")]
    monkeypatch.setattr(tasks.scan_cluster, "delay", tasks.scan_cluster)

    tasks.scan_clusters()

    assert connected_clusters() == [one.pk for one in clusters]
    assert {one.state for one in Cluster.objects.all()} == {ScanState.SCANNED}


def test_a_new_cluster_is_scanned_at_once(
    elastic: Elastic,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        tasks.scan_cluster, "apply_async", lambda args, *_, **__: asked.extend(args)
    )

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        cluster = connect_cluster(make_admin(), "prod", Connection(elastic.url))

    assert asked == [cluster.pk]


def test_a_wanted_scan_that_is_asked_for_twice_is_done_and_written_down_once(
    elastic: Elastic,
) -> None:
    cluster = make_cluster(url=elastic.url)
    claimed_at = scanning.claim(cluster.pk)
    assert claimed_at
    assert not scan_cluster(cluster.pk)

    for _ in range(2):
        tasks.scan_wanted(cluster.pk, claimed_at.isoformat())

    assert len(elastic.asked) == 2  # the mappings and the pipelines
    assert AuditEntry.objects.filter(verb="cluster.scan").count() == 1
