"""The routes of the clusters that are connected, described."""

from endpoints.api.clusters import ClusterBody, ClusterListView, ClusterView, ScanView
from endpoints.api.openapi.settings import schemas_of
from endpoints.api.openapi.words import (
    BOOLEAN,
    DURATION,
    INTEGER,
    STRING,
    TEAM,
    Body,
    Operation,
    Schema,
    listed,
    query,
    record,
    ref,
)
from endpoints.models.cluster import ScanState
from inference.references.cluster import Kind

KNOWN = {
    "name": STRING,
    "url": STRING,
    "team": {"type": ["string", "null"], "description": "Null where it is the site's own."},
    "has_api_key": BOOLEAN,
    "state": {"enum": ScanState.values},
}
SOMETIMES = {
    "ca_certificate": STRING,
    "reason": {**STRING, "description": "Why nobody can say what the cluster uses."},
    "since": STRING,
    "scanned_at": STRING,
    "indexes": INTEGER,
    "pipelines": INTEGER,
}
SCHEMAS: dict[str, Schema] = {
    "Cluster": record(KNOWN, SOMETIMES),
    "ScannedCluster": record(
        {
            **KNOWN,
            "references": listed(
                record(
                    {
                        "kind": {"enum": list(Kind)},
                        "name": STRING,
                        "inference_id": STRING,
                        "seen_at": STRING,
                    }
                )
            ),
        },
        SOMETIMES,
    ),
    **schemas_of(ClusterBody),
}

GET_ALL = Operation(
    "clusters.get_all", "List connected clusters", record({"clusters": listed(ref("Cluster"))})
)
GET = Operation(
    "clusters.get",
    "Read a connected cluster and what it uses",
    ref("ScannedCluster"),
    failures=(404,),
)
PUT = Operation(
    "clusters.put",
    "Connect a cluster, or change how it is reached",
    ref("Cluster"),
    "It is scanned in the background. A key that is left out stays as it is; null removes it.",
    (TEAM,),
    body=Body(ref("ClusterBody"), {"url": "https://search.example.org:9200", "api_key": "…"}),
    failures=(404,),
)
DELETE = Operation("clusters.delete", "Forget a cluster", ref("Acknowledged"), failures=(404,))
SCAN = Operation(
    "clusters.scan",
    "Look now at what a cluster uses",
    ref("ScannedCluster"),
    "A scan that fails is answered, too: `state` and `reason` tell of it.",
    (query("timeout", "How long the scan may take.", DURATION),),
    failures=(404, 409),
)

OPERATIONS = {
    ClusterListView: {"get": GET_ALL},
    ClusterView: {"get": GET, "put": PUT, "delete": DELETE},
    ScanView: {"post": SCAN},
}
