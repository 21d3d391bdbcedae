"""The API described for programs: an OpenAPI document, written beside the views and not in them.

Nothing of it is in the way of a call: what makes the document is imported when it is asked for.
"""

from functools import cache
from typing import Any


@cache
def document() -> dict[str, Any]:
    """The document of this API; the same as long as the process lives."""
    from endpoints.api.openapi.generator import Generator

    return Generator().get_schema()
