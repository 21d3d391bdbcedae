"""Deleted endpoints: which there are, bringing them back, wiping one."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url

from console.forms.refusable import problems_of
from console.http import HtmxRequest, page, text_in
from console.pages.outcomes import Outcome, summed_up, to_outcomes
from console.working import working
from endpoints import deleted
from endpoints.access import Forbidden, may_with, require, visible_deleted
from endpoints.deleting_many import MOST_AT_ONCE
from endpoints.models import DeletedEndpoint
from endpoints.permissions import Action
from endpoints.references import References, visible_names
from endpoints.restoring import restore_endpoint
from endpoints.restoring_many import restore_many
from inference.errors import InferenceError, NotFound

PAGE_SIZE = 50
NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class Row:
    """is_taken: whether another endpoint has its id by now, so that nobody can restore it."""

    deleted: DeletedEndpoint
    uses: References
    is_taken: bool
    may_restore: bool


@page("GET", "HEAD")
def endpoint_deleted(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.DELETED_GET)
    query = text_in(request.GET)
    found = visible_deleted(request.user).select_related("team", "deleted_by")
    if query:
        found = found.filter(inference_id__icontains=query)
    shown = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    listed = list(shown.object_list)
    clusters, taken = visible_names(request.user), deleted.taken_ids(listed)
    rows = [
        Row(
            one,
            deleted.uses_of(one, clusters),
            is_taken := one.inference_id in taken,
            not is_taken and may_with(request.user, Action.RESTORE, one),
        )
        for one in listed
    ]
    context = {
        "query": query,
        "shown": shown,
        "rows": rows,
        "may_pick": sum(row.may_restore for row in rows) > 1,
        "restore_days": settings.RESTORE_DAYS,
        "shows_teams": len({one.team_id for one in listed} - {None}) > 1
        or working(request).has_choice,
    }
    return render(request, "endpoints/deleted.html", context)


@page("POST")
def endpoint_restore(request: HtmxRequest, number: int) -> HttpResponse:
    require(request.user, Action.RESTORE)
    found = deleted.get_deleted_by_pk(request.user, number, to=Action.RESTORE)
    try:
        endpoint = restore_endpoint(request.user, found)
    except (Forbidden, NotFound):
        raise
    except InferenceError as exc:
        for problem in problems_of(exc):
            messages.error(request, problem)
        return redirect("endpoint-deleted")
    messages.success(request, f"{endpoint.inference_id} is restored.")
    return redirect("endpoint-detail", endpoint.inference_id)


@page("POST")
def endpoint_restore_many(request: HtmxRequest) -> HttpResponse:
    """Restore those that are ticked, or all that were deleted together."""
    require(request.user, Action.RESTORE)
    sent = dict.fromkeys(request.POST.getlist("number"))
    numbers = [int(text) for text in sent if NUMBER.fullmatch(text)]
    if not 0 < len(numbers) <= MOST_AT_ONCE:
        how_many = "at least one endpoint" if not numbers else f"{MOST_AT_ONCE} endpoints at most"
        messages.error(request, f"Choose {how_many}. Nothing was restored.")
        return redirect("endpoint-deleted")
    results = restore_many(request.user, numbers)
    done = [one.inference_id for one in results if not one.error]
    if len(done) == len(results):
        what = f"{done[0]} is" if len(done) == 1 else f"{len(done)} endpoints are"
        messages.success(request, f"{what} restored.")
        return redirect("endpoint-list")
    outcomes = [
        Outcome(
            one.inference_id,
            "is not restored" if one.error else "is restored",
            problems_of(one.error) if one.error else (),
            "" if one.error else resolve_url("endpoint-detail", one.inference_id),
        )
        for one in results
        if one.inference_id
    ]
    heading = summed_up(len(done), len(results), "restored")
    told = "What is not restored stays under"
    return to_outcomes(request, heading, outcomes, told=told, gone=len(results) - len(outcomes))


@page("GET", "HEAD", "POST")
def endpoint_forget(request: HtmxRequest, number: int) -> HttpResponse:
    require(request.user, Action.DELETED_FORGET)
    found = deleted.get_deleted_by_pk(request.user, number, to=Action.DELETED_FORGET)
    if request.method == "POST":
        deleted.forget(found)
        messages.success(request, f"{found.inference_id} is deleted for good.")
        return redirect("endpoint-deleted")
    return render(request, "endpoints/forget.html", {"deleted": found})
