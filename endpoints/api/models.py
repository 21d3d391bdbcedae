"""The `_console/models` routes: what can run here, and adding to it by name."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from django.conf import settings
from django.http import HttpResponse
from pydantic import Field, StrictStr

from endpoints import added_models, trained_models
from endpoints.access import require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import Body, parse
from endpoints.known_models import known_model, known_models
from endpoints.owned import get_model
from endpoints.permissions import Action
from inference.runner.adding import Wish
from inference.types import InputType, TaskType

Text = Annotated[StrictStr, Field(max_length=1024)]


class SourceBody(Body):
    """Either a repository or a folder. revision: of the repository; `main` where none is given."""

    repository: Text = ""
    revision: Text = "main"
    folder: Text = ""


class PrefixesBody(Body):
    """What the model wants before a text, by what the text is for."""

    search: Text | None = None
    ingest: Text | None = None

    @property
    def by_type(self) -> dict[InputType, str]:
        return {InputType(name): text for name, text in self.model_dump(exclude_none=True).items()}


class ModelBody(Body):
    """What is not said is taken from the model's own files."""

    is_stored = True

    task_type: StrictStr | None = None
    pooling: StrictStr | None = None
    prefixes: PrefixesBody | None = None
    description: Text = ""
    license: Text = ""

    def wish(self, model_id: str) -> Wish:
        return Wish(
            model_id=model_id,
            task_type=None if self.task_type is None else TaskType.parse(self.task_type),
            pooling=self.pooling,
            prefixes=self.prefixes.by_type if self.prefixes else None,
            description=self.description,
            licence=self.license,
        )


class AddModelBody(ModelBody):
    source: SourceBody

    def wish(self, model_id: str) -> Wish:
        return replace(
            super().wish(model_id),
            repository=self.source.repository,
            revision=self.source.revision,
            folder=Path(self.source.folder) if self.source.folder else None,
        )


class ModelsView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        require(request.user, Action.MODEL_GET)
        self.params(request)
        found = [model.to_response() for model in known_models(request.user)]
        return self.answer({"count": len(found), "models": found})


class KnownModelView(ElasticView):
    def get(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.MODEL_GET)
        self.params(request)
        return self.answer(known_model(request.user, model_id).to_response())

    def put(self, request: UserRequest, model_id: str) -> HttpResponse:
        """Look at the model and answer what it is; its files come in the background."""
        require(request.user, Action.MODEL_PUT)
        team = self.params(request, "team").text("team", None)
        wish = parse(AddModelBody, request).wish(model_id)
        added_models.add_model(request.user, wish, settings.MODEL_FOLDERS, team=team)
        return self.answer(known_model(request.user, model_id).to_response())

    def delete(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.MODEL_DELETE)
        force = self.params(request, "force").flag("force")
        model = get_model(request.user, model_id, to=Action.MODEL_DELETE)
        trained_models.delete_model(request.user, model, force=force)
        return self.answer({"acknowledged": True})


class CancelView(ElasticView):
    def post(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.MODEL_PUT)
        self.params(request)
        model = get_model(request.user, model_id, to=Action.MODEL_PUT)
        added_models.cancel_download(request.user, model)
        return self.answer(known_model(request.user, model_id).to_response())


class PauseView(ElasticView):
    def post(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.MODEL_PUT)
        self.params(request)
        added_models.pause_download(get_model(request.user, model_id, to=Action.MODEL_PUT))
        return self.answer(known_model(request.user, model_id).to_response())


class RetryView(ElasticView):
    def post(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.MODEL_PUT)
        self.params(request)
        added_models.retry_download(get_model(request.user, model_id, to=Action.MODEL_PUT))
        return self.answer(known_model(request.user, model_id).to_response())
