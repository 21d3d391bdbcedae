"""What the routes of `_inference`, and all routes alike, refuse: one row each.

Rows of creating, updating and calling that leave no trace stand with those tests.
"""

import pytest

from tests.endpoints.api.rows import (
    ACTION,
    ARGUMENT,
    CALL,
    CONTENT,
    EXISTS,
    KEYS,
    MEDIA,
    MISSING,
    NEW,
    PARSE,
    PIPELINE,
    RANK,
    SETTING,
    SIMULATE,
    STATUS,
    TEXT,
    UPDATE,
    VENDOR,
    Row,
    check,
    chunking,
    creation,
    processors,
    row,
    setting,
)
from tests.endpoints.conftest import Api

COMMON = [
    *(
        row("GET", f"{path}?{name}=30", None, 400, ARGUMENT, name, "30", "unit is missing")
        for name in ("timeout", "master_timeout")
        for path in (
            "/",
            "/_inference",
            "/_inference/vectors",
            "/_inference/_services",
            "/_inference/_region_policy",
            "/_security/_authenticate",
            KEYS,
            "/_ingest/pipeline",
            "/_mapping",
            "/books",
            "/books/_mapping",
        )
    ),
    *(
        row(method, f"{path}?timeout=30", body, 400, ARGUMENT, "unit is missing")
        for method, path, body in (
            ("PUT", NEW, creation()),
            ("PUT", UPDATE, {"service_settings": {"num_allocations": 1}}),
            ("POST", CALL, TEXT),
            ("DELETE", "/_inference/vectors", None),
            ("PUT", "/_inference/_region_policy", {"region_policy": {"allowed_geos": ["eu"]}}),
            ("DELETE", "/_inference/_region_policy", None),
            ("POST", "/_inference/_chunk", TEXT),
            ("POST", KEYS, {"name": "k"}),
            ("DELETE", KEYS, {"ids": ["a"]}),
            ("POST", "/_security/user/_has_privileges", {"cluster": ["all"]}),
            ("PUT", PIPELINE, processors()),
            ("DELETE", "/_ingest/pipeline/kept", None),
            ("POST", SIMULATE, {"pipeline": processors(), "docs": [{"_source": {}}]}),
            ("PUT", "/new-index", None),
            ("PUT", "/books/_mapping", {}),
            ("DELETE", "/books", None),
        )
    ),
    *(
        row("POST", f"{CALL}?timeout={text}", TEXT, 400, ARGUMENT, "[timeout]", f"[{text}]")
        for text in ("", "s", "1.5s", "-2s", "-2", "1w", "1 s", "5")
    ),
    row("POST", CALL, TEXT | {"timeout": "5"}, 400, ARGUMENT, "[timeout]", "[5]"),
    row("POST", CALL, TEXT | {"timeout": 5}, 400, CONTENT, "[timeout]"),
    *(
        row("GET", f"/_inference?{name}=yes", None, 400, ARGUMENT, "[yes]", "[true] or [false]")
        for name in ("pretty", "human", "error_trace")
    ),
    row("GET", "/_inference?colour=red", None, 400, ARGUMENT, "[/_inference]", "[colour]"),
    row("GET", "/_inference?prety", None, 400, ARGUMENT, "[prety] -> did you mean [pretty]?"),
    row("DELETE", "/_inference/vectors?dryrun", None, 400, ARGUMENT, "did you mean [dry_run]?"),
    row("GET", "/_inference?b=1&a=1", None, 400, ARGUMENT, "parameters: [a], [b]"),
    row("DELETE", "/_inference/vectors?force=1", None, 400, ARGUMENT, "[1]"),
    *(
        row(method, path, body, 400, MEDIA, version, headers=headers)
        for version in ("7", "10", "x")
        for method, path, body, headers in (
            ("GET", "/", None, {"Accept": f"{VENDOR}; compatible-with={version}"}),
            ("POST", CALL, TEXT, {"Accept": f"{VENDOR};compatible-with={version}"}),
            ("POST", CALL, TEXT, {"Content-Type": f"{VENDOR}; compatible-with={version}"}),
        )
    ),
    row("POST", CALL, TEXT, 406, MEDIA, "text/html", headers={"Content-Type": "text/html"}),
    row("POST", CALL, TEXT, 415, STATUS, "[br]", headers={"Content-Encoding": "br"}),
]

IDS = [
    *(
        row("PUT", f"/_inference/text_embedding/{name}", creation(), 400, ACTION, "inference_id")
        for name in ("My", "-a", "a-", ".a", "a.", "a b", "%C3%A9", "a%0A", "a%00", "_a")
    ),
    row("PUT", "/_inference/a%2Fb", creation(), 400, STATUS, "Unknown task_type [a]"),
    row(
        "PUT",
        "/_inference/.elser/_update",
        {"task_settings": {}},
        400,
        STATUS,
        "[.elser]",
        "Default",
    ),
    row("PUT", "/_inference/text_embedding/Bad", b"{", 400, CONTENT, "[1:"),
]

