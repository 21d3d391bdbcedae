"""Adding models: by a name of the hub, from a folder of this machine, or by an upload."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url

from console.forms.models import (
    AddModelForm,
    FolderModelForm,
    HubModelForm,
    UploadModelForm,
    suggested_id,
)
from console.http import HtmxRequest, page
from console.working import working
from endpoints import added_models, model_uploads
from endpoints.access import require
from endpoints.api.media import read_bytes
from endpoints.model_uploads import MOST_FILES, UploadedFile, files_of, find_upload
from endpoints.models import ModelUpload
from endpoints.permissions import Action
from endpoints.teams import Owners, owners_for
from inference.errors import InferenceError, InvalidArgument, InvalidRequest

PART_BYTES = 8 * 1024 * 1024
FORMS: dict[str, type[AddModelForm]] = {
    "hub": HubModelForm,
    "folder": FolderModelForm,
    "upload": UploadModelForm,
}


@page("GET", "HEAD", "POST")
def model_add(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.MODEL_PUT)
    way = request.GET.get("from", "hub")
    way = way if way in FORMS else "hub"
    is_sent = request.method == "POST" and way != "upload"
    form = FORMS[way](request.POST if is_sent else None)
    form.offer(owners_of_model(request))
    if isinstance(form, HubModelForm | FolderModelForm) and is_sent and form.is_valid():
        wish = replace(form.wish, **form.source)
        try:
            model = added_models.add_model(
                request.user, wish, settings.MODEL_FOLDERS, team=form.team
            )
        except InferenceError as exc:
            form.note(exc)
        else:
            return redirect("model-detail", model.model_id)
    return render(request, "models/add.html", adding(way, form))


def adding(way: str, form: AddModelForm) -> dict[str, Any]:
    return {
        "way": way,
        "form": form,
        "folders": settings.MODEL_FOLDERS,
        "most_bytes": settings.MODEL_UPLOAD_BYTES,
    }


def owners_of_model(request: HtmxRequest) -> Owners:
    """Whom a new model may belong to, first of all the team that somebody works in."""
    found = owners_for(request.user, Action.MODEL_PUT)
    chosen = working(request).chosen
    return replace(found, obvious=chosen.name) if chosen and chosen.name in found.names else found


@page("GET", "HEAD", "POST")
def upload_begin(request: HtmxRequest) -> HttpResponse:
    """Announce the files of a folder, which a script then sends; or take an archive whole."""
    require(request.user, Action.MODEL_PUT)
    if request.method != "POST":
        return redirect(f"{resolve_url('model-add')}?from=upload")
    form = UploadModelForm(request.POST, request.FILES)
    form.offer(owners_of_model(request))
    if form.is_valid():
        try:
            if is_script(request):
                return JsonResponse(told(begin(request, form, announced(request))))
            return whole(request, form)
        except InferenceError as exc:
            form.note(exc)
    if is_script(request):
        problems = {name or "": list(map(str, told)) for name, told in form.errors.items()}
        return JsonResponse({"problems": problems})
    return render(request, "models/add.html", adding("upload", form))


def is_script(request: HtmxRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


def announced(request: HtmxRequest) -> dict[str, int]:
    """The names of files with their sizes, as the script found them. Raises InvalidRequest."""
    try:
        files = orjson.loads(request.POST.get("files", ""))
        sizes = {str(name): int(size) for name, size in files}
    except (orjson.JSONDecodeError, TypeError, ValueError):
        raise InvalidRequest("Choose the folder of the model, or a zip archive of it.") from None
    if not len(sizes) > 0:
        raise InvalidRequest("Choose the folder of the model, or a zip archive of it.")
    return dict(list(sizes.items())[: MOST_FILES + 1])


def begin(request: HtmxRequest, form: UploadModelForm, files: dict[str, int]) -> ModelUpload:
    return model_uploads.begin(request.user, form.wished_id, form.wish, files, team=form.team)


def whole(request: HtmxRequest, form: UploadModelForm) -> HttpResponse:
    """An archive that came in one piece. What is wrong with it is told, and nothing stays."""
    archive = form.cleaned_data["archive"]
    if archive is None:
        raise InvalidRequest("Choose the folder of the model, or a zip archive of it.")
    if not archive.name.endswith(".zip"):
        raise InvalidRequest("[archive] must be a zip archive of the model's folder")
    upload = begin(request, form, {f"{suggested_id(form.named_after) or 'm'}.zip": archive.size})
    try:
        offset = 0
        for part in archive.chunks(PART_BYTES):
            offset = model_uploads.put_part(upload, 0, part, offset=offset).received_bytes
        model = model_uploads.finish(request.user, upload)
    except InferenceError:
        model_uploads.discard(upload)
        raise
    return redirect("model-detail", model.model_id)


@page("GET", "HEAD")
def upload_detail(request: HtmxRequest, model_id: str) -> HttpResponse:
    """How far an upload is, and the way to go on with it."""
    require(request.user, Action.MODEL_PUT)
    upload = find_upload(request.user, model_id)
    if is_script(request):
        return JsonResponse(told(upload))
    files = files_of(upload)
    received = sum(file.received_bytes for file in files)
    context = {
        "upload": upload,
        "files": files,
        "received_bytes": received,
        "percent": 100 * received // upload.bytes_total,
        "is_whole": all(file.is_whole for file in files),
        "is_archive": files[0].name.endswith(".zip"),
    }
    return render(request, "models/upload.html", context)


@page("PUT")
def upload_part(request: HtmxRequest, model_id: str, number: int) -> HttpResponse:
    """One piece of one file, for the script; failures are told in JSON."""
    require(request.user, Action.MODEL_PUT)
    upload = find_upload(request.user, model_id)

    def put() -> dict[str, Any]:
        offset = request.GET.get("offset", "")
        if not (offset.isascii() and offset.isdigit() and len(offset) < 16):
            raise InvalidArgument("[offset] must be a whole number")
        sha256 = request.GET.get("sha256", "")
        content = read_bytes(request)
        file = model_uploads.put_part(upload, number, content, offset=int(offset), sha256=sha256)
        return told_of(file)

    return in_json(put)


@page("POST")
def upload_finish(request: HtmxRequest, model_id: str) -> HttpResponse:
    require(request.user, Action.MODEL_PUT)
    upload = find_upload(request.user, model_id)

    def finish() -> dict[str, Any]:
        model_uploads.finish(request.user, upload)
        return {"page": resolve_url("model-detail", model_id)}

    if is_script(request):
        return in_json(finish)
    try:
        return redirect(finish()["page"])
    except InferenceError as exc:
        messages.error(request, f"{exc}.")
        return redirect("model-upload", model_id)


@page("GET", "HEAD", "POST")
def upload_discard(request: HtmxRequest, model_id: str) -> HttpResponse:
    """Ask first."""
    require(request.user, Action.MODEL_PUT)
    upload = find_upload(request.user, model_id)
    if request.method != "POST":
        return render(request, "models/discard.html", {"upload": upload})
    model_uploads.discard(upload)
    messages.success(request, f"The upload of {model_id} is discarded.")
    return redirect("model-list")


def in_json(work: Callable[[], dict[str, Any]]) -> JsonResponse:
    try:
        return JsonResponse(work())
    except InferenceError as exc:
        return JsonResponse({"reason": f"{exc}."}, status=exc.status)


def told(upload: ModelUpload) -> dict[str, Any]:
    """What the script needs to send the rest."""
    return {
        "page": resolve_url("model-upload", upload.model_id),
        "part_bytes": PART_BYTES,
        "files": [told_of(file) for file in files_of(upload)],
    }


def told_of(file: UploadedFile) -> dict[str, Any]:
    return {
        "number": file.number,
        "name": file.name,
        "size": file.size_bytes,
        "received": file.received_bytes,
    }
