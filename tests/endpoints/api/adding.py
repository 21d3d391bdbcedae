"""Adding models by name, with a worker that is the test itself."""

from pathlib import Path
from typing import Any

from endpoints import jobs
from endpoints.models import TrainedModel
from tests.endpoints.conftest import Api

PATH = "/_console/models/my-e5"
SETTINGS = {"num_allocations": 1, "num_threads": 1, "model_id": "my-e5"}


def add(api: Api, folder: Path, path: str = PATH, **more: Any) -> Any:
    return api("PUT", path, {"source": {"folder": str(folder)}, **more})


def work(model_id: str = "my-e5") -> TrainedModel:
    """What a worker does for a model that was added."""
    model = TrainedModel.objects.select_related("artifact").get(model_id=model_id)
    assert model.artifact
    jobs.fetch_artifact(model.artifact.pk)
    return TrainedModel.objects.select_related("artifact").get(model_id=model_id)


def folder_of(model: TrainedModel) -> Path:
    assert model.artifact
    return jobs.artifact_folder(model.artifact)


def create(api: Api, task: str = "text_embedding", inference_id: str = "mine", **more: Any) -> Any:
    body = {"service": "elasticsearch", "service_settings": SETTINGS | more}
    return api("PUT", f"/_inference/{task}/{inference_id}", body)
