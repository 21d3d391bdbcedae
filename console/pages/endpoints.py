"""What is done to one endpoint: retry, delete."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.forms.endpoints import DeleteEndpointForm
from console.http import HtmxRequest, page, require_fresh
from endpoints import actions
from endpoints.access import get_endpoint, require
from endpoints.permissions import Action
from endpoints.references import references_to
from inference.errors import Conflict
from inference.services import find_service


@page("POST")
def endpoint_retry(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.PUT)
    actions.retry_endpoint(get_endpoint(request.user, inference_id, to=Action.PUT))
    return redirect("endpoint-detail", inference_id)


@page("GET", "HEAD", "POST")
def endpoint_delete(request: HtmxRequest, inference_id: str) -> HttpResponse:
    """Ask first. Where something may use the endpoint, its id must be written to delete it."""
    require(request.user, Action.DELETE)
    endpoint = get_endpoint(request.user, inference_id, to=Action.DELETE)
    references = references_to(request.user, inference_id)
    if references and not endpoint.is_preconfigured:
        require_fresh(request)
    form = DeleteEndpointForm(
        inference_id, request.POST if "inference_id" in request.POST else None
    )
    if request.method == "POST" and (form.is_valid() or not form.is_bound):
        try:
            # What is always there comes back at once, so nobody who uses it loses it.
            force = form.is_bound or endpoint.is_preconfigured
            actions.delete_endpoint(request.user, endpoint, force=force)
        except Conflict:
            references = references_to(request.user, inference_id)  # something uses it by now
        else:
            done = "is stopped and fresh" if endpoint.is_preconfigured else "is deleted"
            messages.success(request, f"{inference_id} {done}.")
            return redirect("endpoint-list")
    context = {
        "endpoint": endpoint,
        "service": find_service(endpoint.service),
        "references": references,
        "form": form,
    }
    return render(request, "endpoints/delete.html", context)
