"""Models added by name: from a repository of the hub, a mirror of it, or a folder."""

from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex

from django.db import IntegrityError, transaction
from django.utils import timezone

from endpoints import audit, deployments, jobs, tasks, trained_models
from endpoints.attempts import attempt
from endpoints.models import Artifact, ArtifactState, Deployment, TrainedModel, User
from endpoints.models.model import stored
from endpoints.owned import deployments_told
from endpoints.permissions import Action
from endpoints.teams import team_to_own
from inference.errors import Conflict, InvalidRequest
from inference.runner.adding import Wish, find
from inference.runner.files import discard_parts

ANY_FOLDER = (Path("/"),)


@attempt("model.add", on="model_id")
def add_model(
    actor: User | None, wish: Wish, folders: Sequence[Path], *, team: str | None = None
) -> TrainedModel:
    """Look at what a model's files say of it, and have them fetched in the background.

    folders: below which a folder may lie. actor: None for the shell, whose models are everybody's.
    Raises InvalidAction, InvalidRequest, EndpointExists, UnsupportedModel for a model that cannot
    be hosted, ModelUnavailable, and what `team_to_own` raises.
    """
    owner = team_to_own(actor, Action.MODEL_PUT, team) if actor else None
    trained_models.check_model_id(wish.model_id)
    trained_models.check_is_unique(wish.model_id, ())
    if wish.folder:
        check_folder(wish.folder, folders)
    published = find(wish, jobs.model_sources())
    try:
        with transaction.atomic():
            artifact = Artifact.objects.create(
                # A name that no other artifact ever had, so that no folder is met again.
                repository=f"added/{wish.model_id}-{token_hex(8)}",
                state=ArtifactState.QUEUED,
                bytes_total=published.weights.size_bytes,
            )
            model = TrainedModel.objects.create(
                model_id=wish.model_id,
                task_type=published.task_type,
                artifact=artifact,
                published=stored(published),
                created_by=actor,
                team=owner,
            )
            audit.record("model.add", model.model_id, team=model.team, after=model.shown_config)
            tasks.fetch_artifact.delay_on_commit(artifact.pk)
            return model
    except IntegrityError:
        raise trained_models.already_exists(wish.model_id) from None


def check_folder(folder: Path, folders: Sequence[Path]) -> None:
    """Raises InvalidRequest for a folder that is not below one of these."""
    try:
        place = folder.resolve()
        is_below = any(place.is_relative_to(allowed.resolve()) for allowed in folders)
    except (OSError, RuntimeError) as exc:  # a loop of links is the latter
        raise InvalidRequest(f"The folder [{folder}] cannot be found: {exc}") from exc
    if not is_below:
        raise InvalidRequest(
            f"The folder [{folder}] cannot be read from: models can be added from folders below "
            "those that [CONSOLE_MODEL_FOLDERS] names, which are "
            f"[{', '.join(map(str, folders)) or 'none'}]"
        )


@attempt("model.cancel", on="model")
@transaction.atomic
def cancel_download(actor: User, model: TrainedModel) -> None:
    """End the fetching of a model's files; those that are here whole stay.

    Raises Conflict where nothing is being fetched, or where a deployment waits for it.
    """
    artifact = model.artifact
    if artifact is None:
        raise Conflict(f"Model [{model.model_id}] was uploaded: there is nothing to fetch")
    waiting = Deployment.objects.filter(model__artifact=artifact)
    if names := deployments_told(actor, waiting):
        raise Conflict(
            f"The files of model [{model.model_id}] are waited for by the deployments "
            f"[{', '.join(names)}]: stop them first"
        )
    under_way = Artifact.objects.under_way().filter(pk=artifact.pk)
    is_unattended = jobs.unattended(under_way).exists()
    if not under_way.update(state=ArtifactState.ABSENT, updated_at=timezone.now()):
        raise Conflict(f"The files of model [{model.model_id}] are not being fetched")
    audit.record("model.cancel", model.model_id, team=model.team)
    if is_unattended:  # else the worker does it when it ends
        discard_parts(jobs.artifact_folder(artifact))


@attempt("model.retry", on="model")
def retry_download(model: TrainedModel) -> None:
    """Fetch what is not here, unless it is on its way. Raises Conflict for an upload."""
    if model.artifact is None:
        raise Conflict(f"Model [{model.model_id}] was uploaded: there is nothing to fetch")
    with transaction.atomic():
        deployments.request_files(model.artifact)
        audit.record("model.retry", model.model_id, team=model.team)
