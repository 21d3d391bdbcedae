"""The routes of the installation itself, described."""

from endpoints.api.openapi.view import OpenApiView
from endpoints.api.openapi.words import BOOLEAN, OBJECT, STRING, Operation, Schema, record, ref
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
}

INFO = Operation("cluster.info", "Tell name and version", ref("Info"))
OPENAPI = Operation(
    "console.openapi", "Describe this API", OBJECT, "This document, in OpenAPI's form."
)

OPERATIONS = {ClusterView: {"get": INFO}, OpenApiView: {"get": OPENAPI}}
