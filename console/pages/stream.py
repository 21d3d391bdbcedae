"""Trying an endpoint whose answer is shown while it is being written."""

import logging
import time
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.http import Http404, StreamingHttpResponse
from django.template.loader import render_to_string

from console.forms.refusable import Refusal
from console.forms.try_it import try_form
from console.http import HtmxRequest, page
from console.pages.endpoint_page import can_stream, samples_of
from console.pages.results import Tokens, ending, tokens_in
from console.pages.try_it import TIMEOUT_S, refusal_of
from endpoints import calls
from endpoints.access import get_endpoint, require
from endpoints.api.sse import EVENT_STREAM, event
from endpoints.models import Endpoint, User
from endpoints.permissions import Action
from inference.chat import ChatRequest
from inference.errors import InferenceError
from inference.types import InferenceRequest

logger = logging.getLogger(__name__)
BROKEN = "Something went wrong on the server; its log says what."


@page("POST")
def endpoint_stream(request: HtmxRequest, inference_id: str) -> StreamingHttpResponse:
    """Events for static/js/stream.js: `text` to append, and `show` with the markup of a place."""
    require(request.user, Action.INFER)
    endpoint = get_endpoint(request.user, inference_id, to=Action.INFER)
    form = try_form(endpoint, request.POST)
    if form is None or not can_stream(endpoint):
        raise Http404
    if form.is_valid():
        call = form.to_request()
        events = answered(request.user, endpoint, call, samples(request, endpoint, call))
    else:
        events = iter([refused(refusal_of(form))])
    # The thread is the stream's for as long as it lasts; the database is not.
    if not connection.in_atomic_block:
        connection.close()
    return StreamingHttpResponse(events, content_type=EVENT_STREAM)


def answered(
    user: User, endpoint: Endpoint, call: InferenceRequest | ChatRequest, code: bytes
) -> Iterator[bytes]:
    """What the model writes, then what is to be said of it. code: the call, for programs."""
    yield code
    started = time.perf_counter()
    first_ms: float | None = None
    tokens: Tokens | None = None
    ended = ""
    try:
        for chunk in calls.stream_inference(endpoint, call, TIMEOUT_S, user):
            if written := written_in(chunk):
                if first_ms is None:
                    first_ms = since(started)
                    yield facts(first_ms=first_ms)
                yield event("text", {"text": written})
            tokens = tokens_in(chunk.get("usage")) or tokens
            ended = ended_by(chunk) or ended
    except InferenceError as exc:
        yield refused(Refusal.of(exc))
        return
    except Exception:
        logger.exception("a stream ended in a fault of our own")
        yield refused(Refusal((BROKEN,)))
        return
    yield facts(first_ms=first_ms, took_ms=since(started), tokens=tokens, ended=ended)


def written_in(chunk: dict[str, Any]) -> str:
    """The text in one chunk of a completion or a chat."""
    deltas = [row.get("delta") or "" for row in chunk.get("completion") or ()]
    for choice in chunk.get("choices") or ():
        deltas.append((choice.get("delta") or {}).get("content") or "")
    return "".join(deltas)


def ended_by(chunk: dict[str, Any]) -> str:
    return "".join(ending(choice.get("finish_reason")) for choice in chunk.get("choices") or ())


def since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


def facts(**known: Any) -> bytes:
    return shown("answer-facts", "endpoints/_text_facts.html", known)


def refused(refusal: Refusal) -> bytes:
    return shown("answer-problem", "_explained.html", {"refusal": refusal})


def samples(
    request: HtmxRequest, endpoint: Endpoint, call: InferenceRequest | ChatRequest
) -> bytes:
    code = samples_of(request, endpoint, call)
    return shown("samples", "endpoints/_samples.html", {"samples": code})


def shown(place: str, template: str, context: dict[str, Any]) -> bytes:
    """place: the id of the element that gets the markup."""
    return event("show", {"place": place, "html": render_to_string(template, context)})
