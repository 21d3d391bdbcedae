"""The trained models that can be deployed: putting, finding and removing them."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from endpoints import audit, deployments, hosting, jobs, uploads
from endpoints.access import forbidden_with, may_with
from endpoints.attempts import attempt
from endpoints.expressions import is_meant
from endpoints.models import (
    ArtifactState,
    Deployment,
    Endpoint,
    TrainedModel,
    User,
)
from endpoints.models.endpoint import RESERVED_PREFIX, EndpointQuerySet
from endpoints.models.model import LOCATION, PYTORCH
from endpoints.owned import (
    deployments_told,
    endpoints_told,
    unknown_model,
    visible_deployments,
    visible_models,
)
from endpoints.permissions import Action
from endpoints.references import references_to
from endpoints.teams import team_to_own
from inference.errors import (
    Conflict,
    EndpointExists,
    InvalidAction,
    InvalidRequest,
    ModelUnavailable,
    TimedOut,
)
from inference.nlp_config import InferenceConfig
from inference.runner.catalogue import BUILTIN_MODELS

MAX_ID_LENGTH = 64
ID_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9_.\-]*[a-z0-9])?")
# What the catalogue says of a built-in model is not for a caller to say.
OF_THE_PACKAGE = (
    "description",
    "model_type",
    "inference_config",
    "metadata",
    "prefix_strings",
    "platform_architecture",
    "definition",
    "compressed_definition",
)
TREE, TREE_KINDS = "tree_ensemble", frozenset({"regression", "classification"})
DEFINITIONS = ("definition", "compressed_definition")


@attempt("model.add", on="model_id")
def put_model(
    actor: User, model_id: str, config: Mapping[str, Any], *, team: str | None = None
) -> TrainedModel:
    """Store a model's config. What it runs from comes later: by parts, or by a download.

    Raises InvalidAction or InvalidRequest, EndpointExists, and what `team_to_own` raises.
    """
    if model_id in BUILTIN_MODELS:
        return put_builtin(actor, model_id, config)
    check_model_id(model_id)
    owner = team_to_own(actor, Action.MODEL_PUT, team)
    stored = checked(model_id, config)
    check_is_unique(model_id, stored["tags"])
    task_type = None
    if stored["model_type"] == PYTORCH:
        task_type = InferenceConfig.stored(stored["inference_config"]).kind.task_type
    try:
        with transaction.atomic():
            model = TrainedModel.objects.create(
                model_id=model_id,
                task_type=task_type or "",
                config=stored,
                created_by=actor,
                team=owner,
            )
            audit.record("model.add", model_id, team=model.team, after=stored)
            return model
    except IntegrityError:
        raise already_exists(model_id) from None


@transaction.atomic
def put_builtin(actor: User, model_id: str, config: Mapping[str, Any]) -> TrainedModel:
    """Have a built-in model fetched. A second put while it is on its way changes nothing.

    Whoever may put models may do that, but only who may do it everywhere may say more of it: it is
    everybody's. Raises Forbidden, InvalidAction or EndpointExists.
    """
    if illegal := [name for name in OF_THE_PACKAGE if name in config]:
        raise InvalidAction(
            [f"illegal to set [{name}] of the built-in model [{model_id}]" for name in illegal]
        )
    found = TrainedModel.objects.with_files().filter(model_id=model_id).first()
    if found is None:
        model = deployments.builtin_model(model_id)
        usual = model.shown_config
        is_unusual = any(usual.get(name) != value for name, value in config.items())
        if is_unusual and not may_with(actor, Action.MODEL_PUT, model):
            raise forbidden_with(actor, Action.MODEL_PUT, model)
        model.config, model.created_by = dict(config), actor
        model.save()
    elif found.has_files:
        raise already_exists(model_id)
    else:
        model = found
    assert model.artifact  # noqa: S101 - a built-in model has one
    if deployments.request_files(model.artifact):
        audit.record("model.add", model_id, team=model.team, after=dict(config))
    return model


def wait_for_files(model: TrainedModel, timeout_s: float) -> TrainedModel:
    """Wait until the files of a built-in model are there. Raises ModelUnavailable or TimedOut."""
    deadline = hosting.deadline_in(timeout_s)
    while True:
        model = TrainedModel.objects.with_files().get(pk=model.pk)
        if model.has_files:
            return model
        if model.artifact and model.artifact.state == ArtifactState.FAILED:
            raise ModelUnavailable(model.artifact.reason)
        if hosting.is_over(deadline):
            raise TimedOut(f"Timed out waiting for the files of model [{model.model_id}]")
        hosting.pause()


def check_model_id(model_id: str) -> None:
    if model_id.startswith(RESERVED_PREFIX):
        known = ", ".join(sorted(BUILTIN_MODELS))
        raise InvalidRequest(
            f"There is no built-in model [{model_id}]. An id that begins with a dot is that of a "
            f"built-in model [{known}]"
        )
    if not ID_PATTERN.fullmatch(model_id):
        raise InvalidAction(
            [
                f"Invalid model_id; '{model_id}' can contain lowercase alphanumeric (a-z and "
                "0-9), hyphens, underscores or dots, and must start and end with alphanumeric"
            ]
        )
    if len(model_id) > MAX_ID_LENGTH:
        raise InvalidAction([f"Invalid model_id; it may have {MAX_ID_LENGTH} characters at most"])


def checked(model_id: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The config as it is stored. Raises InvalidAction for one that misses something.

    The definition of a tree is not kept: nothing here could run it.
    """
    stored = {"model_type": TREE, "tags": [], **config}
    problems = []
    if stored["model_type"] == PYTORCH:
        if "inference_config" not in stored:
            problems.append("[inference_config] must not be null")
        problems += [
            f"[{name}] must be put in parts where [model_type] is [{PYTORCH}]"
            for name in DEFINITIONS
            if name in stored
        ]
        stored["location"] = LOCATION
    elif not any(name in stored for name in DEFINITIONS):
        problems.append(
            f"either [definition] or [compressed_definition] must be set, "
            f"or [model_type] be [{PYTORCH}]"
        )
    elif set(stored.get("inference_config", {})) - TREE_KINDS:
        problems.append(f"[inference_config] must be one of {sorted(TREE_KINDS)}")
    if model_id in stored["tags"]:
        problems.append(f"[tags] must not hold the model's own id [{model_id}]")
    if problems:
        raise InvalidAction(problems)
    return {name: value for name, value in stored.items() if name not in DEFINITIONS}


