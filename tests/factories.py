"""Records as tests need them, made directly."""

from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from endpoints.models import (
    Artifact,
    ArtifactState,
    Cluster,
    Deployment,
    DeploymentState,
    Endpoint,
    IndexMapping,
    TrainedModel,
    User,
)
from endpoints.models.model import stored
from endpoints.providers import sealed
from endpoints.secrets import encrypt
from inference.runner.catalogue import BUILTIN_MODELS
from inference.services import find_service
from inference.types import TaskType
from tests.elastic import API_KEY, semantic

PASSWORD = "correct horse battery"
MODEL_ID = ".all-minilm-l6-v2"
CHUNKING = {"strategy": "sentence", "max_chunk_size": 250, "sentence_overlap": 1}


def make_admin(username: str = "elastic") -> User:
    return User.objects.create_superuser(username, password=PASSWORD)


def make_user(username: str = "plain") -> User:
    return User.objects.create_user(username, password=PASSWORD)


def make_artifact(**columns: Any) -> Artifact:
    repository = columns.pop("repository", BUILTIN_MODELS[MODEL_ID].weights.repository)
    columns = {"state": ArtifactState.READY} | columns
    return Artifact.objects.update_or_create(repository=repository, defaults=columns)[0]


def make_model(model_id: str = MODEL_ID, artifact: Artifact | None = None) -> TrainedModel:
    task_type = BUILTIN_MODELS[model_id].task_type
    defaults = {"task_type": task_type, "artifact": artifact or make_artifact()}
    return TrainedModel.objects.update_or_create(model_id=model_id, defaults=defaults)[0]


def make_added_model(model_id: str = "my-e5", **published: Any) -> TrainedModel:
    """A model that somebody added, whose files are here."""
    builtin = replace(BUILTIN_MODELS[MODEL_ID], model_id=model_id, pooling="mean", **published)
    return TrainedModel.objects.create(
        model_id=model_id,
        task_type=builtin.task_type,
        artifact=make_artifact(repository=f"added/{model_id}"),
        published=stored(builtin),
    )


def make_deployment(
    deployment_id: str = "my-endpoint", model: TrainedModel | None = None, **columns: Any
) -> Deployment:
    return Deployment.objects.create(
        deployment_id=deployment_id,
        model=model or make_model(),
        **{"state": DeploymentState.STARTED} | columns,
    )


def make_endpoint(
    inference_id: str = "my-endpoint",
    model_id: str = MODEL_ID,
    artifact: Artifact | None = None,
    **deployment: Any,
) -> Endpoint:
    """An endpoint with its deployment; ready unless the columns given say otherwise."""
    model = make_model(model_id, artifact)
    task = BUILTIN_MODELS[model_id].task_type
    return Endpoint.objects.create(
        inference_id=inference_id,
        task_type=task,
        service="elasticsearch",
        service_settings={"num_allocations": 1, "num_threads": 1, "model_id": model_id},
        chunking_settings=CHUNKING if task.is_chunked else None,
        deployment=make_deployment(inference_id, model, **deployment),
    )


def make_cluster(name: str = "prod", url: str = "http://127.0.0.1:1", **columns: Any) -> Cluster:
    """A cluster that was never scanned, unless the columns given say otherwise."""
    key = encrypt(SecretStr(API_KEY))
    return Cluster.objects.create(name=name, url=url, **{"encrypted_api_key": key} | columns)


def make_index(name: str, inference_id: str) -> IndexMapping:
    """An index here with one field that names this endpoint."""
    mappings = semantic(inference_id)["mappings"]
    return IndexMapping.objects.create(name=name, uuid=f"uuid-{name}", mappings=mappings)


def make_remote_endpoint(
    service: str,
    task: TaskType,
    settings: dict[str, Any],
    inference_id: str = "my-endpoint",
) -> Endpoint:
    """An endpoint of a provider, as it is stored once that has answered."""
    config = find_service(service).parse(task, {"service_settings": settings})
    return Endpoint.objects.create(
        inference_id=inference_id,
        task_type=task,
        service=service,
        encrypted_secrets=sealed(config),
        **config.columns(),
    )
