"""The cache of an endpoint, on the page of its settings: switch it, empty it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from console.forms.cache import CacheForm
from console.http import HtmxRequest, page
from endpoints import caching
from endpoints.access import get_endpoint, require
from endpoints.permissions import Action
from inference.errors import InferenceError


@page("POST")
def cache_switch(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.CACHE_PUT)
    endpoint = get_endpoint(request.user, inference_id, to=Action.CACHE_PUT)
    form = CacheForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed: the page did not say whether on or off.")
        return redirect("endpoint-settings", inference_id)
    try:
        caching.switch(endpoint, is_on=form.is_on)
    except InferenceError as exc:
        messages.error(request, str(exc))
    else:
        state = "answered from memory where it can be" if form.is_on else "no longer cached"
        messages.success(request, f"{inference_id} is {state}.")
    return redirect("endpoint-settings", inference_id)


@page("POST")
def cache_purge(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.CACHE_PURGE)
    caching.purge(get_endpoint(request.user, inference_id, to=Action.CACHE_PURGE))
    messages.success(request, f"The cache of {inference_id} is empty.")
    return redirect("endpoint-settings", inference_id)
