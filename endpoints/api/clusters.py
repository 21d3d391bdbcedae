"""The `_console/clusters` routes: connect, look at, scan and remove clusters."""

from django.http import HttpResponse
from pydantic import SecretStr, StrictStr

from endpoints.access import require, visible_clusters
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import Body, parse
from endpoints.clusters import (
    change_cluster,
    connect_cluster,
    find_cluster,
    remove_cluster,
    scan_now,
)
from endpoints.models import Cluster
from endpoints.permissions import Action
from endpoints.teams import check_owner
from inference.errors import NotFound
from inference.references.connection import Connection

SCAN_TIMEOUT_S, LONGEST_SCAN_S = 30.0, 60.0


class ClusterBody(Body):
    """api_key: left out, a cluster that is connected keeps the one it has; null for none."""

    url: StrictStr
    api_key: SecretStr | None = None
    ca_certificate: StrictStr | None = None

    @property
    def connection(self) -> Connection:
        return Connection(self.url, self.api_key, self.ca_certificate or "")

    @property
    def keeps_api_key(self) -> bool:
        return "api_key" not in self.model_fields_set


class ClusterListView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        require(request.user, Action.CLUSTER_GET)
        self.params(request)
        clusters = visible_clusters(request.user).select_related("team")
        return self.answer({"clusters": [one.to_response() for one in clusters]})


class ClusterView(ElasticView):
    def get(self, request: UserRequest, name: str) -> HttpResponse:
        require(request.user, Action.CLUSTER_GET)
        self.params(request)
        return self.answer(with_references(find_cluster(request.user, name)))

    def put(self, request: UserRequest, name: str) -> HttpResponse:
        """Connect a cluster or change it; a scan follows in the background.

        team: whose one is to be that was not connected yet.
        """
        require(request.user, Action.CLUSTER_PUT)
        team = self.params(request, "team").text("team", None)
        body = parse(ClusterBody, request)
        try:
            known = find_cluster(request.user, name, to=Action.CLUSTER_PUT)
        except NotFound:
            cluster = connect_cluster(request.user, name, body.connection, team=team)
        else:
            check_owner(f"Cluster [{name}]", known.team, team)
            cluster = change_cluster(known, body.connection, keep_api_key=body.keeps_api_key)
        return self.answer(cluster.to_response())

    def delete(self, request: UserRequest, name: str) -> HttpResponse:
        require(request.user, Action.CLUSTER_DELETE)
        self.params(request)
        remove_cluster(find_cluster(request.user, name, to=Action.CLUSTER_DELETE))
        return self.answer({"acknowledged": True})


class ScanView(ElasticView):
    def post(self, request: UserRequest, name: str) -> HttpResponse:
        """Scan now, and answer what the cluster is like after that, also where the scan failed."""
        require(request.user, Action.CLUSTER_SCAN)
        timeout_s = self.params(request).duration_s("timeout", SCAN_TIMEOUT_S)
        cluster = find_cluster(request.user, name, to=Action.CLUSTER_SCAN)
        scanned = scan_now(cluster, min(timeout_s, LONGEST_SCAN_S))
        return self.answer(with_references(scanned))


def with_references(cluster: Cluster) -> dict[str, object]:
    references = [one.to_response() for one in cluster.references.all()]
    return {**cluster.to_response(), "references": references}
