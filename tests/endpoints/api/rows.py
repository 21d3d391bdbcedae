"""Rows of refusals: a request, the status and type of its answer, and words of the reason."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from endpoints.models import Endpoint, IndexMapping, IngestPipeline
from tests.endpoints.conftest import SETTINGS, Api, refused, told

STATUS = "status_exception"
ACTION = "action_request_validation_exception"
SETTING = "validation_exception"
ARGUMENT = "illegal_argument_exception"
PARSE = "parse_exception"
CONTENT = "x_content_parse_exception"
MEDIA = "media_type_header_exception"
MISSING = "resource_not_found_exception"
EXISTS = "resource_already_exists_exception"
NO_INDEX = "index_not_found_exception"
MAPPER = "mapper_parsing_exception"

NEW = "/_inference/text_embedding/new"
CALL = "/_inference/text_embedding/vectors"
RANK = "/_inference/rerank/ranks"
UPDATE = "/_inference/vectors/_update"
KEYS = "/_security/api_key"
PIPELINE = "/_ingest/pipeline/p"
SIMULATE = "/_ingest/pipeline/_simulate"
VENDOR = "application/vnd.elasticsearch+json"
TEXT = {"input": "a"}


def creation(**changes: Any) -> dict[str, Any]:
    return {"service": "elasticsearch", "service_settings": SETTINGS} | changes


def setting(**changes: Any) -> dict[str, Any]:
    return creation(service_settings=SETTINGS | changes)


def chunking(**settings: Any) -> dict[str, Any]:
    return creation(chunking_settings=settings)


def processors(*each: dict[str, Any]) -> dict[str, Any]:
    return {"processors": list(each)}


def mapping(**fields: dict[str, Any]) -> dict[str, Any]:
    return {"mappings": {"properties": fields}}


def semantic(**options: Any) -> dict[str, Any]:
    return mapping(f={"type": "semantic_text", **options})


@dataclass(frozen=True)
class Row:
    method: str
    path: str
    body: Any
    status: int
    kind: str
    words: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


def row(
    method: str,
    path: str,
    body: Any,
    status: int,
    kind: str,
    *words: str,
    headers: dict[str, str] | None = None,
) -> Any:
    told_by = json.dumps(body) if not isinstance(body, bytes) else repr(body)
    name = f"{method} {path} {told_by}" if body is not None else f"{method} {path}"
    return pytest.param(Row(method, path, body, status, kind, words, headers or {}), id=name[:120])


def everything() -> dict[str, Any]:
    return {
        "endpoints": list(Endpoint.objects.order_by("pk").values()),
        "indices": list(IndexMapping.objects.order_by("pk").values()),
        "pipelines": list(IngestPipeline.objects.order_by("pk").values()),
    }


def check(api: Api, row: Row) -> None:
    """It is refused in these words, and nothing changes."""
    before = everything()

    response = api(row.method, row.path, row.body, row.headers)

    assert refused(response) == (row.status, row.kind)
    reason = told(response)["error"]["reason"]
    for words in row.words:
        assert words in reason, reason
    assert everything() == before
