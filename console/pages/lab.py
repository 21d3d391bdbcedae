"""The lab: a document cut under two settings side by side, embedded, and searched."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django_htmx.http import replace_url

from console.forms.lab import (
    TOO_LARGE,
    CutForm,
    DocumentForm,
    EndpointField,
    SearchForm,
    fields_of,
)
from console.forms.refusable import RefusableForm
from console.http import HtmxRequest, page, wants_fragment
from console.pages.lab_shown import Parts, found_shown, hidden, plan_of, side_shown
from console.pages.lab_sizes import sizes_of
from console.pages.parts import silent
from console.uploads import LimitedUpload
from endpoints.access import get_endpoint, require
from endpoints.lab import choices, cuts, runs, searching, steering
from endpoints.lab.embedding import MOST_CHUNKS
from endpoints.lab.tokens import TokenCounter, counter_of
from endpoints.models import Endpoint, LabRun, User
from endpoints.models.lab import SIDES
from endpoints.permissions import Action
from endpoints.status import status_of
from inference.documents import MAX_BYTES, Document
from inference.errors import Conflict, InferenceError, NotFound
from inference.services import find_service
from inference.types import TaskType

SAMPLE_FILE = Path(__file__).parents[1] / "lab_sample.md"
SAMPLE_NAME = "Sample: keeping bees"
SAMPLE_KEY = "sample"
SAMPLE_QUESTION = "What do I do if the bees want to leave?"
BEGIN_WITH: Mapping[str, Mapping[str, Any]] = {
    "a": {"strategy": "sentence", "max_chunk_size": 250, "sentence_overlap": 1},
    "b": {"strategy": "recursive", "max_chunk_size": 80, "separator_group": "markdown"},
}
# What a field has where nothing was ever written in it.
USUAL = {
    "max_chunk_size": "250",
    "sentence_overlap": "1",
    "overlap": "50",
    "separator_group": "markdown",
}


@cache
def sample() -> LabRun:
    """What everybody finds in the lab; it is stored only once somebody embeds it."""
    text = SAMPLE_FILE.read_text()
    return LabRun(key=SAMPLE_KEY, name=SAMPLE_NAME, text=text, characters=len(text))


class EndpointForm(RefusableForm):
    """Whose tokens are counted, and what embeds."""

    def __init__(self, data: Any, offered: list[Endpoint]) -> None:
        super().__init__(data)
        options = [(one.inference_id, one.inference_id) for one in offered]
        self.fields["endpoint"] = EndpointField(
            "Endpoint", options, "None: guess the tokens", required=False
        )


@page("GET", "HEAD")
def lab(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.CHUNK)
    return shown(request, sample(), request.GET)


@page("GET", "HEAD")
def lab_run(request: HtmxRequest, key: str) -> HttpResponse:
    run = runs.get_run(request.user, key)
    cuts.give_up(viewer_of(request, run))
    return shown(request, run, request.GET)


@page("GET", "HEAD")
def lab_progress(request: HtmxRequest, key: str) -> HttpResponse:
    """How far the embedding is; the page asks again and again while it goes on."""
    run = runs.get_run(request.user, key)
    if not wants_fragment(request):
        return redirect(f"{reverse('lab-run', args=[key])}?{request.GET.urlencode()}")
    if run.is_running:
        context = progress_context(run, request.GET)
    else:
        context = lab_context(request, run, request.GET)
    return render(request, "lab/_search.html", context)


@csrf_exempt
def lab_document(request: HttpRequest) -> HttpResponseBase:
    """Take a document. Files that are too large are turned away before they are kept anywhere.

    The token is asked for by what follows: to look for it here would read the whole file.
    """
    request.upload_handlers.insert(0, LimitedUpload(request, MAX_BYTES))
    return _lab_document(request)  # type: ignore[arg-type]  # signed in, or sent to sign in


@csrf_protect
@page("POST")
def _lab_document(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.CHUNK)
    form = DocumentForm(request.POST, request.FILES)
    if LimitedUpload.refused(request):
        form.errors.pop("text", None)  # it asks for a document, which was too large to be kept
        form.add_error("file", TOO_LARGE)
    if form.is_valid() and form.document:
        run = runs.start_run(request.user, form.document)
        return led_to(run, request.POST)
    return shown(request, sample(), request.POST, document_form=form)


@page("POST")
def lab_embed(request: HtmxRequest, key: str) -> HttpResponse:
    """Embed both sides as they are set; of the sample somebody's own copy."""
    require(request.user, Action.INFER)
    is_sample = key == SAMPLE_KEY
    run = sample() if is_sample else runs.get_run(request.user, key)
    forms = cut_forms(run, request.POST)
    settings = {form.side: form.settings for form in forms if form.is_valid() and form.settings}
    if len(settings) < len(forms):
        return shown(request, run, request.POST)
    inference_id = written_id(request.POST)
    try:
        if not inference_id:
            raise NotFound("Choose an endpoint that is to embed the chunks.")
        if is_sample:
            get_endpoint(request.user, inference_id, to=Action.INFER)
            run = runs.start_run(request.user, Document(run.name, run.text))
        steering.start(request.user, run, inference_id, settings)
    except InferenceError as exc:
        return shown(request, run, request.POST, endpoint_problem=str(exc))
    return led_to(run, request.POST, "#search")