def check_is_unique(model_id: str, tags: Sequence[str]) -> None:
    """No model may be mistaken for another, for a tag, a deployment or an endpoint."""
    if TrainedModel.objects.filter(model_id=model_id).exists():
        raise already_exists(model_id)
    if (
        Deployment.objects.filter(deployment_id=model_id).exists()
        or Endpoint.objects.filter(inference_id=model_id).exists()
    ):
        raise InvalidRequest(
            f"Cannot create model [{model_id}]: the id is the same as that of a current "
            "deployment or inference endpoint"
        )
    if taken := list(TrainedModel.objects.of_ids(tags).values_list("model_id", flat=True)):
        raise InvalidRequest(f"The provided tags {taken} must not match existing model_ids")
    if any(model_id in model.config.get("tags", ()) for model in TrainedModel.objects.all()):
        raise InvalidRequest(
            f"The provided model_id [{model_id}] must not match existing tags of other models"
        )


def already_exists(model_id: str) -> EndpointExists:
    return EndpointExists(f"Trained machine learning model [{model_id}] already exists")


def find(
    user: User, expression: str, *, allow_no_match: bool = True, tags: Sequence[str] = ()
) -> list[TrainedModel]:
    """The models of a list of ids and wildcards that somebody sees, with what they run from.

    Raises NotFound for an id of no model, and for a wildcard that finds none unless that is
    allowed.
    """
    found = [model for model in visible_models(user) if is_meant(expression, model.model_id)]
    check_found(expression, [model.model_id for model in found], allow_no_match=allow_no_match)
    wanted = set(tags)
    return [model for model in found if wanted <= set(model.shown_config.get("tags", ()))]


