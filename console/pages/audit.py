"""The audit log: find entries, look at one, take them along; and what happened to an endpoint."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url

from console.forms.audit import AuditForm
from console.http import HtmxRequest, page, require_fresh, wants_fragment
from console.pages.endpoint_page import HISTORY, show
from endpoints import attempts
from endpoints.access import get_endpoint, may_with, require
from endpoints.api.audit import download
from endpoints.history import (
    FILTERS,
    FORMS,
    Difference,
    Search,
    Window,
    differences,
    export,
    history_of,
    history_of_model,
    is_told_all,
    seen_lately,
    visible_entries,
    window,
)
from endpoints.models import AuditEntry, Endpoint, TrainedModel, User
from endpoints.permissions import Action
from inference.errors import InvalidArgument

PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    entry: AuditEntry
    differences: list[Difference]


@dataclass(frozen=True)
class History:
    """is_told_all: whether it is shown from where and with which key something was changed."""

    rows: list[Row]
    next_before: int | None
    is_told_all: bool


@page("GET", "HEAD")
def audit_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.AUDIT_GET)
    given = {name: value for name in FILTERS if (value := request.GET.get(name, "").strip())}
    # What happened a moment ago is to be seen by who looks now.
    attempts.waiting.write(everything=True)
    entries = visible_entries(request.user)
    context: dict[str, Any] = {
        "query": given.get("q", ""),
        "filters": urlencode(given),
        "before": number_in(request),
        "kept_days": settings.AUDIT_DAYS,
    }
    try:
        search = Search.of(given)
    except InvalidArgument as exc:
        context |= {"problem": str(exc), "shown": Window([], None)}
    else:
        context["shown"] = window(entries, search, PAGE_SIZE, context["before"])
    if wants_fragment(request):
        return render(request, "audit/_entries.html", context)
    context |= {"form": AuditForm(initial=given, auto_id="%s"), "seen": seen_lately(entries)}
    return render(request, "audit/list.html", context)


@page("GET", "HEAD")
def audit_entry(request: HtmxRequest, number: int) -> HttpResponse:
    require(request.user, Action.AUDIT_GET)
    entry = visible_entries(request.user).filter(number=number).first()
    if entry is None:
        raise Http404
    context = {"entry": entry, "differences": differences(entry)}
    return render(request, "audit/detail.html", context)


@page("GET")
def audit_export(request: HtmxRequest, form: str) -> HttpResponseBase:
    require(request.user, Action.AUDIT_GET)
    if form not in FORMS:
        raise Http404
    # Back to the entries, from where to take them along: a download leads to no page.
    require_fresh(request, f"{resolve_url('audit-list')}?{request.GET.urlencode()}")
    try:
        search = Search.of(request.GET.dict())
    except InvalidArgument as exc:
        return HttpResponse(str(exc), status=exc.status, content_type="text/plain")
    return download(export(request.user, search, form), form)


@page("GET", "HEAD")
def endpoint_history(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.GET)
    endpoint = get_endpoint(request.user, inference_id)
    before = number_in(request)
    told = history(request.user, endpoint, PAGE_SIZE, before)
    return show(request, endpoint, HISTORY, history=told, before=before)


def history(user: User, endpoint: Endpoint, size: int, before: int | None = None) -> History:
    """The newest of what happened to an endpoint that somebody sees."""
    shown = window(history_of(user, endpoint), Search(), size, before)
    rows = [Row(entry, differences(entry)) for entry in shown.entries]
    return History(rows, shown.next_before, is_told_all(user, endpoint))


def model_history(user: User, model: TrainedModel, size: int) -> History:
    """The newest of what happened to a model that somebody sees."""
    shown = window(history_of_model(user, model), Search(), size)
    rows = [Row(entry, differences(entry)) for entry in shown.entries]
    return History(rows, shown.next_before, may_with(user, Action.MODEL_PUT, model))


def number_in(request: HtmxRequest) -> int | None:
    """The number that the older entries come before; None for the newest."""
    text = request.GET.get("before", "")
    is_number = text.isascii() and text.isdigit() and len(text) <= 18
    return int(text) if is_number else None
