"""The connected clusters: list, connect, look at, scan, edit, remove."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.forms.clusters import ConnectForm, ConnectionForm
from console.http import HtmxRequest, page, wants_fragment
from console.pages.parts import silent
from console.pages.referring import Asked
from endpoints.access import require, visible_clusters, visible_endpoints
from endpoints.clusters import (
    begin_scan,
    change_cluster,
    connect_cluster,
    find_cluster,
    remove_cluster,
)
from endpoints.models import ClusterReference, ScanState
from endpoints.named import Named, known_to
from endpoints.permissions import Action
from endpoints.team_access import teams_where
from inference.errors import Conflict, InferenceError, NotFound
from inference.references.cluster import Kind

PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    """named: what stands here behind the id that is named there."""

    reference: ClusterReference
    named: Named


@page("GET", "HEAD")
def cluster_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.CLUSTER_GET)
    here = visible_endpoints(request.user).values("inference_id")
    clusters = visible_clusters(request.user).annotate(
        reference_count=Count("references"),
        missing_count=Count("references", filter=~Q(references__inference_id__in=here)),
    )
    return render(request, "clusters/list.html", {"clusters": clusters})


@page("GET", "HEAD", "POST")
def cluster_connect(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.CLUSTER_PUT)
    form = ConnectForm(teams_where(request.user, Action.CLUSTER_PUT), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            cluster = connect_cluster(
                request.user, form.cleaned_data["name"], form.connection, team=form.team
            )
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{cluster.name} is connected. Its first scan follows.")
            return redirect("cluster-detail", cluster.name)
    return render(request, "clusters/form.html", {"form": form})


@page("GET", "HEAD")
def cluster_detail(request: HtmxRequest, name: str) -> HttpResponse:
    require(request.user, Action.CLUSTER_GET)
    cluster = find_cluster(request.user, name)
    asked = Asked.of(request)
    found = cluster.references.all()
    if asked.query:
        found = found.filter(
            Q(name__icontains=asked.query) | Q(inference_id__icontains=asked.query)
        )
    if asked.is_of_missing:
        here = visible_endpoints(request.user).values("inference_id")
        found = found.exclude(inference_id__in=here)
    shown = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    is_waiting = cluster.state == ScanState.WAITING
    is_awaited = is_waiting or cluster.is_being_scanned
    context = {
        "cluster": cluster,
        "asked": asked,
        "shown": shown,
        "rows": rows_of(request, shown.object_list),
        "is_waiting": is_waiting,
        "is_awaited": is_awaited,
        "scan_minutes": max(round(settings.CLUSTER_SCAN_S / 60), 1),
        "silent_parts": silent({"worker"}) if is_awaited else [],
    }
    template = "clusters/_overview.html" if wants_fragment(request) else "clusters/detail.html"
    return render(request, template, context)


def rows_of(request: HtmxRequest, references: Iterable[ClusterReference]) -> list[Row]:
    known = {
        kind: known_to(
            request.user, {one.inference_id for one in references if one.kind == kind}, kind
        )
        for kind in Kind
    }
    return [
        Row(one, known[Kind(one.kind)].named(one.inference_id, Kind(one.kind)))
        for one in references
    ]


@page("GET", "HEAD", "POST")
def cluster_edit(request: HtmxRequest, name: str) -> HttpResponse:
    require(request.user, Action.CLUSTER_PUT)
    cluster = find_cluster(request.user, name, to=Action.CLUSTER_PUT)
    form = ConnectionForm.of(cluster, request.POST or None)
    if request.method == "POST" and form.is_valid():
        keep_api_key = not form.cleaned_data["api_key"]
        try:
            change_cluster(cluster, form.connection, keep_api_key=keep_api_key)
        except NotFound:
            raise
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{name} is changed.")
            return redirect("cluster-detail", name)
    return render(request, "clusters/form.html", {"form": form, "cluster": cluster})


@page("POST")
def cluster_scan(request: HtmxRequest, name: str) -> HttpResponse:
    require(request.user, Action.CLUSTER_SCAN)
    cluster = find_cluster(request.user, name, to=Action.CLUSTER_SCAN)
    with suppress(Conflict):  # somebody has begun it already, which the page tells
        begin_scan(cluster)
    return redirect("cluster-detail", name)


@page("GET", "HEAD", "POST", fresh=True)
def cluster_remove(request: HtmxRequest, name: str) -> HttpResponse:
    require(request.user, Action.CLUSTER_DELETE)
    cluster = find_cluster(request.user, name, to=Action.CLUSTER_DELETE)
    if request.method == "POST":
        remove_cluster(cluster)
        messages.success(request, f"{name} is removed.")
        return redirect("cluster-list")
    return render(request, "clusters/remove.html", {"cluster": cluster})
