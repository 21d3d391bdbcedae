"""Trying an endpoint from its page, alone or beside another one."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace

from django.db import connection
from django.http import Http404, HttpResponse
from django.shortcuts import render

from console.forms.chat import BESIDE, HERE, ChatForm
from console.forms.refusable import NOT_REFUSED, Refusal
from console.forms.try_it import TryForm
from console.forms.trying import try_form
from console.http import HtmxRequest, page, text_in, wants_fragment
from console.pages.conversation import Conversation
from console.pages.endpoint_page import playground
from console.pages.raw import Raw, answered_raw, refused_raw
from console.pages.results import Shown, WrittenShown, compare, show
from endpoints import calls
from endpoints.access import get_endpoint, require, visible_endpoints
from endpoints.api.views import default_timeout_s
from endpoints.known_models import facts_behind
from endpoints.models import Endpoint, User
from endpoints.permissions import Action
from inference.chat import ChatRequest, Message
from inference.errors import InferenceError
from inference.types import QUERY, InferenceRequest, InferenceResult, Ranking, Truncation

MARKED = "Nothing was sent. What is wrong is marked in the form."
NOT_TAKEN = "The endpoint does not take this. What is wrong is marked in the form."
MOST_OFFERED = 12


@dataclass(frozen=True)
class Side:
    """One of the endpoints that are tried at once. number: 1, or 2 for that beside it."""

    endpoint: Endpoint
    number: int = 1

    @property
    def suffix(self) -> str:
        """The end of the names of its fields."""
        return BESIDE if self.number == 2 else HERE


@dataclass(frozen=True)
class Outcome:
    """What came of one try: something to show, or why there is nothing.

    took_ms: what the caller waited. cut: what the model did not read to its end, in words.
    conversation: of a chat.
    """

    side: Side
    called: InferenceRequest | ChatRequest | None = None
    shown: Shown | None = None
    refusal: Refusal = NOT_REFUSED
    error: InferenceError | None = None
    took_ms: float = 0.0
    raw: Raw | None = None
    cut: tuple[str, ...] = ()
    conversation: Conversation | None = None

    @property
    def tokens_per_s(self) -> float | None:
        if not (isinstance(self.shown, WrittenShown) and self.shown.tokens and self.took_ms):
            return None
        return 1000 * self.shown.tokens.written / self.took_ms


@page("POST")
def endpoint_try(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.INFER)
    endpoint = get_endpoint(request.user, inference_id, to=Action.INFER)
    form = try_form(endpoint, request.user, request.POST, request.FILES)
    if form is None:
        raise Http404
    outcomes = tried(request.user, endpoint, form)
    called = outcomes[0].called
    if isinstance(form, ChatForm) and isinstance(outcomes[0].shown, WrittenShown):
        form = form.next_turn()
    context = playground(request, endpoint, form, called) | {
        "outcomes": outcomes,
        "called": called,
        "compared": compare(outcomes[0].shown, outcomes[-1].shown) if outcomes[1:] else None,
    }
    template = "endpoints/_outcome.html" if wants_fragment(request) else "endpoints/detail.html"
    return render(request, template, context)


@page("GET", "HEAD")
def endpoint_besides(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """What an endpoint can be compared with: others of its task, by a part of their names."""
    require(request.user, Action.INFER)
    endpoint = get_endpoint(request.user, inference_id, to=Action.INFER)
    query = text_in(request.GET, "beside")
    found = visible_endpoints(request.user).filter(task_type=endpoint.task_type)
    offered = found.exclude(pk=endpoint.pk).named_like(query).own_first()[:MOST_OFFERED]
    return render(request, "endpoints/_besides.html", {"offered": offered})


def tried(user: User, endpoint: Endpoint, form: TryForm) -> list[Outcome]:
    """What came of it, at the endpoint first and then at that beside it, both asked at once."""
    here = Side(endpoint)
    if not form.is_valid():
        return [Outcome(here, refusal=Refusal((MARKED,)), conversation=kept(form, here))]
    other = form.other
    if other is None:
        outcomes = [attempt(user, here, form)]
    else:
        with ThreadPoolExecutor(1) as pool:
            beside = pool.submit(copy_context().run, attempt_aside, user, Side(other, 2), form)
            outcomes = [attempt(user, here, form), beside.result()]
    if error := outcomes[0].error:
        outcomes[0] = replace(outcomes[0], refusal=noted(form, error))
    return outcomes


def noted(form: TryForm, error: InferenceError) -> Refusal:
    """What is left to say of a failure once the form says at its fields what it can."""
    form.note(error)
    return form.refusal if form.refusal.problems else Refusal((NOT_TAKEN,))


def attempt_aside(user: User, side: Side, form: TryForm) -> Outcome:
    """In a thread of its own, which leaves no connection to the database behind."""
    try:
        return attempt(user, side, form)
    finally:
        connection.close()


def attempt(user: User, side: Side, form: TryForm) -> Outcome:
    endpoint, call = side.endpoint, call_of(form, side)
    started = time.perf_counter()
    try:
        timeout_s = default_timeout_s(endpoint.task)
        result = calls.run_inference(endpoint, call, timeout_s, user, is_trial=True)
    except InferenceError as exc:
        return Outcome(
            side,
            call,
            refusal=Refusal.of(exc),
            error=exc,
            raw=refused_raw(endpoint, call, exc),
            conversation=kept(form, side),
        )
    took_ms = 1000 * (time.perf_counter() - started)
    facts = facts_behind(endpoint.service, endpoint.service_settings)
    shown = show(call, result, facts.unrelated_cosine if facts else None)
    conversation = None
    if isinstance(form, ChatForm) and isinstance(shown, WrittenShown):
        conversation = conversation_of(form, side, shown)
    return Outcome(
        side,
        call,
        shown,
        took_ms=took_ms,
        raw=answered_raw(endpoint, call, result),
        cut=told_cuts(call, result),
        conversation=conversation,
    )


def call_of(form: TryForm, side: Side) -> InferenceRequest | ChatRequest:
    return form.to_request_beside(side.endpoint) if side.number == 2 else form.to_request()


def conversation_of(form: ChatForm, side: Side, answer: WrittenShown) -> Conversation:
    before: list[Message] = form.cleaned_data[f"history{side.suffix}"]
    return Conversation.answered(before, form.said(side.suffix), answer)


def kept(form: TryForm, side: Side) -> Conversation | None:
    """What was said before, where what is said now came to nothing."""
    if not isinstance(form, ChatForm):
        return None
    return Conversation.before(form.cleaned_data.get(f"history{side.suffix}") or [])


def told_cuts(call: InferenceRequest | ChatRequest, result: InferenceResult) -> tuple[str, ...]:
    """What of the input the model did not read, in words."""
    if isinstance(call, ChatRequest):
        return ()
    kind = "Document" if isinstance(result, Ranking) else "Text"
    names = {str(number): f"{kind} {number + 1}" for number in range(len(call.input))}
    if len(call.input) == 1:
        names = {"0": f"The {kind.lower()}"}
    names[QUERY] = "The query"
    return tuple(told_cut(names[name], cut) for name, cut in result.truncated.items())


def told_cut(name: str, cut: Truncation) -> str:
    limit = "the model reads"
    if cut.lost_characters is None:
        limit = f"the {cut.read_tokens:,} tokens that the model reads"
    return f"{name} is longer than {limit}: {cut} at its end did not count."
