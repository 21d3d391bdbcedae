"""The audit log: find entries, look at one, take them along."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url

from console.forms.audit import AuditForm
from console.http import HtmxRequest, page, require_fresh, wants_fragment
from console.pages.history import number_in
from endpoints import attempts
from endpoints.access import require
from endpoints.api.audit import download
from endpoints.history import (
    FILTERS,
    FORMS,
    Search,
    Window,
    differences,
    export,
    seen_lately,
    visible_entries,
    window,
)
from endpoints.permissions import Action
from inference.errors import InvalidArgument

PAGE_SIZE = 50


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
