"""The `_ingest/pipeline` routes."""

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from endpoints import pipelines
from endpoints.access import require
from endpoints.api.bodies import read_object
from endpoints.api.http import ElasticView, UserRequest
from endpoints.permissions import Action
from inference.errors import InvalidArgument
from inference.references.errors import InvalidPipeline
from inference.references.pipelines import check_pipeline
from inference.references.simulate import simulate, simulate_verbose


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
        run = simulate_verbose if is_verbose else simulate
        docs = run(config, docs_in(body), partial(pipelines.infer, request.user), timezone.now())
        return self.answer({"docs": docs})

    get = post

    def pipeline(self, body: dict[str, Any], **named: str) -> dict[str, Any]:
        return inline(body)


class SimulateStoredView(SimulateView):
    """Runs the pipeline that the path names."""

    def pipeline(self, body: dict[str, Any], **named: str) -> dict[str, Any]:
        return stored(named["pipeline_id"])


def stored(pipeline_id: str) -> dict[str, Any]:
    found = [] if "*" in pipeline_id else pipelines.find(pipeline_id)
    if len(found) != 1:
        raise InvalidArgument(f"pipeline [{pipeline_id}] does not exist")
    config: dict[str, Any] = found[0].config
    return config


def inline(body: dict[str, Any]) -> dict[str, Any]:
    config = body.get("pipeline")
    if config is None:
        raise missing("pipeline")
    check_pipeline(config)
    checked: dict[str, Any] = config
    return checked


def docs_in(body: dict[str, Any]) -> list[dict[str, Any]]:
    docs = body.get("docs")
    if docs is None:
        raise missing("docs")
    if not isinstance(docs, list) or any(not isinstance(doc, dict) for doc in docs):
        raise InvalidPipeline("[docs] property isn't a list of maps", {"property_name": "docs"})
    if not docs:
        raise InvalidArgument("must specify at least one document in [docs]")
    for doc in docs:
        if doc.get("_source") is None:
            raise missing("_source")
        if not isinstance(doc["_source"], dict):
            raise InvalidPipeline("[_source] property isn't a map", {"property_name": "_source"})
    return docs


def missing(name: str) -> InvalidPipeline:
    return InvalidPipeline(f"[{name}] required property is missing", {"property_name": name})
