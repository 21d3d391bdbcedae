"""The registered indices: list, look at, register, change, delete."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.forms.json_text import pretty
from console.forms.references import IndexForm, MappingForm, WrittenForm
from console.http import HtmxRequest, page, wants_fragment
from console.pages.referring import about, editing, listing, meanwhile
from console.pages.samples import base_url, index_samples
from endpoints import indices
from endpoints.access import may, require, visible_endpoints
from endpoints.models import IndexMapping
from endpoints.named import Named, known_to
from endpoints.permissions import Action
from endpoints.seen import ChangedMeanwhile, Seen
from inference.errors import InferenceError
from inference.references.cluster import Kind
from inference.references.mappings import (
    DEFAULT_INFERENCE_ID,
    EMBEDDING_TASKS,
    left_out,
    semantic_fields,
)

EXAMPLE_ID, EDITOR = "my-endpoint", "references/edit.html"


@dataclass(frozen=True)
class Field:
    """A semantic_text field. search: None where it searches with what it indexes with."""

    path: str
    index: Named
    search: Named | None
    model_settings: dict[str, object]


@page("GET", "HEAD")
def index_list(request: HtmxRequest) -> HttpResponse:
    if not may(request.user, Action.INDEX_GET):
        require(request.user, Action.CLUSTER_GET)
        return redirect("cluster-list")
    found = listing(request, IndexMapping.objects.all(), Kind.INDEX)
    context = {"listing": found, "samples": []}
    if not found.rows and not found.asked.is_narrow:
        context["samples"] = index_samples(base_url(request), example_id(request))
    template = "references/_indices.html" if wants_fragment(request) else "references/indices.html"
    return render(request, template, context)


@page("GET", "HEAD")
def index_detail(request: HtmxRequest, name: str) -> HttpResponse:
    require(request.user, Action.INDEX_GET, name)
    index = indices.get(name)
    context = about(Kind.INDEX, name) | {
        "index": index,
        "fields": fields_of(request, index),
        "json": pretty(index.to_response()),
        "may_edit": may(request.user, Action.INDEX_MAPPING_PUT),
        "may_delete": may(request.user, Action.INDEX_DELETE),
    }
    return render(request, "references/index.html", context)


@page("GET", "HEAD", "POST")
def index_create(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.INDEX_CREATE)
    start = {
        "name": request.GET.get("name", ""),
        "definition": pretty(example_definition(example_id(request))),
    }
    form = IndexForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        try:
            indices.create(name, form.body)
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{name} is registered.")
            return redirect("reference-index", name)
    return render(request, EDITOR, editing(form, "") | about(Kind.INDEX))


@page("GET", "HEAD", "POST")
def index_edit(request: HtmxRequest, name: str) -> HttpResponse:
    require(request.user, Action.INDEX_MAPPING_PUT, name)
    context = about(Kind.INDEX, name)
    if request.method != "POST":
        index = indices.get(name)
        shown = editing(MappingForm.of(index), Seen.of(index).mark)
        return render(request, EDITOR, shown | context)
    form: WrittenForm = MappingForm(request.POST)
    mark = request.POST.get("seen", "")
    if form.is_valid():
        stored = IndexMapping.objects.filter(name=name)
        try:
            indices.put_mapping(request.user, list(stored), form.body, seen=form.was_seen)
        except ChangedMeanwhile:
            mark, clash = meanwhile(form, stored.all())
            if clash["is_gone"]:
                start = {"name": name, "definition": pretty({"mappings": form.body})}
                form, context = IndexForm(initial=start), about(Kind.INDEX)
            context |= clash
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{name} is changed.")
            if kept := ", ".join(left_out(indices.get(name).mappings, form.body)):
                messages.warning(request, f"A mapping only grows, so this stays as it was: {kept}.")
            return redirect("reference-index", name)
    return render(request, EDITOR, editing(form, mark) | context)


@page("GET", "HEAD", "POST", fresh=True)
def index_delete(request: HtmxRequest, name: str) -> HttpResponse:
    require(request.user, Action.INDEX_DELETE, name)
    index = indices.get(name)
    if request.method == "POST":
        indices.delete(name, indices.Options())
        messages.success(request, f"{name} is deleted.")
        return redirect("reference-indices")
    context = about(Kind.INDEX, name) | {"named": sorted(index.referenced)}
    return render(request, "references/delete.html", context)


def fields_of(request: HtmxRequest, index: IndexMapping) -> list[Field]:
    known = known_to(request.user, index.referenced, Kind.INDEX)
    fields = []
    for path, field in semantic_fields(index.mappings):
        model = field.get("model_settings") or {}
        with_index = field.get("inference_id", DEFAULT_INFERENCE_ID)
        with_search = field.get("search_inference_id")
        fields.append(
            Field(
                path,
                known.named(with_index, Kind.INDEX, model),
                known.named(with_search, Kind.INDEX, model) if with_search else None,
                {name: model[name] for name in model if name != "service"},
            )
        )
    return fields


def example_id(request: HtmxRequest) -> str:
    """An endpoint that a field could name: one that somebody made, if there is any."""
    fitting = visible_endpoints(request.user).own().filter(task_type__in=EMBEDDING_TASKS)
    return fitting.values_list("inference_id", flat=True).first() or EXAMPLE_ID


def example_definition(inference_id: str) -> dict[str, object]:
    field = {"type": "semantic_text", "inference_id": inference_id}
    return {"mappings": {"properties": {"title": {"type": "text"}, "content": field}}}
