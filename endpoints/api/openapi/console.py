"""The routes of the installation itself, described."""

from endpoints.api.cache import CacheBody, CacheView
from endpoints.api.deployments import DeploymentEventsView
from endpoints.api.openapi.settings import schemas_of
from endpoints.api.openapi.view import OpenApiView
from endpoints.api.openapi.words import (
    BOOLEAN,
    INTEGER,
    OBJECT,
    STRING,
    Body,
    Operation,
    Schema,
    listed,
    record,
    ref,
)
from endpoints.api.views import ClusterView

SCHEMAS: dict[str, Schema] = {
    "Acknowledged": record({"acknowledged": BOOLEAN}),
    "Info": record(
        {
            "name": STRING,
            "cluster_name": STRING,
            "cluster_uuid": STRING,
            "version": record({"number": STRING, "build_flavor": STRING}),
            "tagline": STRING,
        }
    ),
    "Cache": record(
        {
            "enabled": BOOLEAN,
            "looked_up_inputs": {**INTEGER, "description": "In the last 24 hours."},
            "cached_inputs": INTEGER,
            "hit_rate": {"type": ["number", "null"]},
            "size_in_bytes": {**INTEGER, "description": "Of the web process that answers."},
            "max_size_in_bytes": INTEGER,
        }
    ),
    **schemas_of(CacheBody),
}

INFO = Operation("cluster.info", "Tell name and version", ref("Info"))
OPENAPI = Operation(
    "console.openapi", "Describe this API", OBJECT, "This document, in OpenAPI's form."
)

GET_CACHE = Operation(
    "console.get_cache", "Tell how an endpoint's cache does", ref("Cache"), failures=(404,)
)
PUT_CACHE = Operation(
    "console.put_cache",
    "Switch an endpoint's cache on or off",
    record({"acknowledged": BOOLEAN, "enabled": BOOLEAN}),
    "A text that was embedded before is then answered from memory.",
    body=Body(ref("CacheBody"), {"enabled": True}),
    failures=(404, 409),
)
DELETE_CACHE = Operation(
    "console.purge_cache",
    "Empty an endpoint's cache in every web process",
    ref("Acknowledged"),
    failures=(404,),
)

DEPLOYMENT_EVENTS = Operation(
    "console.get_deployment_events",
    "Tell what a deployment went through",
    record(
        {
            "deployment_id": STRING,
            "count": INTEGER,
            "events": listed(
                record(
                    {
                        "state": STRING,
                        "timestamp": {**INTEGER, "description": "In milliseconds since 1970."},
                    },
                    {"reason": STRING},
                )
            ),
        }
    ),
    "The newest first.",
    failures=(404,),
)

OPERATIONS = {
    ClusterView: {"get": INFO},
    OpenApiView: {"get": OPENAPI},
    CacheView: {"get": GET_CACHE, "put": PUT_CACHE, "delete": DELETE_CACHE},
    DeploymentEventsView: {"get": DEPLOYMENT_EVENTS},
}
