"""The routes of indices and their mappings, described."""

from endpoints.api import indices
from endpoints.api.openapi.words import (
    BOOLEAN,
    OBJECT,
    STRING,
    Body,
    Operation,
    Schema,
    closed,
    flag,
    ignored,
    mapped,
    query,
    record,
    ref,
)
from inference.references.mappings import FIELD_TYPES

EXPANDED = "|".join(indices.EXPANDABLE)
LOOKUP = (
    flag("ignore_unavailable", "Leave out indices that are not there."),
    flag("allow_no_indices", "Whether patterns may find nothing."),
    query(
        "expand_wildcards",
        "What patterns find, separated by commas; all indices here are open.",
        {"type": "string", "pattern": f"^({EXPANDED})(,({EXPANDED}))*$"},
    ),
)
LOCAL = ignored("local")
SHOWING = (
    *LOOKUP,
    ignored("features"),
    ignored("flat_settings"),
    ignored("include_defaults"),
    LOCAL,
)
MAPPING_EXAMPLE = {
    "properties": {"content": {"type": "semantic_text", "inference_id": "my-vectors"}}
}

SCHEMAS: dict[str, Schema] = {
    "Field": {
        "type": "object",
        "properties": {
            "type": {"enum": sorted(FIELD_TYPES)},
            "inference_id": {
                "type": "string",
                "description": "Of a `semantic_text`: the endpoint that embeds it.",
            },
            "search_inference_id": STRING,
            "properties": mapped(ref("Field")),
            "fields": mapped(ref("Field")),
        },
    },
    "Mapping": {
        "type": "object",
        "properties": {"properties": mapped(ref("Field"))},
    },
    "CreateIndex": closed(
        record(
            {},
            {"settings": OBJECT, "mappings": ref("Mapping"), "aliases": mapped(OBJECT)},
        )
    ),
    "Index": record({"aliases": OBJECT, "mappings": OBJECT, "settings": OBJECT}),
}

MAPPINGS = mapped(record({"mappings": OBJECT}))
GET = Operation(
    "indices.get",
    "Read indices",
    mapped(ref("Index")),
    "The path may list names and patterns with `*`, separated by commas.",
    SHOWING,
    failures=(404,),
)
EXISTS = Operation(
    "indices.exists",
    "Tell whether indices are there",
    None,
    query=SHOWING,
    failures=(404,),
)
CREATE = Operation(
    "indices.create",
    "Create an index",
    record({"acknowledged": BOOLEAN, "shards_acknowledged": BOOLEAN, "index": STRING}),
    "It holds a mapping and no documents: what names an endpoint is known before it is deleted.",
    (
        query(
            "wait_for_active_shards",
            "Of no effect: no index here has shards.",
            {"type": "string", "pattern": "^(all|index-setting|[0-9]{1,9})$"},
        ),
    ),
    Body(ref("CreateIndex"), {"mappings": MAPPING_EXAMPLE}, is_required=False),
)
DELETE = Operation(
    "indices.delete",
    "Delete indices",
    ref("Acknowledged"),
    "The path may list names, separated by commas; patterns are refused.",
    LOOKUP,
    failures=(404,),
)
GET_MAPPING = Operation(
    "indices.get_mapping", "Read mappings", MAPPINGS, query=(*LOOKUP, LOCAL), failures=(404,)
)
PUT_MAPPING = Operation(
    "indices.put_mapping",
    "Add fields to mappings",
    ref("Acknowledged"),
    query=(*LOOKUP, ignored("write_index_only")),
    body=Body(ref("Mapping"), MAPPING_EXAMPLE),
    failures=(404,),
)

OPERATIONS = {
    indices.IndexView: {"get": GET, "head": EXISTS, "put": CREATE, "delete": DELETE},
    indices.MappingView: {"get": GET_MAPPING},
    indices.IndexMappingView: {"get": GET_MAPPING, "put": PUT_MAPPING, "post": PUT_MAPPING},
}
