"""Streams as a caller reads them: server-sent events, each as soon as it is known."""

import logging
from collections.abc import Iterator
from typing import Any

from endpoints.api.errors import chat_error, envelope
from endpoints.api.media import write_json
from inference.errors import InferenceError

EVENT_STREAM = "text/event-stream"
# For proxies in between, which would else hold back what is small.
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
DONE = b"event: message\ndata: [DONE]\n\n"

logger = logging.getLogger(__name__)


def event(name: str, data: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), write_json(data, is_pretty=False))


def as_events(streaming: Iterator[dict[str, Any]], *, is_chat: bool) -> Iterator[bytes]:
    """Each thing that a stream tells, then its end; or the error that ends it, and nothing more."""
    try:
        for told in streaming:
            yield event("message", told)
    except InferenceError as exc:
        yield event("error", stream_error(exc, is_chat=is_chat))
        return
    except Exception:
        logger.exception("a stream ended in a fault of our own")
        failed = InferenceError("the stream ended in an internal error; the log says more")
        yield event("error", stream_error(failed, is_chat=is_chat))
        return
    yield DONE


def stream_error(exc: InferenceError, *, is_chat: bool) -> dict[str, Any]:
    if is_chat:
        return chat_error(exc)
    return envelope(exc.status, exc.type, str(exc), **exc.metadata)
