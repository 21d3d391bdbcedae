"""Deleting an endpoint: what it would come to, what could take its place, and doing it."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url

from console.forms.deletion import DeleteEndpointForm
from console.http import HtmxRequest, page, require_fresh, text_in, wants_fragment
from console.pages.parts import silent
from console.pages.undoing import kept_of, tell_deleted
from endpoints import actions, replacing
from endpoints.access import get_endpoint, require, visible_clusters
from endpoints.clusters import begin_scan, find_cluster
from endpoints.dry_run import DryRun, callers_of, dry_run
from endpoints.models import Endpoint
from endpoints.permissions import Action
from endpoints.replacing import Offer
from inference.errors import Conflict, InferenceError
from inference.services import find_service

USES_A_PAGE = 20
# Of a list that is longer than this, some can be looked for.
SEARCHED_FROM = 10
# In the address once the dry run is wanted: the page comes without it, so that it comes at once.
LOOK = "look"


@page("GET", "HEAD", "POST")
def endpoint_delete(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """Ask first. Where somebody may miss the endpoint, its id must be written to delete it."""
    require(request.user, Action.DELETE)
    endpoint = get_endpoint(request.user, inference_id, to=Action.DELETE)
    if request.method != "POST" and LOOK not in request.GET:
        return shown(request, {**facts_of(endpoint), "run": None})
    run = dry_run(request.user, endpoint)
    if run.references and not endpoint.is_preconfigured:
        require_fresh(request)
    is_sent = request.method == "POST"
    form = DeleteEndpointForm(inference_id, request.POST if is_sent and run.is_risky else None)
    if is_sent and (form.is_valid() or not form.is_bound):
        try:
            # What is always there comes back at once, so nobody who uses it loses it.
            force = form.is_bound or endpoint.is_preconfigured
            actions.delete_endpoint(request.user, endpoint, force=force)
        except Conflict:
            run = dry_run(request.user, endpoint)  # something uses it by now
        else:
            if endpoint.is_preconfigured:
                messages.success(request, f"{inference_id} is stopped and fresh.")
            else:
                tell_deleted(request, [inference_id], kept_of(request.user, [inference_id]))
            return redirect("endpoint-list")
    return shown(request, findings(request, run) | {"form": form})


def shown(request: HtmxRequest, context: dict[str, Any]) -> HttpResponse:
    is_fragment = wants_fragment(request)
    template = "endpoints/_delete.html" if is_fragment else "endpoints/delete.html"
    return render(request, template, {**context, "is_fragment": is_fragment and context["run"]})


def facts_of(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "endpoint": endpoint,
        "service": find_service(endpoint.service),
        "restore_days": settings.RESTORE_DAYS,
    }


def findings(request: HtmxRequest, run: DryRun) -> dict[str, Any]:
    """What the page tells of a dry run."""
    user, endpoint = request.user, run.endpoint
    query, caller_query = text_in(request.GET), text_in(request.GET, "caller")
    callers = callers_of(endpoint, caller_query)
    uses = [one for one in run.references.found if query.lower() in one.place.lower()]
    shown_uses = Paginator(uses, USES_A_PAGE).get_page(request.GET.get("page"))
    clusters = list(visible_clusters(user).select_related("team"))
    scanned_now = [cluster for cluster in clusters if cluster.is_being_scanned]
    context = facts_of(endpoint) | {
        "run": run,
        "query": query,
        "shown": shown_uses,
        "is_searched": len(run.references.found) > SEARCHED_FROM,
        "use_count": run.references.count,
        "clusters": clusters,
        "scanned_now": scanned_now,
        "silent_parts": silent({"worker"}) if scanned_now else [],
        "callers": callers,
        "caller_query": caller_query,
        "are_callers_searched": bool(caller_query) or len(callers) > SEARCHED_FROM,
    }
    if run.references.is_used or run.is_called_lately:
        offered = replacing.offers(user, endpoint)
        context |= {
            "offers": offered,
            "candidate_count": replacing.candidates(user, endpoint).count(),
            **chosen(request, endpoint),
        }
        if replacement := context.get("replacement"):
            context["changes"] = replacing.changes_for(
                user, list(shown_uses.object_list), endpoint, replacement.endpoint
            )
    return context


def chosen(request: HtmxRequest, endpoint: Endpoint) -> dict[str, Any]:
    """The replacement that the address names, or why it is none."""
    named = request.GET.get("replacement", "").strip()
    try:
        offer: Offer | None = (
            replacing.get_replacement(request.user, endpoint, named) if named else None
        )
    except InferenceError as exc:
        return {"replacement_named": named, "replacement_problem": str(exc)}
    return {"replacement_named": named, "replacement": offer}


@page("POST")
def endpoint_point_pipeline(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """Let a pipeline of this installation name the replacement."""
    require(request.user, Action.DELETE)
    endpoint = get_endpoint(request.user, inference_id, to=Action.DELETE)
    require(request.user, Action.PIPELINE_PUT)
    named, pipeline_id = (request.POST.get(name, "") for name in ("replacement", "pipeline"))
    try:
        offer = replacing.get_replacement(request.user, endpoint, named)
        replacing.point_pipeline(pipeline_id, endpoint, offer.endpoint)
    except InferenceError as exc:
        messages.error(request, f"The pipeline is as it was: {exc}.")
    else:
        messages.success(request, f"Pipeline {pipeline_id} names {named} from now on.")
    return back_to_findings(inference_id, replacement=named)


@page("POST")
def endpoint_delete_scan(request: HtmxRequest, inference_id: str, name: str) -> HttpResponse:
    """Have a cluster looked into again; the page goes on telling what is found meanwhile."""
    require(request.user, Action.DELETE)
    get_endpoint(request.user, inference_id, to=Action.DELETE)
    cluster = find_cluster(request.user, name, to=Action.CLUSTER_SCAN)
    with suppress(Conflict):  # somebody has begun it already, which the page tells
        begin_scan(cluster)
    kept = {name: request.POST.get(name, "") for name in ("q", "caller", "replacement")}
    return back_to_findings(inference_id, **kept)


def back_to_findings(inference_id: str, **query: str) -> HttpResponse:
    asked = urlencode({LOOK: 1, **{name: value for name, value in query.items() if value}})
    return redirect(f"{resolve_url('endpoint-delete', inference_id)}?{asked}")
