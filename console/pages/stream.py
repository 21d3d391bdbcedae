"""Trying an endpoint whose answer is shown while it is being written."""

import logging
import time
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.http import Http404, StreamingHttpResponse
from django.template.loader import render_to_string

from console.forms.chat import ChatForm
from console.forms.refusable import Refusal
from console.forms.try_it import TryForm
from console.forms.trying import try_form
from console.http import HtmxRequest, page
from console.pages.conversation import Conversation
from console.pages.endpoint_page import can_stream, samples_of
from console.pages.raw import Raw, refused_raw, streamed_raw
from console.pages.results import Writing
from console.pages.try_it import MARKED, Side, call_of, conversation_of, noted
from endpoints import calls
from endpoints.access import get_endpoint, require
from endpoints.api.errors import chat_error, envelope
from endpoints.api.sse import DONE, EVENT_STREAM, UNBUFFERED, event
from endpoints.api.views import default_timeout_s
from endpoints.models import User
from endpoints.permissions import Action
from inference.chat import ChatRequest
from inference.errors import InferenceError
from inference.types import InferenceRequest

logger = logging.getLogger(__name__)
BROKEN = "Something went wrong on the server; its log says what."
# What is shown of a stream as the API sends it; nobody reads more.
MOST_RAW_BYTES = 200_000
# A rate that is measured over less than this says nothing.
LEAST_MS = 20.0


@page("POST")
def endpoint_stream(request: HtmxRequest, inference_id: str) -> StreamingHttpResponse:
    """Events for static/js/stream.js: what is to be shown of one of the sides that are tried.

    `text` is to be appended, `raw` too, and `show` brings the markup of a place.
    """
    require(request.user, Action.INFER)
    endpoint = get_endpoint(request.user, inference_id, to=Action.INFER)
    form = try_form(endpoint, request.user, request.POST)
    if form is None or not can_stream(endpoint):
        raise Http404
    side: Side | None = Side(endpoint)
    if request.POST.get("side") == "2":
        other = form.other if form.is_valid() else endpoint
        side = Side(other, 2) if other else None
    if side is None:
        raise Http404
    events = marked(form, side)
    if form.is_valid():
        call = call_of(form, side)
        events = answered(request.user, side, form, call)
        if side.number == 1:
            code = {"samples": samples_of(request, endpoint, call)}
            events = chained(shown("samples", "endpoints/_samples.html", code), events)
    # The thread is the stream's for as long as it lasts; the database is not.
    if not connection.in_atomic_block:
        connection.close()
    return StreamingHttpResponse(events, content_type=EVENT_STREAM, headers=UNBUFFERED)


def chained(first: bytes, events: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from events


def marked(form: TryForm, side: Side) -> Iterator[bytes]:
    """What is wrong with what was written, at its fields."""
    if side.number == 1:
        yield fields_of(form)
    yield refused(Refusal((MARKED,)))


def failed(form: TryForm, side: Side, exc: InferenceError) -> Iterator[bytes]:
    """Why there is no answer, or no more of it; the form is about the first side alone."""
    refusal = noted(form, exc) if side.number == 1 else Refusal.of(exc)
    if side.number == 1 and form.errors:
        yield fields_of(form)
    yield refused(refusal)


def fields_of(form: TryForm) -> bytes:
    return shown("try-fields", "endpoints/_try_fields.html", {"form": form})


def answered(
    user: User, side: Side, form: TryForm, call: InferenceRequest | ChatRequest
) -> Iterator[bytes]:
    """What the model writes, then what is to be said of it."""
    yield from begun(form, side)
    endpoint, writing = side.endpoint, Writing()
    started, first_ms, raw_bytes = time.perf_counter(), None, 0
    try:
        for chunk in chunks_of(user, side, call):
            if raw_bytes == 0:
                yield raw_shown(side, streamed_raw(endpoint, call))
            new, sent = writing.take(chunk), event("message", chunk).decode()
            raw_bytes += len(sent)
            told = {"raw": sent if raw_bytes < MOST_RAW_BYTES else ""}
            if first_ms is None and (new or writing.shown.calls):
                first_ms = since(started)
                yield facts(first_ms=first_ms)
            yield event("text", told | {"text": new}) if new else event("raw", told)
        yield event("raw", {"raw": DONE.decode()})
    except InferenceError as exc:
        if raw_bytes == 0:
            yield raw_shown(side, refused_raw(endpoint, call, exc))
        else:
            yield event("raw", {"raw": raw_error(call, exc)})
        yield from failed(form, side, exc)
    except Exception:
        logger.exception("a stream ended in a fault of our own")
        yield refused(Refusal((BROKEN,)))
    took_ms = since(started)
    yield from ended(form, side, writing)
    if writing.shown.text or writing.shown.calls:
        yield facts(
            first_ms=first_ms,
            took_ms=took_ms,
            tokens=writing.shown.tokens,
            ended=writing.shown.ended,
            tokens_per_s=rate(writing, first_ms or 0.0, took_ms),
        )


def chunks_of(
    user: User, side: Side, call: InferenceRequest | ChatRequest
) -> Iterator[dict[str, Any]]:
    """What the endpoint tells, piece by piece; all at once where it cannot do that."""
    endpoint = side.endpoint
    timeout_s = default_timeout_s(endpoint.task)
    if can_stream(endpoint):
        yield from calls.stream_inference(endpoint, call, timeout_s, user, is_trial=True)
    else:
        result = calls.run_inference(endpoint, call, timeout_s, user, is_trial=True)
        yield result.to_response()


def begun(form: TryForm, side: Side) -> Iterator[bytes]:
    """A chat shows at once what is said."""
    if isinstance(form, ChatForm):
        before = form.cleaned_data[f"history{side.suffix}"]
        yield talk(side, Conversation.begun(before, form.said(side.suffix)))


def ended(form: TryForm, side: Side, writing: Writing) -> Iterator[bytes]:
    """A chat goes on from what was answered, be it only a part, or from where it was."""
    if isinstance(form, ChatForm):
        yield talk(side, conversation_of(form, side, writing.shown))


def talk(side: Side, conversation: Conversation) -> bytes:
    context = {"number": side.number, "suffix": side.suffix, "conversation": conversation}
    return shown("conversation", "endpoints/_conversation.html", context)


def rate(writing: Writing, first_ms: float, took_ms: float) -> float | None:
    """Tokens a second, from the first one on."""
    tokens, writing_ms = writing.shown.tokens, took_ms - first_ms
    if tokens is None or writing_ms < LEAST_MS:
        return None
    return 1000 * tokens.written / writing_ms


def since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


def raw_error(call: InferenceRequest | ChatRequest, exc: InferenceError) -> str:
    if isinstance(call, ChatRequest):
        return event("error", chat_error(exc)).decode()
    return event("error", envelope(exc.status, exc.type, str(exc), **exc.metadata)).decode()


def raw_shown(side: Side, raw: Raw) -> bytes:
    return shown("answer-raw", "endpoints/_raw.html", {"number": side.number, "raw": raw})


def facts(**known: Any) -> bytes:
    return shown("answer-facts", "endpoints/_text_facts.html", known)


def refused(refusal: Refusal) -> bytes:
    return shown("answer-problem", "_explained.html", {"refusal": refusal})


def shown(place: str, template: str, context: dict[str, Any]) -> bytes:
    """place: the name of the place, or the id of the element, that gets the markup."""
    return event("show", {"place": place, "html": render_to_string(template, context)})