def find_with_deployments(
    user: User, expression: str, *, allow_no_match: bool = True
) -> list[tuple[TrainedModel, list[Deployment]]]:
    """The models of these ids, or with deployments of these ids, each with its deployments.

    A model that somebody does not see comes only with those deployments of it that they see, by
    their ids. Raises what `find` raises.
    """
    of_model: dict[int, list[Deployment]] = defaultdict(list)
    models = {model.pk: model for model in visible_models(user)}
    visible = frozenset(models)
    for deployment in visible_deployments(user).order_by("deployment_id"):
        of_model[deployment.model_id].append(deployment)
        models.setdefault(deployment.model_id, deployment.model)
    found, names = [], []
    for model in sorted(models.values(), key=lambda one: one.model_id):
        deployments = of_model[model.pk]
        if model.pk not in visible or not is_meant(expression, model.model_id):
            deployments = [one for one in deployments if is_meant(expression, one.deployment_id)]
            if not deployments:
                continue
        found.append((model, deployments))
        names += [model.model_id] if model.pk in visible else []
        names += (one.deployment_id for one in deployments)
    check_found(expression, names, allow_no_match=allow_no_match)
    return found


def check_found(expression: str, names: Sequence[str], *, allow_no_match: bool) -> None:
    """Raises NotFound for a part of the expression that finds nothing though it should."""
    for pattern in expression.split(","):
        may_be_empty = pattern in ("", "_all") or "*" in pattern
        if not (may_be_empty and allow_no_match) and not any(
            is_meant(pattern, name) for name in names
        ):
            raise unknown_model(pattern)


@attempt("model.delete", on="model")
@transaction.atomic
def delete_model(actor: User, model: TrainedModel, *, force: bool = False) -> None:
    """Remove a model with what was uploaded or added. The files of a built-in model stay.

    Unless forced, raises Conflict while an ingest pipeline or an inference endpoint names it, or
    while it is deployed; forced, its deployments are stopped, whoever they work for.
    """
    running = list(model.deployments.values_list("deployment_id", flat=True))
    if not force:
        check_is_unused(actor, model, running)
    Deployment.objects.filter(model=model).delete()
    transaction.on_commit(partial(hosting.cut_off, running))
    # Other models may wait for the same files.
    if model.artifact and not model.artifact.models.exclude(pk=model.pk).exists():
        jobs.give_up(model.artifact)
    transaction.on_commit(uploads.removal_of(model))
    TrainedModel.objects.filter(pk=model.pk).delete()
    if model.is_added and model.artifact:
        transaction.on_commit(jobs.removal_of(model.artifact))
        model.artifact.delete()
    before = model.shown_config | ({"deployments": running} if running else {})
    audit.record("model.delete", model.model_id, team=model.team, before=before)


def users_of(model: TrainedModel) -> EndpointQuerySet:
    """The endpoints that fail without a model; what is always there only rests without it."""
    running = Endpoint.objects.filter(deployment__model=model)
    return running | Endpoint.objects.on_model(model.model_id).own()


def check_is_unused(actor: User, model: TrainedModel, deployment_ids: Sequence[str]) -> None:
    for name in (model.model_id, *deployment_ids):
        if pipelines := references_to(actor, name).pipelines:
            raise Conflict(
                f"Cannot delete model [{model.model_id}] as it is still referenced by ingest "
                f"processors; use force to delete the model. Pipelines: [{', '.join(pipelines)}]"
            )
    if used_by := endpoints_told(actor, users_of(model)):
        raise Conflict(
            f"Cannot delete model [{model.model_id}] as it is used by the inference endpoints "
            f"[{', '.join(used_by)}]; use force to delete the model"
        )
    if deployed_as := deployments_told(actor, model.deployments.all()):
        raise Conflict(
            f"Cannot delete model [{model.model_id}] as it is currently deployed as "
            f"[{', '.join(deployed_as)}]; use force to delete the model"
        )
