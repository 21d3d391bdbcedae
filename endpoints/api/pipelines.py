"""The `_ingest/pipeline` routes."""

from typing import Any

from django.http import HttpResponse

from endpoints import pipelines, simulating
from endpoints.access import require
from endpoints.api.bodies import read_object
from endpoints.api.http import ElasticView, UserRequest
from endpoints.permissions import Action


class PipelineView(ElasticView):
    def get(self, request: UserRequest, pipeline_id: str = "*") -> HttpResponse:
        require(request.user, Action.PIPELINE_GET)
        is_summary = self.params(request, "summary").flag("summary")
        found = pipelines.find(pipeline_id)
        is_missing = not found and "*" not in pipeline_id
        is_human = self.shape.is_human
        shown = {
            one.pipeline_id: {} if is_summary else one.to_response(is_human=is_human)
            for one in found
        }
        return self.answer(shown, 404 if is_missing else 200)


class NamedPipelineView(PipelineView):
    def put(self, request: UserRequest, pipeline_id: str) -> HttpResponse:
        require(request.user, Action.PIPELINE_PUT)
        if_version = self.params(request, "if_version").integer("if_version")
        pipelines.put(pipeline_id, read_object(request), if_version)
        return self.answer({"acknowledged": True})

    def delete(self, request: UserRequest, pipeline_id: str) -> HttpResponse:
        require(request.user, Action.PIPELINE_DELETE)
        self.params(request)
        pipelines.delete(pipeline_id)
        return self.answer({"acknowledged": True})


class SimulateView(ElasticView):
    """Runs the pipeline that the body holds."""

    def post(self, request: UserRequest, **named: str) -> HttpResponse:
        require(request.user, Action.PIPELINE_SIMULATE)
        is_verbose = self.params(request, "verbose").flag("verbose")
        body = read_object(request)
        config = self.pipeline(body, **named)
        docs = simulating.docs_in(body)
        results = simulating.run(request.user, config, docs, is_verbose=is_verbose)
        return self.answer({"docs": results})

    get = post

    def pipeline(self, body: dict[str, Any], **named: str) -> dict[str, Any]:
        return simulating.inline(body)


class SimulateStoredView(SimulateView):
    """Runs the pipeline that the path names."""

    def pipeline(self, body: dict[str, Any], **named: str) -> dict[str, Any]:
        return simulating.stored(named["pipeline_id"])
