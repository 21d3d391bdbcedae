"""Deleted endpoints: which there are, bringing one back, wiping one."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.forms.refusable import Refusal
from console.http import HtmxRequest, page
from console.working import working
from endpoints import deleted
from endpoints.access import Forbidden, require, visible_deleted
from endpoints.models import DeletedEndpoint
from endpoints.permissions import Action
from endpoints.references import References, visible_names
from endpoints.restoring import restore_endpoint
from inference.errors import InferenceError, NotFound

PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    """is_taken: whether another endpoint has its id by now."""

    deleted: DeletedEndpoint
    uses: References
    is_taken: bool


@page("GET", "HEAD")
def endpoint_deleted(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.DELETED_GET)
    query = request.GET.get("q", "").replace("\0", "").strip()
    found = visible_deleted(request.user).select_related("team", "deleted_by")
    if query:
        found = found.filter(inference_id__icontains=query)
    shown = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    listed = list(shown.object_list)
    clusters, taken = visible_names(request.user), deleted.taken_ids(listed)
    rows = [Row(one, deleted.uses_of(one, clusters), one.inference_id in taken) for one in listed]
    context = {
        "query": query,
        "shown": shown,
        "rows": rows,
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
        for problem in Refusal.of(exc).problems:
            messages.error(request, problem)
        return redirect("endpoint-deleted")
    messages.success(request, f"{endpoint.inference_id} is restored.")
    return redirect("endpoint-detail", endpoint.inference_id)


@page("GET", "HEAD", "POST")
def endpoint_forget(request: HtmxRequest, number: int) -> HttpResponse:
    require(request.user, Action.DELETED_FORGET)
    found = deleted.get_deleted_by_pk(request.user, number, to=Action.DELETED_FORGET)
    if request.method == "POST":
        deleted.forget(found)
        messages.success(request, f"{found.inference_id} is deleted for good.")
        return redirect("endpoint-deleted")
    return render(request, "endpoints/forget.html", {"deleted": found})
