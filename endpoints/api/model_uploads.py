"""The `_console/models/ID/uploads` routes: sending a model's files in pieces."""

from typing import Annotated, Any

from django.http import HttpResponse
from pydantic import Field, PositiveInt, StrictStr

from endpoints import model_uploads
from endpoints.access import require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.media import read_bytes
from endpoints.api.models import ModelBody
from endpoints.api.schemas import Body, parse
from endpoints.known_models import known_model
from endpoints.model_uploads import MOST_FILES, UploadedFile, files_of, find_upload
from endpoints.models import ModelUpload
from endpoints.permissions import Action
from inference.errors import InvalidArgument


class AnnouncedFile(Body):
    name: Annotated[StrictStr, Field(max_length=256)]
    size_in_bytes: PositiveInt


class BeginUploadBody(ModelBody):
    """The files as they stand in the model's folder, or one zip archive of it."""

    files: Annotated[list[AnnouncedFile], Field(min_length=1, max_length=MOST_FILES)]

    @property
    def sizes(self) -> dict[str, int]:
        return {file.name: file.size_in_bytes for file in self.files}


def told(upload: ModelUpload) -> dict[str, Any]:
    """An upload as it is shown: what is to be sent, and how much of it is here."""
    return {
        "model_id": upload.model_id,
        "team": upload.team.name,
        "files": [told_of_file(file) for file in files_of(upload)],
    }


def told_of_file(file: UploadedFile) -> dict[str, Any]:
    return {
        "number": file.number,
        "name": file.name,
        "size_in_bytes": file.size_bytes,
        "received_in_bytes": file.received_bytes,
    }


class UploadView(ElasticView):
    def get(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.MODEL_PUT)
        self.params(request)
        return self.answer(told(find_upload(request.user, model_id)))

    def post(self, request: UserRequest, model_id: str) -> HttpResponse:
        """Announce the files, or ask how far an upload of the same ones is."""
        require(request.user, Action.MODEL_PUT)
        team = self.params(request, "team").text("team", None)
        body = parse(BeginUploadBody, request)
        upload = model_uploads.begin(
            request.user, model_id, body.wish(model_id), body.sizes, team=team
        )
        return self.answer(told(upload))

    def delete(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.MODEL_PUT)
        self.params(request)
        model_uploads.discard(find_upload(request.user, model_id))
        return self.answer({"acknowledged": True})


class UploadPartView(ElasticView):
    def put(self, request: UserRequest, model_id: str, number: int) -> HttpResponse:
        """Add the bytes of the body to a file, whatever the media type says."""
        require(request.user, Action.MODEL_PUT)
        params = self.params(request, "offset", "sha256")
        offset, upload = params.integer("offset"), find_upload(request.user, model_id)
        if offset is None:
            raise InvalidArgument("[offset] must say where in the file the body begins")
        file = model_uploads.put_part(
            upload, number, read_bytes(request), offset=offset, sha256=params.text("sha256", "")
        )
        return self.answer(told_of_file(file))


class FinishUploadView(ElasticView):
    def post(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.MODEL_PUT)
        self.params(request)
        model_uploads.finish(request.user, find_upload(request.user, model_id))
        return self.answer(known_model(request.user, model_id).to_response())
