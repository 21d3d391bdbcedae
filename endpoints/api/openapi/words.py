"""The words in which routes are described. Schemas are JSON Schema, as OpenAPI 3.1 has them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias

from endpoints.api.cluster import ES_VERSION
from endpoints.api.media import JSON, VENDOR

Schema: TypeAlias = dict[str, Any]

MEDIA_TYPES = (JSON, f"{VENDOR};compatible-with={ES_VERSION.partition('.')[0]}")
STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
DURATION: Schema = {
    "type": "string",
    "pattern": r"^(-1|0|[0-9]{1,18}(nanos|micros|ms|s|m|h|d))$",
    "examples": ["30s"],
}
EVENTS: Schema = {"text/event-stream": {}}
# What any route may answer: a request that is wrong, a caller who is unknown, may not do it, or
# calls too often.
ALWAYS = (400, 401, 403, 429)
WITH_BODY = (406, 413, 415)


def listed(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def mapped(values: Schema) -> Schema:
    """An object with any names."""
    return {"type": "object", "additionalProperties": values}


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object of these fields, in this order."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def closed(schema: Schema) -> Schema:
    """The same without room for other fields."""
    return {**schema, "additionalProperties": False}


def ref(name: str, kind: str = "schemas") -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def in_json(schema: Schema, example: Any = None) -> Schema:
    """A body of this schema, in every form of JSON that is spoken here."""
    content = {"schema": schema} | ({} if example is None else {"example": example})
    return dict.fromkeys(MEDIA_TYPES, content)


def query(name: str, description: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def flag(name: str, description: str) -> Schema:
    """A parameter that is true, false, or there without a value, which means true."""
    return query(name, description, BOOLEAN) | {"allowEmptyValue": True}


def ignored(name: str) -> Schema:
    return query(name, "Accepted and of no effect.", STRING)


TEAM = query("team", "Whose it is to be, where that is not clear.", STRING)


@dataclass(frozen=True)
class Body:
    schema: Schema
    example: Any = None
    is_required: bool = True

    def to_openapi(self) -> Schema:
        return {"required": self.is_required, "content": in_json(self.schema, self.example)}


@dataclass(frozen=True)
class Operation:
    """What one method of a view takes and answers.

    answer: the schema of status 200; None for no body. other_answers: the schemas of statuses that
    are no failures of the usual form. failures: the statuses that are, beside ALWAYS.
    headers: those of the answer, with what they tell. in_path: what the path holds, where that is
    less than usual. is_stream: answers and failures are events.
    """

    operation_id: str
    summary: str
    answer: Schema | None
    description: str = ""
    query: tuple[Schema, ...] = ()
    body: Body | None = None
    failures: tuple[int, ...] = ()
    other_answers: Mapping[int, Schema] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    in_path: Mapping[str, Schema] = field(default_factory=dict)
    is_stream: bool = False

    @property
    def tag(self) -> str:
        return self.operation_id.partition(".")[0]

    def responses(self) -> Schema:
        failures = sorted({*ALWAYS, *self.failures, *(WITH_BODY if self.body else ())})
        if self.is_stream:
            return {
                str(status): {"description": phrase(status), "content": EVENTS}
                for status in (200, *failures)
            }
        success: Schema = {"description": "Done."}
        if self.answer is not None:
            success["content"] = in_json(self.answer)
        if self.headers:
            success["headers"] = {
                name: {"description": told, "schema": STRING} for name, told in self.headers.items()
            }
        return (
            {"200": success}
            | {str(status): ref(failure_name(status), "responses") for status in failures}
            | {
                str(status): {"description": phrase(status), "content": in_json(schema)}
                for status, schema in self.other_answers.items()
            }
        )


def phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def failure_name(status: int) -> str:
    """The name of a failure among the components."""
    return phrase(status).replace(" ", "")