CREATION = [
    row("PUT", "/_inference/new", creation(), 400, STATUS, "[task_type]", "missing"),
    row(
        "PUT",
        NEW,
        creation(task_type="rerank"),
        400,
        STATUS,
        "conflicting task_type",
        "[text_embedding]",
        "[rerank]",
    ),
    row("PUT", "/_inference/any/new", creation(), 400, STATUS, "[any]"),
    row("PUT", NEW, {}, 400, STATUS, "missing the [service] setting"),
    row("PUT", NEW, creation(service="oracle"), 400, STATUS, "Unknown service [oracle]"),
    row("PUT", NEW, creation(service=3), 400, CONTENT, "[service]"),
    row(
        "PUT",
        NEW,
        {"service": "elasticsearch"},
        400,
        STATUS,
        "Missing required field [service_settings]",
    ),
    row(
        "PUT",
        "/_inference/completion/new",
        creation(),
        400,
        STATUS,
        "The [elasticsearch] service does not support task type [completion]",
    ),
    row("PUT", NEW, creation(a=True, b=None), 400, STATUS, "[{a=true, b=null}]", "elasticsearch"),
    row("PUT", NEW, setting(a={"b": [1, "c"]}), 400, STATUS, "[{a={b=[1, c]}}]"),
    row("PUT", NEW, creation(task_settings={"a": 1}), 400, STATUS, "[{a=1}]"),
    *(
        row("PUT", NEW, creation(task_settings=value), 400, SETTING, "task_settings", "[Map]")
        for value in (0, "", [], False, [1])
    ),
    *(
        row("PUT", NEW, creation(chunking_settings=value), 400, SETTING, "[Map]")
        for value in (0, "", [], False, "word", [1])
    ),
    row("PUT", NEW, creation(service_settings=3), 400, SETTING, "service_settings", "[Map]"),
    row(
        "PUT",
        NEW,
        setting(num_allocations="two"),
        400,
        SETTING,
        "field [num_allocations] is not of the expected type. "
        "The value [two] cannot be converted to a [Integer]",
    ),
    row("PUT", NEW, setting(num_threads=True), 400, SETTING, "The value [true]"),
    row("PUT", NEW, setting(num_threads=3), 400, ACTION, "power of 2", "32"),
    row("PUT", NEW, setting(num_threads=64), 400, ACTION, "power of 2", "32"),
    row("PUT", NEW, setting(colour="x" * 5000), 400, STATUS, "xxx..."),
    row("PUT", NEW, chunking(strategy=None), 400, ARGUMENT, "chunking strategy"),
    row("PUT", NEW, chunking(max_chunk_size=100), 400, ARGUMENT, "chunking strategy"),
    row("PUT", NEW, chunking(strategy="page"), 400, ARGUMENT, "[page]"),
    row(
        "PUT",
        NEW,
        chunking(strategy="recursive", max_chunk_size=50, separators=["\0"]),
        400,
        ARGUMENT,
        "U+0000",
    ),
    row(
        "PUT",
        "/_inference/text_embedding/all-minilm",
        setting(model_id="all-minilm"),
        400,
        STATUS,
        "all-minilm",
    ),
    row("PUT", "/_inference/text_embedding/lone", creation(), 400, STATUS, "[lone]", "unique"),
    row("PUT", CALL, creation(), 400, EXISTS, "Inference endpoint [vectors] already exists"),
    row("PUT", NEW, b'{"service":"a","service":"b"}', 400, CONTENT, "Duplicate field [service]"),
    row(
        "PUT",
        NEW,
        b'{"service":"elasticsearch","service_settings":{"model_id":"a","model_id":"b"}}',
        400,
        CONTENT,
        "Duplicate field [model_id]",
    ),
    row("PUT", NEW, b"", 400, PARSE, "request body is required"),
    row("PUT", NEW, b'{\n "service": }', 400, CONTENT, "[2:"),
]

READING = [
    *(
        row(method, f"/_inference/{path}", None, 404, MISSING, f"not found [{name}]")
        for method in ("GET", "DELETE")
        for path, name in (("nobody", "nobody"), ("v*", "v*"), ("rerank/nobody", "nobody"))
    ),
    *(
        row(method, "/_inference/rerank/vectors", None, 400, STATUS, "[rerank]", "[text_embedding]")
        for method in ("GET", "DELETE")
    ),
    row("GET", "/_inference/poem/vectors", None, 400, STATUS, "Unknown task_type [poem]"),
    row("GET", "/_inference/poem/_all", None, 400, STATUS, "Unknown task_type [poem]"),
    row("GET", "/_inference/_services/poem", None, 400, STATUS, "Unknown task_type [poem]"),
    row("DELETE", "/_inference/vectors", None, 409, STATUS, "[kept]", "[books]", "force"),
]

