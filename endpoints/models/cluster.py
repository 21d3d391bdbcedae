"""Connected clusters, and what in them names endpoints."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from pydantic import SecretStr

from endpoints.models.base import Record, iso
from endpoints.models.team import Team
from endpoints.models.user import User
from endpoints.secrets import decrypt
from inference.references.cluster import MAX_ID_LENGTH, MAX_NAME_LENGTH, Kind
from inference.references.connection import MAX_URL_LENGTH, Connection

SCAN_TIMEOUT_S = 60.0
LONGEST_SCAN = timedelta(seconds=2 * SCAN_TIMEOUT_S)
# So many scans may be missed before what the last one saw is no longer relied on.
MISSED_SCANS = 3


class ScanState(models.TextChoices):
    WAITING = "waiting", "not scanned yet"
    SCANNED = "scanned", "scanned"
    FAILED = "failed", "cannot be scanned"
    STALE = "stale", "scanned too long ago"


class ClusterQuerySet(models.QuerySet["Cluster"]):
    def of_teams(self, teams: Collection[int]) -> "ClusterQuerySet":
        return self.filter(team__in=teams)

    def unattended(self) -> "ClusterQuerySet":
        """Clusters that nobody scans now; a scan that takes this long has died."""
        died = models.Q(scan_started_at__lt=timezone.now() - LONGEST_SCAN)
        return self.filter(models.Q(scan_started_at=None) | died)


class Cluster(Record):
    """An Elasticsearch or OpenSearch that is asked now and then who names an endpoint.

    The first columns are the wish of a person; what a scan saw or why it failed stands below.
    """

    name = models.CharField(max_length=64, unique=True)
    url = models.CharField(max_length=MAX_URL_LENGTH)
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="clusters")
    encrypted_api_key = models.TextField(blank=True)
    ca_certificate = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    # As the last scan left it; state tells how much that is worth now.
    scan_state = models.CharField(
        max_length=20, choices=ScanState.choices, default=ScanState.WAITING
    )
    reason = models.TextField(blank=True)
    state_changed_at = models.DateTimeField(default=timezone.now)
    # The last scan that went well, and how much there was to look at.
    scanned_at = models.DateTimeField(null=True)
    index_count = models.PositiveIntegerField(default=0)
    pipeline_count = models.PositiveIntegerField(default=0)
    # Set while a scan runs, which knows by it that it is still wanted.
    scan_started_at = models.DateTimeField(null=True)

    objects = ClusterQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def connection(self) -> Connection:
        """Raises SecretUnreadable."""
        return Connection(self.url, self._api_key(), self.ca_certificate)

    @property
    def has_api_key(self) -> bool:
        return bool(self.encrypted_api_key)

    @property
    def is_being_scanned(self) -> bool:
        began = self.scan_started_at
        return began is not None and timezone.now() - began < LONGEST_SCAN

    @property
    def is_stale(self) -> bool:
        """Whether the scans have stopped since the last one that went well."""
        if self.scan_state != ScanState.SCANNED or self.scanned_at is None:
            return False
        age = timezone.now() - self.scanned_at
        return age > timedelta(seconds=MISSED_SCANS * settings.CLUSTER_SCAN_S)

    @property
    def state(self) -> ScanState:
        return ScanState.STALE if self.is_stale else ScanState(self.scan_state)

    @property
    def doubt(self) -> str:
        """Why nobody can say now what the cluster names; empty where a scan said it."""
        match self.state:
            case ScanState.WAITING:
                return "it has not been scanned yet"
            case ScanState.STALE:
                return "it was not scanned again"
            case ScanState.FAILED:
                return self.reason
        return ""

    @property
    def doubted_since(self) -> datetime:
        """Of a cluster that is in doubt."""
        return self.scanned_at if self.is_stale and self.scanned_at else self.state_changed_at

    def to_response(self) -> dict[str, Any]:
        """The cluster as the API shows it: without its key, and with all that is known of it."""
        team = self.team.name if self.team else None
        shown: dict[str, Any] = {"name": self.name, "url": self.url, "team": team}
        if self.ca_certificate:
            shown["ca_certificate"] = self.ca_certificate
        shown |= {"has_api_key": self.has_api_key, "state": self.state}
        if doubt := self.doubt:
            shown |= {"reason": doubt, "since": iso(self.doubted_since)}
        if self.scanned_at:
            shown |= {
                "scanned_at": iso(self.scanned_at),
                "indexes": self.index_count,
                "pipelines": self.pipeline_count,
            }
        return shown

    def _api_key(self) -> SecretStr | None:
        return decrypt(self.encrypted_api_key) if self.encrypted_api_key else None


class ClusterReference(models.Model):
    """An index or a pipeline of a cluster that names an endpoint, which need not be there.

    model_settings: a list, as inference.references.cluster.Named has them.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="references")
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    inference_id = models.CharField(max_length=MAX_ID_LENGTH, db_index=True)
    model_settings = models.JSONField(default=list)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("kind", "name", "inference_id")
        constraints = (
            models.UniqueConstraint(
                fields=("cluster", "kind", "name", "inference_id"), name="seen_once_in_a_cluster"
            ),
        )

    def __str__(self) -> str:
        return f"{self.cluster_id}:{self.name}"

    def to_response(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "inference_id": self.inference_id,
            "seen_at": iso(self.seen_at),
        }
