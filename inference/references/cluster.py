"""A connected Elasticsearch or OpenSearch: which of its indexes and pipelines name endpoints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from inference.references.connection import Connection, Line, ScanFailed
from inference.references.mappings import DENSE_SETTINGS, named_ids, semantic_fields
from inference.references.pipelines import referenced_models

# Hidden and closed indexes, too: those behind a data stream are hidden, and name what they need.
MAPPINGS_ROUTE = "/_mapping?expand_wildcards=all"
PIPELINES_ROUTE = "/_ingest/pipeline"
NEEDED_PRIVILEGES = {
    MAPPINGS_ROUTE: "the index privilege view_index_metadata on all indexes",
    PIPELINES_ROUTE: "the cluster privilege read_pipeline",
}
MAX_ID_LENGTH, MAX_NAME_LENGTH = 256, 512


class Kind(StrEnum):
    """What names an endpoint."""

    INDEX = "index"
    PIPELINE = "pipeline"


@dataclass(frozen=True)
class Named:
    """An index or a pipeline that names an endpoint.

    model_settings: of each field that names it and has some; none of a pipeline.
    """

    kind: Kind
    name: str
    inference_id: str
    model_settings: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Findings:
    """What one scan saw. indexes, pipelines: how many there are at all."""

    named: tuple[Named, ...]
    indexes: int
    pipelines: int


def scan(connection: Connection, timeout_s: float) -> Findings:
    """Look for everything in a cluster that names an endpoint. Raises ScanFailed."""
    with Line(connection, timeout_s) as line:
        # Each reply is let go of before the next is read: they can be large.
        indexes, in_indexes = _indexes(_objects(line, MAPPINGS_ROUTE))
        pipelines, in_pipelines = _pipelines(_objects(line, PIPELINES_ROUTE))
    return Findings((*in_indexes, *in_pipelines), indexes, pipelines)


def _objects(line: Line, route: str) -> dict[str, dict[str, Any]]:
    """A reply that holds an object for each name."""
    status, body = line.get(route)
    if status == 403:
        raise ScanFailed(
            f"[{line.host}] does not let the API key read {_path(route)}: "
            f"it needs {NEEDED_PRIVILEGES[route]}"
        )
    try:
        reply = orjson.loads(body)
    except orjson.JSONDecodeError:
        reply = None
    if status == 404 and route == PIPELINES_ROUTE and reply == {}:
        return {}  # so a cluster says that it has no pipelines
    if status != 200:
        raise ScanFailed(f"[{line.host}] answered {_path(route)} with status {status}")
    if not isinstance(reply, dict):
        raise ScanFailed(
            f"[{line.host}] answered {_path(route)} with something that is no JSON "
            "object; is this the address of Elasticsearch or OpenSearch?"
        )
    if any(not isinstance(one, dict) for one in reply.values()):
        raise _unexpected(line, route)
    if route == MAPPINGS_ROUTE and any(
        not isinstance(one.get("mappings"), dict) for one in reply.values()
    ):
        raise _unexpected(line, route)
    return reply


def _unexpected(line: Line, route: str) -> ScanFailed:
    return ScanFailed(
        f"[{line.host}] answered {_path(route)} in a way that neither Elasticsearch nor "
        "OpenSearch does"
    )


def _path(route: str) -> str:
    return f"[{route.partition('?')[0]}]"


def _indexes(reply: Mapping[str, Mapping[str, Any]]) -> tuple[int, tuple[Named, ...]]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for index, described in reply.items():
        for _, field in semantic_fields(described["mappings"]):
            for inference_id in filter(can_be_id, named_ids(field)):
                settings = found.setdefault((_shown(index), inference_id), [])
                if (known := _model_settings(field)) and known not in settings:
                    settings.append(known)
    named = (
        Named(Kind.INDEX, index, inference_id, tuple(settings))
        for (index, inference_id), settings in found.items()
    )
    return len(reply), tuple(named)


def _pipelines(reply: Mapping[str, Mapping[str, Any]]) -> tuple[int, tuple[Named, ...]]:
    pairs: Iterator[tuple[str, str]] = (
        (_shown(name), inference_id)
        for name, config in reply.items()
        for inference_id in filter(can_be_id, referenced_models(config))
    )
    return len(reply), tuple(Named(Kind.PIPELINE, *pair) for pair in dict.fromkeys(pairs))


def can_be_id(inference_id: str) -> bool:
    """Whether an endpoint may have this id; what is named may be anything."""
    return len(inference_id) <= MAX_ID_LENGTH and "\0" not in inference_id


def _shown(name: str) -> str:
    """A name as it can be stored; a real one stays as it is."""
    return name.replace("\0", "\N{REPLACEMENT CHARACTER}")[:MAX_NAME_LENGTH]


def _model_settings(field: Mapping[str, Any]) -> dict[str, Any]:
    told = field.get("model_settings")
    if not isinstance(told, dict):
        return {}
    return {
        name: value
        for name in ("task_type", *DENSE_SETTINGS)
        if isinstance(value := told.get(name), str | int) and "\0" not in str(value)
    }