CALLING = [
    row("POST", CALL, {}, 400, ACTION, "[input] cannot be null"),
    row("POST", CALL, {"input": []}, 400, ACTION, "[input] cannot be an empty array"),
    row("POST", CALL, b"null", 400, CONTENT),
    row("POST", CALL, b" ", 400, PARSE, "request body is required"),
    row("POST", CALL, TEXT | {"x": 1}, 400, CONTENT, "[1:", "unknown field [x]"),
    row("POST", CALL, b'{"input":"a","input":"b"}', 400, CONTENT, "Duplicate field [input]"),
    row("POST", CALL, TEXT | {"query": "q"}, 400, ACTION, "[query]", "text_embedding"),
    row("POST", CALL, TEXT | {"top_n": 1}, 400, ACTION, "[top_n]", "text_embedding"),
    row("POST", CALL, TEXT | {"return_documents": True}, 400, ACTION, "[return_documents]"),
    row("POST", "/_inference/vectors", TEXT | {"top_n": 0}, 400, ACTION, "[top_n]"),
    *(
        row("POST", CALL, TEXT | {"input_type": word}, 400, ACTION, f"[{word}]")
        for word in ("", "poem", "internal_search", "internal_ingest")
    ),
    row("POST", CALL, TEXT | {"task_settings": {"input_type": 5}}, 400, ACTION, "[5]"),
    row("POST", CALL, TEXT | {"task_settings": {"x": "y"}}, 400, STATUS, "[{x=y}]"),
    row("POST", RANK, {"input": ["a"]}, 400, ACTION, "[query] cannot be null"),
    row("POST", RANK, {"input": ["a"], "query": ""}, 400, ACTION, "[query] cannot be empty"),
    row(
        "POST",
        RANK,
        {"input": ["a"], "query": "q", "input_type": "search"},
        400,
        ACTION,
        "[input_type] cannot be specified for task type [rerank]",
    ),
    row("POST", RANK, {"input": ["a"], "query": "q", "top_n": 0}, 400, ACTION, "[top_n]"),
    row("POST", "/_inference/ranks", {"input": ["a"]}, 400, SETTING, "non-null", "[query]"),
    row("POST", RANK, {"input": ["a"], "query": {"value": "q"}}, 400, CONTENT, "[query]"),
    row("POST", "/_inference/nobody", TEXT, 404, MISSING, "[nobody]"),
    row(
        "POST",
        "/_inference/sparse_embedding/vectors",
        TEXT,
        400,
        STATUS,
        "[sparse_embedding] does not match the model type [text_embedding]",
    ),
    row("POST", "/_inference/embedding/vectors", TEXT, 400, STATUS, "[embedding]"),
    row("POST", "/_inference/failed", TEXT, 409, STATUS, "the file is cut short"),
]

UPDATING = [
    row("PUT", "/_inference/nobody/_update", {"task_settings": {}}, 404, STATUS, "cannot be up"),
    row("PUT", UPDATE, {}, 400, STATUS, "Request body is empty"),
    row("PUT", UPDATE, {"a": 1}, 400, STATUS, "cannot be updated", "[{a=1}]"),
    row(
        "PUT", UPDATE, {"service": "cohere", "task_settings": {}}, 400, STATUS, "[{service=cohere}]"
    ),
    row("PUT", UPDATE, {"task_type": "rerank", "task_settings": {}}, 400, STATUS, "must match"),
    row(
        "PUT",
        "/_inference/rerank/vectors/_update",
        {"task_settings": {}},
        400,
        STATUS,
        "must match",
    ),
    row("PUT", UPDATE, {"service_settings": {"model_id": "x"}}, 400, STATUS, "[{model_id=x}]"),
    row("PUT", UPDATE, {"service_settings": {"deployment_id": "x"}}, 400, STATUS, "deployment_id"),
    row("PUT", UPDATE, {"service_settings": []}, 400, CONTENT, "[service_settings]"),
    row("PUT", UPDATE, b"", 400, PARSE, "request body is required"),
]


@pytest.mark.parametrize("row", [*COMMON, *IDS, *CREATION, *READING, *CALLING, *UPDATING])
def test_it_is_refused_in_these_words_and_nothing_changes(furnished: Api, row: Row) -> None:
    check(furnished, row)
