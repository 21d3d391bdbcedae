"""Connecting clusters, changing how they are reached, and letting go of them."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from endpoints import audit, scanning, tasks
from endpoints.access import get_seen
from endpoints.actions import ID_PATTERN
from endpoints.attempts import attempt
from endpoints.models import Cluster, ScanState, User
from endpoints.models.cluster import ClusterQuerySet
from endpoints.permissions import Action
from endpoints.secrets import encrypt
from endpoints.teams import team_to_own
from inference.errors import Conflict, InvalidRequest, InvalidSettings, NotFound
from inference.references.connection import Connection

MAX_NAME_LENGTH = 64


class ClusterExists(InvalidRequest):
    type = "resource_already_exists_exception"


def find_cluster(user: User, name: str, *, to: Action = Action.CLUSTER_GET) -> Cluster:
    """The cluster of this name, to do something with it.

    Raises NotFound where somebody may not see it, Forbidden where they may not do this with it.
    """
    named = Cluster.objects.select_related("team").filter(name=name)
    found = named.first() if ID_PATTERN.fullmatch(name) else None
    return get_seen(user, found, to, f"No cluster [{name}] is connected")


@attempt("cluster.connect", on="name")
def connect_cluster(
    actor: User, name: str, connection: Connection, *, team: str | None = None
) -> Cluster:
    """Connect a cluster; its first scan follows.

    Raises InvalidSettings, ClusterExists, also for one of another team, and what `team_to_own`
    raises.
    """
    owner = team_to_own(actor, Action.CLUSTER_PUT, team)
    if len(name) > MAX_NAME_LENGTH or not ID_PATTERN.fullmatch(name):
        raise InvalidSettings(
            [
                f"[name] may hold lower-case letters (a-z), digits, hyphens, underscores and dots, "
                f"must begin and end with a letter or a digit, and has {MAX_NAME_LENGTH} "
                "characters at most"
            ]
        )
    connection.check()
    try:
        with transaction.atomic():
            cluster = Cluster.objects.create(
                name=name,
                url=connection.url,
                encrypted_api_key=_encrypted_key(connection),
                ca_certificate=connection.ca_certificate,
                created_by=actor,
                team=owner,
            )
            audit.record("cluster.connect", name, team=cluster.team, after=told_of(cluster))
            tasks.scan_cluster.delay_on_commit(cluster.pk)
    except IntegrityError:
        raise ClusterExists(f"A cluster with the [name] {name} is connected already") from None
    return cluster


@attempt("cluster.update", on="cluster")
@transaction.atomic
def change_cluster(
    cluster: Cluster, connection: Connection, *, keep_api_key: bool = False
) -> Cluster:
    """Reach a cluster in another way; a scan follows, and one that is on its way does not count.

    keep_api_key: with the key that is stored, which is shown to nobody but whom it was given for.
    Raises InvalidSettings, or NotFound for one that was removed meanwhile.
    """
    connection.check()
    stored = _stored(Cluster.objects.select_for_update(), cluster)
    before = told_of(stored)
    if not keep_api_key:
        stored.encrypted_api_key = _encrypted_key(connection)
    elif stored.has_api_key and connection.origin != Connection(stored.url).origin:
        raise InvalidSettings(["[api_key] must be given again when the address changes"])
    if stored.url != connection.url:
        stored.scan_state, stored.reason = ScanState.WAITING, ""
        stored.state_changed_at = timezone.now()
    stored.url, stored.ca_certificate = connection.url, connection.ca_certificate
    stored.scan_started_at = None
    stored.save()
    after = told_of(stored)
    audit.record("cluster.update", stored.name, team=stored.team, before=before, after=after)
    if not keep_api_key:
        audit.record_secrets("cluster", stored.name, ["api_key"], stored.team)
    tasks.scan_cluster.delay_on_commit(stored.pk)
    return stored


@transaction.atomic
def remove_cluster(cluster: Cluster) -> None:
    """Forget a cluster and what was seen in it. Gone already is success."""
    before = told_of(cluster)
    if Cluster.objects.filter(pk=cluster.pk).delete()[0]:
        audit.record("cluster.remove", cluster.name, team=cluster.team, before=before)


@attempt("cluster.scan", on="cluster")
@transaction.atomic
def begin_scan(cluster: Cluster) -> None:
    """Let the worker scan. Raises Conflict where the cluster is being scanned already."""
    claimed_at = _claim(cluster)
    tasks.scan_wanted.delay_on_commit(cluster.pk, claimed_at.isoformat())


@attempt("cluster.scan", on="cluster")
def scan_now(cluster: Cluster, timeout_s: float) -> Cluster:
    """Scan, and wait for it.

    Returns what the cluster is like after that, also where the scan failed. Raises Conflict where
    it is being scanned already, or NotFound for one that was removed meanwhile.
    """
    scanning.scan_wanted(cluster.pk, _claim(cluster), timeout_s)
    return _stored(Cluster.objects.select_related("team"), cluster)


def _claim(cluster: Cluster) -> datetime:
    claimed_at = scanning.claim(cluster.pk)
    if claimed_at is None:
        raise Conflict(f"Cluster [{cluster.name}] is being scanned already")
    return claimed_at


def told_of(cluster: Cluster) -> dict[str, Any]:
    """What the audit log tells of a cluster: how it is reached, without its key."""
    return {
        "url": cluster.url,
        "has_api_key": cluster.has_api_key,
        "ca_certificate": cluster.ca_certificate,
    }


def _stored(clusters: ClusterQuerySet, cluster: Cluster) -> Cluster:
    found = clusters.filter(pk=cluster.pk).first()
    if found is None:
        raise NotFound(f"No cluster [{cluster.name}] is connected")
    return found


def _encrypted_key(connection: Connection) -> str:
    return encrypt(connection.api_key) if connection.api_key else ""
