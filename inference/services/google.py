"""What Google's services have in common."""

import orjson

from inference.services.refusals import as_text
from inference.types import InputType
from inference.upstream.errors import ProviderError
from inference.upstream.failures import UNSUCCESSFUL

# What its models for vectors call the types of inputs.
INPUT_TYPES = {
    InputType.INGEST: "RETRIEVAL_DOCUMENT",
    InputType.SEARCH: "RETRIEVAL_QUERY",
    InputType.CLASSIFICATION: "CLASSIFICATION",
    InputType.CLUSTERING: "CLUSTERING",
}


def google_categories(label: str) -> dict[int, str]:
    """What a service of this name calls statuses differently."""
    return {
        **dict.fromkeys((400, 401, 402, 413, 422), UNSUCCESSFUL),
        503: f"The {label} service may be temporarily overloaded or down",
    }


def google_error(body: bytes) -> ProviderError:
    """What a failure's body says; in a stream it may stand in a list."""
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ProviderError()
    sent = sent[0] if isinstance(sent, list) and sent else sent
    error = sent.get("error") if isinstance(sent, dict) else None
    if not isinstance(error, dict):
        return ProviderError()
    return ProviderError(
        as_text(error.get("message")) or "",
        code=as_text(error.get("code")),
        type=as_text(error.get("status")),
    )
