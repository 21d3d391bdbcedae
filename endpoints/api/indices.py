"""The routes of indices and their mappings."""

import re
from typing import Any

from django.http import HttpResponse

from endpoints import indices
from endpoints.access import require
from endpoints.api.bodies import read_object
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.params import Params
from endpoints.api.views import UnknownRouteView
from endpoints.permissions import Action
from inference.errors import InvalidArgument
from inference.references.errors import IndexNotFound

LOOKUP = ("ignore_unavailable", "allow_no_indices", "expand_wildcards")
SHOWING = (*LOOKUP, "features", "flat_settings", "include_defaults", "local")
EXPANDABLE = ("all", "open", "closed", "hidden", "none")
ACKNOWLEDGED = {"acknowledged": True}


def lookup(params: Params, *, allow_no_indices: bool = True) -> indices.Options:
    """How the query parameters want names to be looked up."""
    wildcards = params.text("expand_wildcards", "open").split(",")
    for state in wildcards:
        if state not in EXPANDABLE:
            raise InvalidArgument(f"No valid expand wildcard value [{state}]")
    if params.text("allow_no_indices", None) is not None:
        allow_no_indices = params.flag("allow_no_indices")
    return indices.Options(
        ignore_unavailable=params.flag("ignore_unavailable"),
        allow_no_indices=allow_no_indices,
        expands="none" not in wildcards,
    )


class IndexView(ElasticView):
    def get(self, request: UserRequest, index: str) -> HttpResponse:
        require(request.user, Action.INDEX_GET, *indices.names_in(index))
        params = self.params(request, *SHOWING)
        found = indices.find(index, lookup(params))
        return self.answer(
            {one.name: one.to_response(is_human=self.shape.is_human) for one in found}
        )

    def head(self, request: UserRequest, index: str) -> HttpResponse:
        require(request.user, Action.INDEX_GET, *indices.names_in(index))
        options = lookup(self.params(request, *SHOWING))
        status = 200
        try:
            indices.find(index, options)
        except IndexNotFound as exc:
            status = exc.status
        return HttpResponse(status=status, content_type=self.answer_type)

    def put(self, request: UserRequest, index: str) -> HttpResponse:
        require(request.user, Action.INDEX_CREATE, index)
        params = self.params(request, "wait_for_active_shards")
        shards = params.text("wait_for_active_shards", "1")
        if not re.fullmatch(r"all|index-setting|\d{1,9}", shards):
            raise InvalidArgument(f"cannot parse ActiveShardCount[{shards}]")
        indices.check_name(index)
        created = indices.create(index, read_object(request) if request.body else {})
        return self.answer(ACKNOWLEDGED | {"shards_acknowledged": True, "index": created.name})

    def delete(self, request: UserRequest, index: str) -> HttpResponse:
        require(request.user, Action.INDEX_DELETE, *indices.names_in(index))
        indices.delete(index, lookup(self.params(request, *LOOKUP)))
        return self.answer(ACKNOWLEDGED)


class MappingView(ElasticView):
    def get(self, request: UserRequest, index: str = indices.ALL) -> HttpResponse:
        require(request.user, Action.INDEX_GET, *indices.names_in(index))
        params = self.params(request, *LOOKUP, "local")
        found = indices.find(index, lookup(params))
        return self.answer({one.name: {"mappings": one.mappings} for one in found})


class IndexMappingView(MappingView):
    """The mappings of indices that are named, which can be changed, too."""

    def put(self, request: UserRequest, index: str) -> HttpResponse:
        require(request.user, Action.INDEX_MAPPING_PUT, *indices.names_in(index))
        params = self.params(request, *LOOKUP, "write_index_only")
        options = lookup(params, allow_no_indices=False)
        update = read_object(request)
        indices.put_mapping(request.user, indices.find(index, options), update)
        return self.answer(ACKNOWLEDGED)

    post = put


class ReservedNameView(UnknownRouteView):
    """A name like those of the API's own routes: there is nothing there, nor can there be."""

    def create(self, request: UserRequest, **named: Any) -> HttpResponse:
        require(request.user, Action.INDEX_CREATE, named["index"])
        indices.check_name(named["index"])
        return self.handle(request)

    put = create
