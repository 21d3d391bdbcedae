"""The registered ingest pipelines: list, look at, write, simulate, delete."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.forms.json_text import place_of, pretty
from console.forms.references import DocumentsForm, NewPipelineForm, PipelineForm
from console.http import HtmxRequest, page, wants_fragment
from console.pages.indices import example_id
from console.pages.processor_words import Told, told_of
from console.pages.referring import about, editing, listing, meanwhile
from console.pages.samples import base_url, pipeline_samples
from console.pages.simulated import simulate
from endpoints import pipelines
from endpoints.access import may, require
from endpoints.models import IngestPipeline
from endpoints.named import Named, known_to
from endpoints.permissions import Action
from endpoints.seen import ChangedMeanwhile, Seen
from inference.errors import InferenceError
from inference.references.cluster import Kind
from inference.references.pipelines import Config, referenced_models

SIMULATE, EDITOR = "simulate", "references/edit.html"


@dataclass(frozen=True)
class Processor:
    """named: what it runs; None for one that runs nothing."""

    told: Told
    named: Named | None


@page("GET", "HEAD")
def pipeline_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.PIPELINE_GET)
    found = listing(request, IngestPipeline.objects.all(), Kind.PIPELINE)
    context = {"listing": found, "samples": []}
    if not found.rows and not found.asked.is_narrow:
        example = example_pipeline(example_id(request))
        context["samples"] = pipeline_samples(base_url(request), example)
    fragment = wants_fragment(request)
    template = "references/_pipelines.html" if fragment else "references/pipelines.html"
    return render(request, template, context)


@page("GET", "HEAD")
def pipeline_detail(request: HtmxRequest, pipeline_id: str) -> HttpResponse:
    require(request.user, Action.PIPELINE_GET)
    pipeline = pipelines.get(pipeline_id)
    context = about(Kind.PIPELINE, pipeline_id) | {
        "pipeline": pipeline,
        "processors": processors_of(request, pipeline.config),
        "json": pretty(pipeline.config),
        "documents": DocumentsForm.example_for(pipeline.config),
        "may_simulate": may(request.user, Action.PIPELINE_SIMULATE),
        "may_edit": may(request.user, Action.PIPELINE_PUT),
        "may_delete": may(request.user, Action.PIPELINE_DELETE),
    }
    return render(request, "references/pipeline.html", context)


@page("GET", "HEAD", "POST")
def pipeline_simulate(request: HtmxRequest, pipeline_id: str) -> HttpResponse:
    require(request.user, Action.PIPELINE_SIMULATE)
    pipeline = pipelines.get(pipeline_id)
    context = about(Kind.PIPELINE, pipeline_id) | {"pipeline": pipeline}
    if request.method == "POST":
        context |= simulated(request, pipeline.config)
    else:
        context["documents"] = DocumentsForm.example_for(pipeline.config)
    fragment = wants_fragment(request)
    template = "references/_simulated.html" if fragment else "references/simulate.html"
    return render(request, template, context)


@page("GET", "HEAD", "POST")
def pipeline_create(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.PIPELINE_PUT)
    example = example_pipeline(example_id(request))
    form = NewPipelineForm(request.POST or None, initial={"pipeline": pretty(example)})
    if request.POST.get("do") == SIMULATE:
        return tried(request, form, "", about(Kind.PIPELINE))
    if request.method == "POST" and form.is_valid():
        pipeline_id = form.cleaned_data["pipeline_id"]
        try:
            pipelines.put(pipeline_id, form.body, seen=Seen())
        except ChangedMeanwhile:
            form.add_error("pipeline_id", f"There is a pipeline [{pipeline_id}] already.")
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{pipeline_id} is registered.")
            return redirect("reference-pipeline", pipeline_id)
    context = about(Kind.PIPELINE) | {"documents": documents_beside(request, example)}
    return render(request, EDITOR, editing(form, "") | context)


@page("GET", "HEAD", "POST")
def pipeline_edit(request: HtmxRequest, pipeline_id: str) -> HttpResponse:
    require(request.user, Action.PIPELINE_PUT)
    context = about(Kind.PIPELINE, pipeline_id)
    if request.method != "POST":
        pipeline = pipelines.get(pipeline_id)
        form, mark = PipelineForm.of(pipeline), Seen.of(pipeline).mark
        context["documents"] = DocumentsForm.example_for(pipeline.config)
        return render(request, EDITOR, editing(form, mark) | context)
    form, mark = PipelineForm(request.POST), request.POST.get("seen", "")
    if request.POST.get("do") == SIMULATE:
        return tried(request, form, mark, context)
    if form.is_valid():
        try:
            pipelines.put(pipeline_id, form.body, seen=form.was_seen)
        except ChangedMeanwhile:
            mark, clash = meanwhile(form, IngestPipeline.objects.filter(pipeline_id=pipeline_id))
            context |= clash
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{pipeline_id} is changed.")
            return redirect("reference-pipeline", pipeline_id)
    context["documents"] = documents_beside(request, {})
    return render(request, EDITOR, editing(form, mark) | context)


@page("GET", "HEAD", "POST", fresh=True)
def pipeline_delete(request: HtmxRequest, pipeline_id: str) -> HttpResponse:
    require(request.user, Action.PIPELINE_DELETE)
    pipeline = pipelines.get(pipeline_id)
    if request.method == "POST":
        pipelines.delete(pipeline_id)
        messages.success(request, f"{pipeline_id} is deleted.")
        return redirect("reference-pipelines")
    named = sorted(pipeline.referenced)
    context = about(Kind.PIPELINE, pipeline_id) | {"named": named}
    return render(request, "references/delete.html", context)


def tried(
    request: HtmxRequest, form: PipelineForm, mark: str, context: dict[str, Any]
) -> HttpResponse:
    """A pipeline as it is written, run on the documents beside it; nothing is stored."""
    require(request.user, Action.PIPELINE_SIMULATE)
    form.is_valid()
    form.errors.pop("pipeline_id", None)  # it needs none to be tried
    config = form.cleaned_data.get("pipeline")
    context |= editing(form, mark)
    if config is None:
        context["documents"] = DocumentsForm(request.POST)
    else:
        context |= simulated(request, config)
    template = "references/_simulated.html" if wants_fragment(request) else EDITOR
    return render(request, template, context)


def simulated(request: HtmxRequest, config: Config) -> dict[str, Any]:
    documents = DocumentsForm(request.POST)
    shown: dict[str, Any] = {"documents": documents}
    if documents.is_valid():
        shown["simulation"] = simulate(request.user, config, documents.cleaned_data["docs"])
    else:
        shown["documents_place"] = place_of(documents, "docs")
    return shown


def documents_beside(request: HtmxRequest, config: Config) -> DocumentsForm:
    """The documents as they were pasted, or an example."""
    if "docs" in request.POST:
        return DocumentsForm(initial={"docs": request.POST["docs"]})
    return DocumentsForm.example_for(config)


def processors_of(request: HtmxRequest, config: Config) -> list[Processor]:
    known = known_to(request.user, referenced_models(config), Kind.PIPELINE)
    return [
        Processor(
            told, known.named(told.inference_id, Kind.PIPELINE) if told.inference_id else None
        )
        for told in told_of(config)
    ]


def example_pipeline(inference_id: str) -> dict[str, Any]:
    fields = {"input_field": "content", "output_field": "content_embedding"}
    return {
        "description": "Adds a vector of the content",
        "processors": [{"inference": {"model_id": inference_id, "input_output": fields}}],
    }
