"""Sharing an endpoint, taking it back, and giving the endpoint to another team."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from console.forms.teams import MoveForm, ShareForm
from console.http import HtmxRequest, page
from console.pages.endpoint_page import SHARING, show
from console.pages.sharing import sharing_card
from endpoints import sharing
from endpoints.access import get_endpoint, require_sight
from endpoints.permissions import Action
from endpoints.teams import owners_for, team_to_own
from inference.errors import InferenceError


@page("GET", "HEAD")
def endpoint_sharing(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require_sight(request.user, Action.GET, Action.SHARE_GET)
    endpoint = get_endpoint(request.user, inference_id, to=Action.SHARE_GET)
    card = sharing_card(request.user, endpoint)
    if card is None:  # it is everybody's
        raise Http404
    return show(request, endpoint, SHARING, sharing=card)


@page("POST")
def endpoint_share(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """Share it, or let those that it is shared with do more or less."""
    require_sight(request.user, Action.GET, Action.SHARE_PUT)
    endpoint = get_endpoint(request.user, inference_id, to=Action.SHARE_PUT)
    form = ShareForm(request.POST)
    if form.is_valid():
        try:
            others = sharing.team_to_share_with(form.whom)
            sharing.share(endpoint, others, sharing.check_level(form.cleaned_data["level"]))
        except InferenceError as exc:
            form.note(exc)
        else:
            whom = f"team {others.name}" if others else "everyone"
            messages.success(request, f"{inference_id} is shared with {whom}.")
            return redirect("endpoint-sharing", inference_id)
    return show(request, endpoint, SHARING, sharing=sharing_card(request.user, endpoint, form))


@page("GET", "HEAD", "POST")
def endpoint_unshare(request: HtmxRequest, inference_id: str, team: str) -> HttpResponse:
    require_sight(request.user, Action.GET, Action.SHARE_DELETE)
    endpoint = get_endpoint(request.user, inference_id, to=Action.SHARE_DELETE)
    share = sharing.get_share(endpoint, team)
    if request.method == "POST":
        sharing.unshare(endpoint, share.team)
        whom = f"team {share.team.name}" if share.team else "everyone"
        messages.success(request, f"{inference_id} is no longer shared with {whom}.")
        return redirect("endpoint-sharing", inference_id)
    return render(request, "endpoints/unshare.html", {"endpoint": endpoint, "share": share})


@page("GET", "HEAD", "POST", fresh=True)
def endpoint_move(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """Ask first, and to which team it goes."""
    require_sight(request.user, Action.GET, Action.ENDPOINT_MOVE)
    endpoint = get_endpoint(request.user, inference_id, to=Action.ENDPOINT_MOVE)
    owner = endpoint.team.name if endpoint.team else ""
    others = [name for name in owners_for(request.user, Action.PUT).names if name != owner]
    form = MoveForm(others, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            team = team_to_own(request.user, Action.PUT, form.cleaned_data["team"])
            sharing.move_endpoint(endpoint, team)
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{inference_id} belongs to team {team.name} now.")
            return redirect("endpoint-detail", inference_id)
    context = {"endpoint": endpoint, "form": form, "others": others}
    return render(request, "endpoints/move.html", context)