@page("POST")
def lab_stop(request: HtmxRequest, key: str) -> HttpResponse:
    run = runs.get_run(request.user, key)
    steering.stop(run)
    return led_to(run, request.POST, "#search")


@page("POST")
def lab_go_on(request: HtmxRequest, key: str) -> HttpResponse:
    run = runs.get_run(request.user, key)
    try:
        steering.go_on(request.user, run)
    except InferenceError as exc:
        messages.error(request, str(exc))
    return led_to(run, request.POST, "#search")


@page("POST")
def lab_search(request: HtmxRequest, key: str) -> HttpResponse:
    require(request.user, Action.INFER)
    run = runs.get_run(request.user, key)
    form = search_form(request.user, run, request.POST)
    found = None
    if form.is_valid():
        query, reranker = form.cleaned_data["query"], form.cleaned_data["reranker"]
        try:
            answer = searching.search(request.user, run, query, reranker)
        except Conflict as exc:
            form.note(exc)
        except NotFound as exc:
            form.add_error("reranker", str(exc))
        except InferenceError as exc:
            form.note(exc)
        else:
            found = found_shown(run, answer, query, reranker, embedded_labels(run))
    extra = {"search_form": form, "found": found}
    if wants_fragment(request):
        context = {"run": run, "embedded_query": embedded_query(run)} | extra
        return render(request, "lab/_found.html", context)
    return shown(request, run, request.POST, **extra)


@page("POST")
def lab_delete(request: HtmxRequest, key: str) -> HttpResponse:
    run = runs.get_run(request.user, key)
    run.delete()
    messages.success(request, f"{run.name} is taken out of the lab.")
    return redirect("lab")


def led_to(run: LabRun, data: QueryDict, place: str = "") -> HttpResponse:
    """On to the page of a run, set as it was."""
    kept = [(name, data[name]) for name in data if name.startswith(("a-", "b-", "endpoint"))]
    return redirect(f"{reverse('lab-run', args=[run.key])}?{urlencode(kept)}{place}")


def shown(request: HtmxRequest, run: LabRun, data: QueryDict, **extra: Any) -> HttpResponse:
    """The whole page, or of it what follows from the settings."""
    context = lab_context(request, run, data) | extra
    if wants_fragment(request):
        # The address names what counts, and leads here again.
        address = f"{request.path}?{context['settings_query']}"
        return replace_url(render(request, "lab/_preview.html", context), address)
    return render(request, "lab/lab.html", context)


@page("GET", "HEAD")
def lab_counted(request: HtmxRequest, key: str) -> HttpResponse:
    """The same as the page of a run, when all the chunks of a long document are known.

    Whoever sets it otherwise meanwhile waits for that instead.
    """
    run = runs.get_run(request.user, key)
    forms = cut_forms(run, request.GET)
    valid = [form.settings for form in forms if form.is_valid() and form.settings]
    try:
        cuts.cut_for(viewer_of(request, run), run, valid)
    except cuts.NoLongerWanted:
        return HttpResponse(status=204)
    except InferenceError:
        pass  # the page tells at which field
    if wants_fragment(request):
        return render(request, "lab/_preview.html", lab_context(request, run, request.GET))
    return redirect(f"{reverse('lab-run', args=[key])}?{request.GET.urlencode()}")


def viewer_of(request: HtmxRequest, run: LabRun) -> str:
    """Which open page asks, of those on which somebody looks at a run."""
    return f"{run.key}/{request.GET.get('tab', '')[:32]}"


