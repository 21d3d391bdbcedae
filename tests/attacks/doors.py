"""Every address that the console answers at."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

PLACE = re.compile(r"<(?:(\w+):)?\w+>")


def routes(found: Any = None, before: str = "/") -> Iterator[str]:
    """As the tables of addresses write them, with a place for each id."""
    for one in found or get_resolver().url_patterns:
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, before + str(one.pattern))
        elif isinstance(one, URLPattern):
            yield before + str(one.pattern)


def filled(route: str, text: str) -> str:
    """A route with the same text in all of its places, but for numbers."""
    return PLACE.sub(lambda place: "7" if place[1] == "int" else text, route)
