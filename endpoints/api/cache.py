"""The cache of an endpoint: how it does, switch it, empty it. Not of Elasticsearch's API."""

from django.http import HttpResponse
from pydantic import StrictBool

from endpoints import caching
from endpoints.access import get_endpoint, require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import Body, parse
from endpoints.permissions import Action


class CacheBody(Body):
    enabled: StrictBool


class CacheView(ElasticView):
    def get(self, request: UserRequest, inference_id: str) -> HttpResponse:
        require(request.user, Action.CACHE_GET)
        self.params(request)
        endpoint = get_endpoint(request.user, inference_id, to=Action.CACHE_GET)
        return self.answer(caching.state_of(endpoint).to_response())

    def put(self, request: UserRequest, inference_id: str) -> HttpResponse:
        require(request.user, Action.CACHE_PUT)
        self.params(request)
        body = parse(CacheBody, request)
        endpoint = get_endpoint(request.user, inference_id, to=Action.CACHE_PUT)
        caching.switch(endpoint, is_on=body.enabled)
        return self.answer({"acknowledged": True, "enabled": body.enabled})

    def delete(self, request: UserRequest, inference_id: str) -> HttpResponse:
        """Purge. The endpoint goes on being cached, or not."""
        require(request.user, Action.CACHE_PURGE)
        self.params(request)
        caching.purge(get_endpoint(request.user, inference_id, to=Action.CACHE_PURGE))
        return self.answer({"acknowledged": True})
