"""The models that can run here: built in, added by name, or uploaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from endpoints.access import get_seen
from endpoints.models import ArtifactState, Deployment, TrainedModel, User
from endpoints.owned import unknown_model, visible_deployments, visible_models
from endpoints.permissions import Action
from inference.runner.catalogue import (
    BUILTIN_MODELS,
    OFFERED_MODELS,
    PublishedModel,
    WeightsFile,
    builtin_facts,
)
from inference.runner.definition import DEFINITION_FILE
from inference.runner.facts import ModelFacts
from inference.services import find_service


def facts_of(model_id: str | None) -> ModelFacts | None:
    """What is known of a model; None for an id of none. The database is asked for no built-in."""
    if facts := builtin_facts(model_id):
        return facts
    found = TrainedModel.objects.filter(model_id=model_id).first() if model_id else None
    return found.facts if found else None


def facts_behind(service: str, service_settings: Mapping[str, Any]) -> ModelFacts | None:
    """What is known of the model of an endpoint; None where it runs elsewhere."""
    is_hosted = find_service(service).is_hosted
    return facts_of(service_settings.get("model_id")) if is_hosted else None


def published_facts() -> dict[str, ModelFacts]:
    """Of all models whose files are those of a repository or a folder, by id."""
    builtin = {model_id: model.facts for model_id, model in BUILTIN_MODELS.items()}
    added = TrainedModel.objects.filter(published__isnull=False)
    return builtin | {model.model_id: model.facts for model in added}


@dataclass(frozen=True)
class KnownModel:
    """record: None for a built-in model that nobody asked for yet. deployments: those told of."""

    facts: ModelFacts
    record: TrainedModel | None
    deployments: Sequence[Deployment] = ()

    @property
    def state(self) -> ArtifactState:
        """How far its files are; of an upload whether it is whole."""
        if self.record is None:
            return ArtifactState.ABSENT
        if self.record.artifact:
            return ArtifactState(self.record.artifact.state)
        is_whole = self.record.definition_sha256 and self.record.vocabulary_sha256
        return ArtifactState.READY if is_whole else ArtifactState.ABSENT

    @property
    def reason(self) -> str:
        """Why its files are not here, where that is known."""
        artifact = self.record and self.record.artifact
        return artifact.reason if artifact else ""

    @property
    def files(self) -> tuple[WeightsFile, ...]:
        """What it runs from, as far as it is known."""
        published: PublishedModel | None = BUILTIN_MODELS.get(self.facts.model_id)
        if self.record and self.record.is_uploaded:
            sha256, size_bytes = self.record.definition_sha256, self.record.definition_bytes
            return (WeightsFile(DEFINITION_FILE, size_bytes or 0, sha256),) if sha256 else ()
        if self.record:
            published = self.record.published_model
        return published.weights.files if published else ()

    def to_response(self) -> dict[str, Any]:
        """The model as `_console/models` shows it."""
        facts = self.facts
        shown: dict[str, Any] = {
            "model_id": facts.model_id,
            "origin": facts.origin,
            "task_type": facts.task_type,
            "team": self.record.team.name if self.record and self.record.team else None,
            "state": self.state,
        }
        if self.reason:
            shown["reason"] = self.reason
        artifact = self.record and self.record.artifact
        if artifact and not artifact.is_ready:
            shown["download"] = {
                "source": artifact.source,
                "bytes_done": artifact.bytes_done,
                "bytes_total": artifact.bytes_total,
                "bytes_per_second": artifact.bytes_per_s,
            }
        shown |= {
            "description": facts.description,
            "license": facts.licence,
            "languages": facts.languages,
            "size_in_bytes": facts.size_bytes,
            "max_input_tokens": facts.max_input_tokens,
        }
        for name in ("dimensions", "similarity", "pooling"):
            if (value := getattr(facts, name)) is not None:
                shown[name] = value
        if facts.prefixes:
            shown["prefixes"] = {kind.value: text for kind, text in facts.prefixes.items()}
        if facts.repository:
            shown["source"] = source_of(facts)
        shown["files"] = [
            {"name": file.name, "size_in_bytes": file.size_bytes, "sha256": file.sha256}
            for file in self.files
        ]
        shown["deployments"] = [one.deployment_id for one in self.deployments]
        return shown


def source_of(facts: ModelFacts) -> dict[str, str]:
    """Where the files came from, as a request names it."""
    if facts.repository.startswith("/"):
        return {"folder": facts.repository}
    return {"repository": facts.repository, "revision": facts.revision}


def known_models(user: User) -> list[KnownModel]:
    """Those that somebody sees, by id; a built-in one by each of its names that was asked for."""
    records = {model.model_id: model for model in visible_models(user).select_related("team")}
    deployments: dict[int, list[Deployment]] = {}
    # Without the model of each, which is read already.
    for deployment in visible_deployments(user).select_related(None).order_by("deployment_id"):
        deployments.setdefault(deployment.model_id, []).append(deployment)
    known = [
        KnownModel(model.facts, model, deployments.get(model.pk, ())) for model in records.values()
    ]
    known += [
        KnownModel(model.facts, None)
        for model_id, model in OFFERED_MODELS.items()
        if model_id not in records
    ]
    return sorted(known, key=lambda one: one.facts.model_id)


def known_model(user: User, model_id: str) -> KnownModel:
    """Raises NotFound where somebody may not see it."""
    found = TrainedModel.objects.with_files().filter(model_id=model_id).first()
    if found is None and (facts := builtin_facts(model_id)):
        return KnownModel(facts, None)
    record = get_seen(user, found, Action.MODEL_GET, str(unknown_model(model_id)))
    found_here = visible_deployments(user).filter(model=record).order_by("deployment_id")
    return KnownModel(record.facts, record, list(found_here))
