"""Puts the document together: the routes of the URL conf, with what is said about each."""

import re
from typing import Any

from drf_spectacular.drainage import warn
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from endpoints.actions import ID_PATTERN, MAX_ID_LENGTH
from endpoints.api.cluster import ES_VERSION
from endpoints.api.openapi import (
    audit,
    clusters,
    console,
    deleted,
    diagnosis,
    indices,
    inference,
    ingest,
    people,
    security,
    teams,
    trained_models,
)
from endpoints.api.openapi.failures import FAILURE_SCHEMAS, FAILURES
from endpoints.api.openapi.words import STRING, Operation, Schema, flag, ignored, query, ref
from endpoints.api.views import ANY_TASK
from inference.types import TaskType

AREAS = {
    "inference": "Endpoints: create, call, change and delete them.",
    "ml": "Models: put, upload, deploy and ask them.",
    "security": "Who calls, what they may do, and their API keys.",
    "ingest": "Pipelines that name endpoints.",
    "indices": "Mappings that name endpoints.",
    "clusters": "Elasticsearch and OpenSearch elsewhere that name endpoints.",
    "teams": "Teams, and who is in them.",
    "sharing": "Whose an endpoint is, and who else may use it.",
    "audit": "Who changed what, and who was refused what.",
    "cluster": "What a client asks first.",
    "people": "Who there is, who is invited, and what becomes of them.",
    "console": "This installation.",
}
DESCRIPTION = f"""
It speaks Elasticsearch's `_inference` API, version {ES_VERSION}, and of the rest as much as refers
to endpoints. Every answer in JSON comes as the vendor type, too, for who accepts that.

A parameter that a route does not know is refused. `timeout` and `master_timeout` are accepted by
every route. With `filter_path` an answer is only a part of what is described here.
"""
# A group, or what stands in angle brackets, is what a path leaves open.
OPEN_PART = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")
COMMON = {
    "pretty": flag("pretty", "Write the answer for people."),
    "human": ignored("human"),
    "error_trace": flag("error_trace", "Tell with a failure where it came from."),
    "filter_path": query(
        "filter_path",
        "Which parts of the answer to show: paths with `*` and `**`, separated by commas; "
        "those that begin with `-` are left out.",
        STRING,
    ),
}
TEXT_IN_PATH: Schema = {"type": "string", "pattern": "^[^/]+$"}
IN_PATH: dict[str, Schema] = {
    "inference_id": {
        "type": "string",
        "pattern": f"^{ID_PATTERN.pattern}$",
        "maxLength": MAX_ID_LENGTH,
        "examples": ["my-vectors"],
    },
    "task_type": {"enum": [*TaskType, ANY_TASK]},
    "index": {"type": "string", "pattern": "^[^/_][^/]*$", "examples": ["my-index"]},
    "name": {"type": "string", "pattern": f"^{ID_PATTERN.pattern}$", "examples": ["prod"]},
    "pipeline_id": {"type": "string", "pattern": "^[^/_][^/]*$", "examples": ["my-pipeline"]},
}
PARTS = (
    inference,
    trained_models,
    security,
    ingest,
    indices,
    clusters,
    teams,
    people,
    audit,
    console,
    deleted,
    diagnosis,
)
OPERATIONS = {view: operations for part in PARTS for view, operations in part.OPERATIONS.items()}


class ElasticSchema(AutoSchema):
    """Takes what is written about a view instead of guessing from serializers."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> Schema | None:
        operation = OPERATIONS.get(type(self.view), {}).get(method.lower())
        if operation is None:
            warn(f"[{method} {path}] is not described")
            return None
        return to_openapi(operation, path)


class Routes(EndpointEnumerator):
    def get_api_endpoints(self, patterns: Any = None, prefix: str = "") -> list[Any]:
        """In the order of the descriptions, which is one to read."""
        order = {view: place for place, view in enumerate(OPERATIONS)}
        found = super().get_api_endpoints(patterns, prefix)
        return sorted(found, key=lambda route: order.get(route[-1].cls, len(order)))

    def get_path_from_regex(self, path_regex: str) -> str:
        return "/" + OPEN_PART.sub(r"{\1\2}", path_regex).strip("^$")

    def get_allowed_methods(self, callback: Any) -> list[str]:
        """Those that the view itself has, HEAD among them, the main one first."""
        described = list(OPERATIONS.get(callback.cls, ()))
        methods = [name for name in callback.cls.http_method_names if hasattr(callback.cls, name)]
        known = [name for name in described if name in methods]
        others = [name for name in methods if name not in (*described, "options")]
        return [name.upper() for name in known + others]


class Generator(SchemaGenerator):
    endpoint_inspector_cls = Routes

    def __init__(self) -> None:
        super().__init__(urlconf="endpoints.api.urls")

    def parse(self, input_request: Any, public: bool) -> Schema:
        paths: Schema = super().parse(input_request, public)
        name_apart(paths)
        return paths

    def get_schema(self, request: Any = None, public: bool = True) -> Schema:
        schema: Schema = super().get_schema(request, public)
        return schema | {
            "info": {
                "title": "Inference Console",
                "version": ES_VERSION,
                "description": DESCRIPTION.strip(),
            },
            "tags": [{"name": name, "description": told} for name, told in AREAS.items()],
            "security": [{"password": []}, {"api_key": []}],
            "components": components(),
        }


def to_openapi(operation: Operation, path: str) -> Schema:
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": operation.in_path.get(name) or IN_PATH.get(name, TEXT_IN_PATH),
        }
        for name in re.findall(r"{(\w+)}", path)
    ]
    shown: Schema = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [
            *in_path,
            *operation.query,
            *(ref(name, "parameters") for name in COMMON),
        ],
        "responses": operation.responses(),
    }
    if operation.description:
        shown["description"] = operation.description
    if operation.body:
        shown["requestBody"] = operation.body.to_openapi()
    return shown


def name_apart(paths: Schema) -> None:
    """Give other forms of an operation names of their own: with what their path has beside it."""
    first: dict[str, tuple[str, ...]] = {}
    for path, methods in paths.items():
        for method, operation in methods.items():
            name, words = operation["operationId"], (method, *path.split("/"))
            if name in first:
                more = [word.strip("{}_") for word in words if word not in first[name]]
                operation["operationId"] = ".".join((name, *more)).replace("*", "wildcard")
            else:
                first[name] = words


def components() -> Schema:
    schemas: dict[str, Schema] = dict(FAILURE_SCHEMAS)
    for part in PARTS:
        schemas |= part.SCHEMAS
    return {
        "schemas": schemas,
        "responses": FAILURES,
        "parameters": COMMON,
        "securitySchemes": {
            "password": {"type": "http", "scheme": "basic"},
            "api_key": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`ApiKey`, a blank, and the encoded form of a key.",
            },
        },
    }
