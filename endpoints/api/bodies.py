"""What holds for request bodies beside their schemas: they can be stored, and mean one thing."""

import json
from typing import Any

from django.http import HttpRequest

from endpoints.api.media import read_json
from inference.errors import InvalidArgument, MalformedBody, shown
from inference.references.errors import InvalidPipeline

MAX_DEPTH = 100


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The body, an object that can be stored and told again.

    Raises what `read_json` raises, InvalidPipeline or InvalidArgument.
    """
    raw, body = read_json(request)
    if not isinstance(body, dict):
        raise InvalidPipeline("request body must be an object")
    check_storable(body)
    check_unique(raw)
    return body


def check_storable(body: Any) -> None:
    """Refuse what a database or the writer of the answer could not take."""
    left = [(body, 1)]
    while left:
        value, depth = left.pop()
        if depth > MAX_DEPTH:
            raise InvalidArgument(f"the body is nested more than [{MAX_DEPTH}] levels deep")
        if isinstance(value, dict):
            left += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, list):
            left += [(inner, depth + 1) for inner in value]
        elif isinstance(value, str) and "\0" in value:
            raise InvalidArgument("a text must not contain the character U+0000")


def check_unique(raw: bytes) -> None:
    """Refuse an object that names a field twice: the last would win, and nobody would be told.

    raw: JSON that is known to be well-formed. Raises MalformedBody.
    """
    try:
        json.loads(raw, object_pairs_hook=unique_fields)
    except RecursionError:
        raise MalformedBody("the body is nested too deep") from None


def unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise MalformedBody(f"Duplicate field [{shown(name)}]")
        fields[name] = value
    return fields


def names_twice(raw: bytes, body: Any) -> bool:
    """Whether a field of the outermost object may be there twice: quick, and never wrongly no.

    A text that is spelled like the name of a field makes it a wrong yes. Names written with
    escapes are taken for others.
    """
    return isinstance(body, dict) and any(raw.count(f'"{name}"'.encode()) > 1 for name in body)
