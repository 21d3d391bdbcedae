"""Hosted models: the files they come from and what is known of them."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import models
from pydantic import TypeAdapter

from endpoints.models.base import Record
from endpoints.models.team import Team
from endpoints.models.user import User
from inference.nlp_config import InferenceConfig, Kind
from inference.runner.catalogue import BUILTIN_MODELS, PublishedModel
from inference.runner.facts import ModelFacts, Origin
from inference.types import InputType, TaskType


class ArtifactState(models.TextChoices):
    ABSENT = "absent", "not downloaded"
    QUEUED = "queued", "waiting for a worker"
    DOWNLOADING = "downloading", "downloading"
    PAUSED = "paused", "paused"
    CONVERTING = "converting", "converting"
    READY = "ready", "ready"
    FAILED = "failed", "failed"


class ArtifactQuerySet(models.QuerySet["Artifact"]):
    def under_way(self) -> "ArtifactQuerySet":
        """Artifacts that somebody asked for and that are not there yet."""
        return self.filter(
            state__in=[
                ArtifactState.QUEUED,
                ArtifactState.DOWNLOADING,
                ArtifactState.CONVERTING,
            ]
        )

    def begun(self) -> "ArtifactQuerySet":
        """Those that are under way, and those that somebody paused."""
        return self.under_way() | self.filter(state=ArtifactState.PAUSED)


class Artifact(Record):
    """The files of one set of weights; several models can run from the same files."""

    repository = models.CharField(max_length=200, unique=True)
    state = models.CharField(
        max_length=20, choices=ArtifactState.choices, default=ArtifactState.ABSENT
    )
    reason = models.TextField(blank=True)
    source = models.CharField(max_length=20, blank=True)
    bytes_done = models.BigIntegerField(default=0)
    bytes_total = models.BigIntegerField(default=0)
    bytes_per_s = models.FloatField(default=0)
    # Whether less was here than before when it last went on: the source began anew.
    has_restarted = models.BooleanField(default=False)
    # Written by whoever fetches the files; an old value means that this worker is gone.
    worked_on_at = models.DateTimeField(null=True)

    objects = ArtifactQuerySet.as_manager()

    def __str__(self) -> str:
        return self.repository

    @property
    def is_ready(self) -> bool:
        return self.state == ArtifactState.READY


class TrainedModelQuerySet(models.QuerySet["TrainedModel"]):
    def of_ids(self, model_ids: Iterable[str]) -> "TrainedModelQuerySet":
        return self.filter(model_id__in=list(model_ids))

    def of_teams(self, teams: Collection[int]) -> "TrainedModelQuerySet":
        """Models of these teams, and those of everybody."""
        return self.filter(models.Q(team=None) | models.Q(team__in=teams))

    def with_files(self) -> "TrainedModelQuerySet":
        return self.select_related("artifact")


class TrainedModel(Record):
    """A network that can be deployed: one of the catalogue, one added by name, or an upload."""

    model_id = models.CharField(max_length=64, unique=True)
    # Of the endpoints that it can serve; empty where there is no task for what it does.
    task_type = models.CharField(max_length=32, blank=True)
    # Whose it is; None for what everybody may deploy: the catalogue.
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="models")
    # None for an upload, whose files came with its parts. One that was added has its own.
    artifact = models.ForeignKey(
        Artifact, null=True, on_delete=models.PROTECT, related_name="models"
    )
    # What was put, with the defaults filled in; of a published model only what differs.
    config = models.JSONField(default=dict)
    # What was found out about a model that was added: a PublishedModel.
    published = models.JSONField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # What the parts of the definition add up to, and how many there are; None before the first.
    definition_bytes = models.BigIntegerField(null=True)
    definition_parts = models.PositiveIntegerField(null=True)
    has_vocabulary = models.BooleanField(default=False)
    # Of the files of an upload; empty until they are whole.
    definition_sha256 = models.CharField(max_length=64, blank=True)
    vocabulary_sha256 = models.CharField(max_length=64, blank=True)

    objects = TrainedModelQuerySet.as_manager()

    class Meta:
        ordering = ("model_id",)

    def __str__(self) -> str:
        return self.model_id

    @property
    def is_uploaded(self) -> bool:
        return self.artifact_id is None

    @property
    def is_added(self) -> bool:
        return self.published is not None

    @property
    def published_model(self) -> PublishedModel | None:
        """What the catalogue says of it, or what was found when it was added; None of an upload."""
        if self.is_added:
            return PUBLISHED.validate_python(self.published)
        return None if self.is_uploaded else BUILTIN_MODELS[self.model_id]

    @property
    def facts(self) -> ModelFacts:
        """What is known of it, wherever it came from."""
        if published := self.published_model:
            return published.facts_of_added if self.is_added else published.facts
        return upload_facts(self)

    @property
    def is_pytorch(self) -> bool:
        return not self.is_uploaded or self.config.get("model_type") == PYTORCH

    @property
    def has_files(self) -> bool:
        """Whether the files are there from which it is run; an upload is deployed with them."""
        return self.artifact is None or self.artifact.is_ready

    @property
    def inference_config(self) -> InferenceConfig:
        """What it is for; of a model that can be deployed."""
        return InferenceConfig.stored(self.shown_config["inference_config"])

    @property
    def kind(self) -> Kind:
        return self.inference_config.kind

    @property
    def size_bytes(self) -> int:
        return self.facts.size_bytes

    @property
    def input_fields(self) -> list[str]:
        """The fields of a document that may hold its text, the first that is there counts."""
        named = self.shown_config.get("input", {}).get("field_names", ())
        return [*named[:1], *(name for name in USUAL_INPUTS if name not in named[:1])]

    @property
    def shown_config(self) -> dict[str, Any]:
        """The config with what is known of a published model."""
        published = self.published_model
        return {**published_config(published), **self.config} if published else self.config


PYTORCH = "pytorch"
PUBLISHED = TypeAdapter(PublishedModel)
USUAL_INPUTS = ("text_field", "input")
LOCATION = {"index": {"name": ".ml-inference-native-000001"}}
PREFIXED = (InputType.INGEST, InputType.SEARCH)
# Which kind of tokenizer a network has, by the kind of the network; BERT's for any other.
TOKENIZATIONS = {
    "mpnet": "mpnet",
    "roberta": "roberta",
    "xlm-roberta": "xlm_roberta",
    "deberta-v2": "deberta_v2",
}


def stored(model: PublishedModel) -> dict[str, Any]:
    """What `TrainedModel.published` keeps of a model that was added."""
    kept: dict[str, Any] = PUBLISHED.dump_python(model, mode="json")
    return kept


def published_config(model: PublishedModel) -> dict[str, Any]:
    """The config that somebody would have put for such a model."""
    weights, is_builtin = model.weights, model.model_id in BUILTIN_MODELS
    tokenization = TOKENIZATIONS.get(weights.architecture, "bert")
    options: dict[str, Any] = {
        "tokenization": {tokenization: {"max_sequence_length": model.max_input_tokens}}
    }
    if model.dimensions:
        options["embedding_size"] = model.dimensions
    config: dict[str, Any] = {
        "model_type": PYTORCH,
        "description": model.description,
        "tags": ["prepackaged"] if is_builtin else [],
        "metadata": {
            "license": weights.licence,
            "languages": list(model.languages),
            "source": "@".join(filter(None, (weights.repository, weights.revision))),
        },
        "input": {"field_names": [USUAL_INPUTS[0]]},
        "inference_config": InferenceConfig.model_validate(
            {Kind.of(model.task_type): options}
        ).to_response(),
        "location": LOCATION,
    }
    if is_builtin:
        config["model_package"] = {
            "packaged_model_id": model.model_id.removeprefix("."),
            "size": weights.size_bytes,
        }
    elif model.prefixes:
        config["prefix_strings"] = {
            kind.value: text for kind, text in model.prefixes.items() if kind in PREFIXED
        }
    return config


def upload_facts(model: TrainedModel) -> ModelFacts:
    """What the config of an upload says, which is all that is known of it."""
    config = model.config
    kinds: dict[str, Any] = config["inference_config"] if model.is_pytorch else {}
    options: dict[str, Any] = next(iter(kinds.values()), {})
    tokenization: dict[str, Any] = next(iter(options.get("tokenization", {}).values()), {})
    prefixes = config.get("prefix_strings", {})
    metadata = config.get("metadata", {})
    is_dense = model.task_type == TaskType.TEXT_EMBEDDING
    hashes = {"definition": model.definition_sha256, "vocabulary": model.vocabulary_sha256}
    content = {"files": hashes, "inference_config": kinds, "prefixes": prefixes}
    return ModelFacts(
        model_id=model.model_id,
        origin=Origin.UPLOADED,
        task_type=TaskType(model.task_type) if model.task_type else None,
        max_input_tokens=tokenization.get("max_sequence_length", 0),
        size_bytes=model.definition_bytes or 0,
        identity=content if all(hashes.values()) else None,
        licence=said(metadata, "license"),
        description=said(config, "description"),
        dimensions=options.get("embedding_size") if is_dense else None,
        prefixes={InputType(name): prefix for name, prefix in prefixes.items()},
    )


def said(part: Any, name: str) -> str:
    """A text of somebody's config; empty where it holds none of this name."""
    value = part.get(name) if isinstance(part, dict) else None
    return value if isinstance(value, str) else ""
