"""Models added by name: from a repository of the hub, a mirror of it, or a folder."""

from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex

from django.db import IntegrityError, transaction
from django.utils import timezone

from endpoints import audit, deployments, jobs, tasks, trained_models
from endpoints.attempts import attempt
from endpoints.models import Artifact, ArtifactState, Deployment, Team, TrainedModel, User
from endpoints.models.model import stored
from endpoints.owned import deployments_told
from endpoints.permissions import Action
from endpoints.teams import team_to_own
from inference.errors import Conflict, InvalidRequest
from inference.runner.adding import Wish, find
from inference.runner.catalogue import PublishedModel

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
    return store(actor, owner, find(wish, jobs.model_sources()))


def store(actor: User | None, owner: Team | None, published: PublishedModel) -> TrainedModel:
    """Write a model down and have a worker see to its files. Raises EndpointExists."""
    try:
        with transaction.atomic():
            artifact = Artifact.objects.create(
                # A name that no other artifact ever had, so that no folder is met again.
                repository=f"added/{published.model_id}-{token_hex(8)}",
                state=ArtifactState.QUEUED,
                bytes_total=published.weights.size_bytes,
            )
            model = TrainedModel.objects.create(
                model_id=published.model_id,
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
        raise trained_models.already_exists(published.model_id) from None


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
    if not jobs.give_up(artifact):
        raise not_being_fetched(model)
    audit.record("model.cancel", model.model_id, team=model.team)


@attempt("model.pause", on="model")
@transaction.atomic
def pause_download(model: TrainedModel) -> None:
    """Let the fetching of a model's files rest; all that came stays, and `retry_download` goes on.

    Raises Conflict where nothing is being fetched; what is here already is only prepared.
    """
    fetched = Artifact.objects.filter(
        models=model, state__in=[ArtifactState.QUEUED, ArtifactState.DOWNLOADING]
    )
    if not fetched.update(
        state=ArtifactState.PAUSED, bytes_per_s=0, has_restarted=False, updated_at=timezone.now()
    ):
        raise not_being_fetched(model)
    audit.record("model.pause", model.model_id, team=model.team)


def not_being_fetched(model: TrainedModel) -> Conflict:
    return Conflict(f"The files of model [{model.model_id}] are not being fetched")


@attempt("model.retry", on="model")
def retry_download(model: TrainedModel) -> None:
    """Fetch what is not here, unless it is on its way; what was paused goes on.

    Raises Conflict for an upload.
    """
    if model.artifact is None:
        raise Conflict(f"Model [{model.model_id}] was uploaded: there is nothing to fetch")
    with transaction.atomic():
        deployments.request_files(model.artifact)
        audit.record("model.retry", model.model_id, team=model.team)
