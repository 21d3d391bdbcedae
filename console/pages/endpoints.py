"""What is done to one endpoint."""

from django.http import HttpResponse
from django.shortcuts import redirect

from console.http import HtmxRequest, page
from endpoints import actions
from endpoints.access import get_endpoint, require
from endpoints.permissions import Action


@page("POST")
def endpoint_retry(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.PUT)
    actions.retry_endpoint(get_endpoint(request.user, inference_id, to=Action.PUT))
    return redirect("endpoint-detail", inference_id)
