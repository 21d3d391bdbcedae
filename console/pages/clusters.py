"""The connected clusters: list, connect, look at, scan, edit, remove."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.forms.clusters import ConnectForm, ConnectionForm
from console.http import HtmxRequest, page, wants_fragment
from console.pages.parts import silent
from endpoints.access import require, visible_clusters, visible_endpoints
from endpoints.clusters import (
    change_cluster,
    connect_cluster,
    find_cluster,
    remove_cluster,
    scan_now,
)
from endpoints.models import ClusterReference, ScanState
from endpoints.permissions import Action
from endpoints.team_access import teams_where
from inference.errors import Conflict, InferenceError, NotFound

PAGE_SIZE = 50
SCAN_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Row:
    """is_here: whether there is an endpoint of the id that is named."""

    reference: ClusterReference
    is_here: bool


@page("GET", "HEAD")
def cluster_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.CLUSTER_GET)
    clusters = visible_clusters(request.user).annotate(reference_count=Count("references"))
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
            return redirect("cluster-detail", cluster.name)
    return render(request, "clusters/form.html", {"form": form})


@page("GET", "HEAD")
def cluster_detail(request: HtmxRequest, name: str) -> HttpResponse:
    require(request.user, Action.CLUSTER_GET)
    cluster = find_cluster(request.user, name)
    shown = Paginator(cluster.references.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    named = {reference.inference_id for reference in shown.object_list}
    here = set(
        visible_endpoints(request.user)
        .filter(inference_id__in=named)
        .values_list("inference_id", flat=True)
    )
    is_waiting = cluster.state == ScanState.WAITING
    context = {
        "cluster": cluster,
        "shown": shown,
        "rows": [Row(one, one.inference_id in here) for one in shown.object_list],
        "is_waiting": is_waiting,
        "silent_parts": silent({"worker"}) if is_waiting else [],
    }
    template = "clusters/_overview.html" if wants_fragment(request) else "clusters/detail.html"
    return render(request, template, context)


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
    try:
        cluster = scan_now(cluster, SCAN_TIMEOUT_S)
    except Conflict:
        messages.warning(request, f"{name} is being scanned already.")
    else:
        if cluster.doubt:
            messages.error(request, f"The scan failed: {cluster.doubt}.")
        else:
            messages.success(request, f"{name} is scanned.")
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