def lab_context(request: HtmxRequest, run: LabRun, data: QueryDict) -> dict[str, Any]:
    user, is_sample = request.user, run.key == SAMPLE_KEY
    offered = choices.searched(user)
    chosen = chosen_endpoint(run, data, offered)
    endpoint_form = EndpointForm({"endpoint": chosen}, offered)
    counter, problem = counter_for(user, chosen, offered)
    forms = cut_forms(run, data)
    parts = Parts.of(run.characters, data.get("part", ""))
    sides = [side_shown(run, form, counter, parts) for form in forms]
    plan = plan_of(sides)
    return progress_context(run, data.dict() | {"endpoint": chosen}) | {
        "is_sample": is_sample,
        "runs": runs.runs_of(user),
        "document_form": DocumentForm(),
        "endpoint_form": endpoint_form,
        "endpoint_problem": problem,
        "has_endpoints": bool(offered),
        "counter": counter,
        "sides": sides,
        "parts": parts,
        "sizes": sizes_of(sides, counter.window),
        "plan": plan,
        "is_counting": any(side.is_counting for side in sides)
        and not any(side.is_refused for side in sides),
        "tab": str(data.get("tab", "")) or token_hex(8),
        # A new element each time: one that was there before does not ask again.
        "waits_for": token_hex(4),
        "most_chunks": MOST_CHUNKS,
        "reach_percent": 100 * (plan.reach if plan else 0) / max(1, run.characters),
        "save_queries": {form.side: save_query(run, form, chosen) for form in forms},
        "embedded_query": embedded_query(run),
        "embedded_labels": embedded_labels(run),
        "is_as_embedded": is_as_embedded(run, forms, chosen),
        "reached_percent": 100 * run.reach / max(1, run.characters),
        "search_form": search_form(user, run),
    }


def progress_context(run: LabRun, data: Mapping[str, Any]) -> dict[str, Any]:
    """What tells how far the embedding is, and where the page leads that stays as it is set."""
    written = {"endpoint": written_id(data)}
    for form in cut_forms(run, data):
        written |= form.written
    return {
        "run": run,
        "written": hidden(written),
        "settings_query": urlencode(hidden(written)),
        "silent_parts": silent({"worker"}) if run.is_running else [],
    }


def cut_forms(run: LabRun, data: Mapping[str, Any]) -> list[CutForm]:
    """Of both sides, set as the address says, else as the run was embedded."""
    return [CutForm(side_data(run, side, data), side) for side in SIDES]


def side_data(run: LabRun, side: str, data: Mapping[str, Any]) -> dict[str, Any]:
    usual = {f"{side}-{name}": value for name, value in USUAL.items()}
    if f"{side}-strategy" in data:
        return usual | {name: data[name] for name in data if name.startswith(f"{side}-")}
    return usual | fields_of(run.settings_of(side) or BEGIN_WITH[side], side)


def chosen_endpoint(run: LabRun, data: Mapping[str, Any], offered: list[Endpoint]) -> str:
    """The one in the address, else that of the run, else one of their own.

    At best one that is ready, then one that runs here, where a try costs nothing.
    """
    if "endpoint" in data:
        return written_id(data)
    if run.inference_id:
        return run.inference_id
    own = [one for one in offered if not one.is_preconfigured]
    own.sort(
        key=lambda one: (
            not status_of(one).is_ready,
            find_service(one.service).is_remote,
            one.task != TaskType.TEXT_EMBEDDING,
        )
    )
    return own[0].inference_id if own else ""


def written_id(data: Mapping[str, Any]) -> str:
    """The endpoint that is named; PostgreSQL refuses a NUL."""
    return str(data.get("endpoint", "")).replace("\0", "").strip()


def counter_for(user: User, inference_id: str, offered: list[Endpoint]) -> tuple[TokenCounter, str]:
    """What counts the tokens, and what is wrong with the endpoint."""
    if not inference_id:
        return counter_of(None), ""
    known = next((one for one in offered if one.inference_id == inference_id), None)
    try:
        return counter_of(known or get_endpoint(user, inference_id)), ""
    except InferenceError as exc:
        return counter_of(None), str(exc)


def search_form(user: User, run: LabRun, data: Any = None) -> SearchForm:
    rerankers = [(one.inference_id, one.inference_id) for one in choices.rerankers(user)]
    question = SAMPLE_QUESTION if run.name == SAMPLE_NAME else ""
    return SearchForm(rerankers, data, initial={"query": question})


def embedded_forms(run: LabRun) -> list[CutForm]:
    return [CutForm(side_data(run, side, {}), side) for side in SIDES] if run.chunking else []


def embedded_labels(run: LabRun) -> dict[str, str]:
    return {form.side: form.label for form in embedded_forms(run)}


def embedded_query(run: LabRun) -> str:
    """The address of what was embedded, which may be set otherwise now."""
    written = {name: value for form in embedded_forms(run) for name, value in form.written.items()}
    return urlencode(hidden({"endpoint": run.inference_id} | written))


def is_as_embedded(run: LabRun, forms: list[CutForm], endpoint: str) -> bool:
    now = {form.side: form.settings and form.settings.to_response() for form in forms}
    return run.chunking == now and run.inference_id == endpoint


def save_query(run: LabRun, form: CutForm, endpoint: str) -> str:
    """The address of the page that saves these settings."""
    written = {name.removeprefix(f"{form.side}-"): value for name, value in form.written.items()}
    return urlencode(hidden(written | {"endpoint": endpoint, "run": run.key}))
