"""Request bodies that are checked by what they are for, and not by a schema."""

from typing import Any

from django.http import HttpRequest

from endpoints.api.media import read_json
from inference.errors import InvalidArgument
from inference.references.errors import InvalidPipeline

MAX_DEPTH = 100


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The body, an object that can be stored and told again.

    Raises MissingBody, MalformedBody, UnsupportedMediaType, InvalidPipeline or InvalidArgument.
    """
    _, body = read_json(request)
    if not isinstance(body, dict):
        raise InvalidPipeline("request body must be an object")
    check_storable(body)
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
