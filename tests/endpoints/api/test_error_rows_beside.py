"""What the routes beside `_inference` refuse: one row each."""

import pytest

from tests.endpoints.api.rows import (
    ACTION,
    ARGUMENT,
    CONTENT,
    EXISTS,
    KEYS,
    MAPPER,
    MISSING,
    NO_INDEX,
    PARSE,
    PIPELINE,
    SIMULATE,
    STATUS,
    Row,
    check,
    mapping,
    processors,
    row,
    semantic,
)
from tests.endpoints.conftest import Api

SECURITY = [
    row("POST", KEYS, {}, 400, ACTION, "name"),
    row("POST", KEYS, {"name": " "}, 400, ACTION, "name"),
    row("POST", KEYS, {"name": "k", "expiration": "1"}, 400, ARGUMENT, "[expiration]", "[1]"),
    row(
        "POST",
        KEYS,
        {"name": "k", "role_descriptors": {"r": {"cluster": ["fly"]}}},
        400,
        ARGUMENT,
        "fly",
        "monitor_inference",
    ),
    row("POST", KEYS, {"name": "k", "role_descriptors": {"r": {"x": 1}}}, 400, CONTENT, "r.x"),
    row("POST", KEYS, b'{"name":"a","name":"b"}', 400, CONTENT, "Duplicate field [name]"),
    row("GET", f"{KEYS}?id=a&name=b", None, 400, ACTION, "only one of"),
    row("GET", f"{KEYS}?id=a&username=b", None, 400, ACTION, "must not be specified"),
    row("GET", f"{KEYS}?owner=true&realm_name=b", None, 400, ACTION, "owned"),
    row("DELETE", KEYS, {}, 400, ACTION, "must be specified"),
    row("POST", "/_security/user/_has_privileges", {}, 400, ACTION, "at least one"),
    row("POST", "/_security/user/_has_privileges", {"cluster": ["fly"]}, 400, ARGUMENT, "fly"),
]

INDICES = [
    *(
        row("PUT", f"/{name}", None, 400, "invalid_index_name_exception", "Invalid index name")
        for name in ("Books", "a%23b", "a:b", "-a", "+a", "_a", "a%20b", "a%3Fb", "a%5Cb")
    ),
    row("PUT", "/books", None, 400, EXISTS, "index [books/", "already exists"),
    *(
        row(method, path, body, 404, NO_INDEX, "no such index [nowhere]")
        for method, path, body in (
            ("GET", "/nowhere", None),
            ("GET", "/nowhere/_mapping", None),
            ("PUT", "/nowhere/_mapping", {"properties": {}}),
            ("DELETE", "/nowhere", None),
        )
    ),
    row("DELETE", "/*", None, 400, ARGUMENT, "not allowed"),
    row("DELETE", "/_all", None, 400, ARGUMENT, "not allowed"),
    row("PUT", "/new", mapping(f={"type": "poem"}), 400, MAPPER, "[poem]", "[f]", "does not exist"),
    row("PUT", "/new", semantic(inference_id=""), 400, MAPPER, "[inference_id]"),
    row("PUT", "/new", semantic(search_inference_id=""), 400, MAPPER, "[search_inference_id]"),
    row("PUT", "/new", semantic(model_settings={"task_type": "rerank"}), 400, MAPPER, "task"),
    row(
        "PUT",
        "/new",
        semantic(model_settings={"task_type": "text_embedding"}),
        400,
        MAPPER,
        "dimensions",
    ),
    row("PUT", "/new", semantic(chunking_settings={"strategy": "page"}), 400, MAPPER, "page"),
    row("PUT", "/new", b'{"settings":{},"settings":{}}', 400, CONTENT, "[settings]"),
    row(
        "PUT",
        "/books/_mapping",
        {"properties": {"title": {"type": "keyword"}}},
        400,
        ARGUMENT,
        "mapper [title] cannot be changed from type [text] to [keyword]",
    ),
    row(
        "PUT",
        "/books/_mapping",
        {"properties": {"known": {"type": "semantic_text", "inference_id": "ranks"}}},
        400,
        ARGUMENT,
        "Cannot update parameter [inference_id] from [vectors] to [ranks]",
    ),
]

PIPELINES = [
    row("PUT", PIPELINE, {}, 400, PARSE, "[processors] required property is missing"),
    row(
        "PUT",
        PIPELINE,
        processors({"poem": {}}),
        400,
        PARSE,
        "No processor type exists with name [poem]",
    ),
    row(
        "PUT",
        PIPELINE,
        processors({"inference": {"model_id": "m", "a": 1, "b": 2}}),
        400,
        PARSE,
        "[inference] doesn't support one or more provided configuration parameters [a, b]",
    ),
    row(
        "PUT",
        PIPELINE,
        processors({"inference": {}}),
        400,
        PARSE,
        "[model_id] required property is missing",
    ),
    row(
        "PUT",
        PIPELINE,
        processors(*({"inference": {"model_id": "m"}} for _ in range(51))),
        409,
        STATUS,
        "xpack.ml.max_inference_processors",
    ),
    row("PUT", f"{PIPELINE}?if_version=3", processors(), 400, ARGUMENT, "version"),
    row("PUT", f"{PIPELINE}?if_version=x", processors(), 400, ARGUMENT, "[if_version]", "[x]"),
    row("DELETE", "/_ingest/pipeline/nobody", None, 404, MISSING, "pipeline [nobody] is missing"),
    row("POST", SIMULATE, {"docs": [{"_source": {}}]}, 400, PARSE, "[pipeline]"),
    row("POST", SIMULATE, {"pipeline": processors()}, 400, PARSE, "[docs]"),
    row("POST", SIMULATE, {"pipeline": processors(), "docs": []}, 400, ARGUMENT, "[docs]"),
    row(
        "POST",
        "/_ingest/pipeline/nobody/_simulate",
        {"docs": [{"_source": {}}]},
        400,
        ARGUMENT,
        "pipeline [nobody] does not exist",
    ),
]


@pytest.mark.parametrize("row", [*SECURITY, *INDICES, *PIPELINES])
def test_it_is_refused_in_these_words_and_nothing_changes(furnished: Api, row: Row) -> None:
    check(furnished, row)
