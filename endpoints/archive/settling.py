"""What must hold once everything of an archive is there, and what follows from it."""

from collections.abc import Iterator

from django.db import transaction

from endpoints import jobs, pipelines
from endpoints.models import (
    Artifact,
    ArtifactState,
    Deployment,
    Endpoint,
    IndexMapping,
    IngestPipeline,
    TrainedModel,
    User,
)
from endpoints.preconfigured import ensure_preconfigured
from inference.errors import InferenceError


def settle() -> list[str]:
    """Ask for the files of what is to run, let go of what nobody needs, and tell what cannot be.

    The runner and the worker do the rest: they move what runs towards the records.
    """
    ensure_preconfigured()
    for artifact in Artifact.objects.filter(models=None, repository__startswith="added/"):
        transaction.on_commit(jobs.removal_of(artifact))
        artifact.delete()
    wanted = Artifact.objects.filter(
        models__deployments__isnull=False,
        state__in=[ArtifactState.ABSENT, ArtifactState.FAILED],
    )
    Artifact.objects.filter(pk__in=list(wanted.values_list("pk", flat=True))).update(
        state=ArtifactState.QUEUED, reason="", bytes_done=0, worked_on_at=None
    )
    return [*double_ids(), *double_names(), *too_many_processors(), *nobody_left()]


def double_ids() -> Iterator[str]:
    """An endpoint must not be mistaken for another's deployment or a model, as in the API."""
    models = set(TrainedModel.objects.values_list("model_id", flat=True))
    running = dict(Deployment.objects.values_list("deployment_id", "model__model_id"))
    for inference_id, deployment in Endpoint.objects.values_list("inference_id", "deployment"):
        if inference_id in models or (inference_id in running and deployment != inference_id):
            yield f"endpoint [{inference_id}] has the id of a model or of another's deployment"
    for deployment_id, model_id in running.items():
        if deployment_id in models and deployment_id != model_id:
            yield f"deployment [{deployment_id}] has the id of a model that it does not run"


def double_names() -> Iterator[str]:
    names = set(IndexMapping.objects.values_list("name", flat=True))
    for name, aliases in IndexMapping.objects.values_list("name", "aliases"):
        for alias in sorted(names & set(aliases)):
            yield f"index [{name}] has an alias that is an index, [{alias}]"


def too_many_processors() -> Iterator[str]:
    try:
        pipelines.check_inference_processors(
            IngestPipeline.objects.values_list("config", flat=True)
        )
    except InferenceError as exc:
        yield str(exc)


def nobody_left() -> Iterator[str]:
    people = User.objects.all()
    if people.exists() and not people.filter(is_superuser=True, is_active=True).exists():
        yield "nobody would be left who can do everything"
