"""Scans of the connected clusters: look, and note what was seen."""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from endpoints import audit
from endpoints.models import Cluster, ClusterReference, Outcome, ScanState
from endpoints.models.cluster import SCAN_TIMEOUT_S
from inference.errors import InferenceError
from inference.references.cluster import Findings, scan

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 1000


def connected_clusters() -> list[int]:
    return list(Cluster.objects.values_list("pk", flat=True))


def claim(cluster_pk: int) -> datetime | None:
    """Begin a scan, so that nobody else does. Returns what `scan_claimed` is told.

    None where somebody is at it already, or the cluster is gone.
    """
    now = timezone.now()
    free = Cluster.objects.unattended().filter(pk=cluster_pk)
    return now if free.update(scan_started_at=now) else None


def scan_cluster(cluster_pk: int, timeout_s: float = SCAN_TIMEOUT_S) -> bool:
    """Scan a cluster that nobody scans now. False where somebody is at it, or it is gone."""
    claimed_at = claim(cluster_pk)
    return claimed_at is not None and scan_claimed(cluster_pk, claimed_at, timeout_s)


def scan_wanted(cluster_pk: int, claimed_at: datetime, timeout_s: float = SCAN_TIMEOUT_S) -> None:
    """Scan because somebody wants it, which is written down; scans by the clock are not."""
    if not scan_claimed(cluster_pk, claimed_at, timeout_s):
        return
    scanned = Cluster.objects.select_related("team").filter(pk=cluster_pk).first()
    if scanned is None:
        return
    doubt = scanned.doubt
    outcome = Outcome.FAILED if doubt else Outcome.DONE
    audit.record("cluster.scan", scanned.name, team=scanned.team, outcome=outcome, reason=doubt)


def scan_claimed(cluster_pk: int, claimed_at: datetime, timeout_s: float = SCAN_TIMEOUT_S) -> bool:
    """Scan a cluster and note what was seen, or why nothing was.

    False where it is not scanned: it is another's turn by now, or it is gone.
    """
    cluster = Cluster.objects.filter(pk=cluster_pk, scan_started_at=claimed_at).first()
    if cluster is None:
        return False
    try:
        findings = scan(cluster.connection, timeout_s)
    except InferenceError as exc:
        _note(cluster, ScanState.FAILED, reason=str(exc))
        logger.warning("cluster [%s] was not scanned: %s", cluster.name, exc)
    except Exception as exc:
        _note(cluster, ScanState.FAILED, reason=f"the scan failed here: {type(exc).__name__}")
        raise
    else:
        _keep(cluster, findings)
    return True


@transaction.atomic
def _keep(cluster: Cluster, findings: Findings) -> None:
    """Put what was seen in the place of what was seen before, all at once."""
    now = timezone.now()
    is_wanted = _note(
        cluster,
        ScanState.SCANNED,
        reason="",
        scanned_at=now,
        index_count=findings.indexes,
        pipeline_count=findings.pipelines,
    )
    if not is_wanted:
        return
    ClusterReference.objects.filter(cluster=cluster).delete()
    ClusterReference.objects.bulk_create(
        (
            ClusterReference(
                cluster=cluster,
                kind=named.kind,
                name=named.name,
                inference_id=named.inference_id,
                model_settings=list(named.model_settings),
                seen_at=now,
            )
            for named in findings.named
        ),
        batch_size=ROWS_AT_ONCE,
    )


def _note(cluster: Cluster, state: ScanState, **columns: Any) -> bool:
    """End a scan. False, and nothing is noted, where it is another's turn by now: the cluster was
    changed or removed, or this scan was given up for dead.
    """
    now = timezone.now()
    if cluster.scan_state != state:
        columns["state_changed_at"] = now
    own = Cluster.objects.filter(pk=cluster.pk, scan_started_at=cluster.scan_started_at)
    return bool(own.update(scan_state=state, scan_started_at=None, updated_at=now, **columns))
