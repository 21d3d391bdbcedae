"""Hosted models: the files they come from and what is known of them."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from endpoints.models.base import Record
from endpoints.models.user import User
from inference.nlp_config import InferenceConfig, Kind
from inference.runner.catalogue import BUILTIN_MODELS


class ArtifactState(models.TextChoices):
    ABSENT = "absent", "not downloaded"
    QUEUED = "queued", "waiting for a worker"
    DOWNLOADING = "downloading", "downloading"
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


class TrainedModel(Record):
    """A network that can be deployed: one of the catalogue, or one that somebody uploaded."""

    model_id = models.CharField(max_length=64, unique=True)
    # Of the endpoints that it can serve; empty where there is no task for what it does.
    task_type = models.CharField(max_length=32, blank=True)
    # None for an upload, whose files came with its parts.
    artifact = models.ForeignKey(
        Artifact, null=True, on_delete=models.PROTECT, related_name="models"
    )
    # What was put, with the defaults filled in; of a built-in model only what differs.
    config = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # What the parts of the definition add up to, and how many there are; None before the first.
    definition_bytes = models.BigIntegerField(null=True)
    definition_parts = models.PositiveIntegerField(null=True)
    has_vocabulary = models.BooleanField(default=False)

    objects = TrainedModelQuerySet.as_manager()

    class Meta:
        ordering = ("model_id",)

    def __str__(self) -> str:
        return self.model_id

    @property
    def is_builtin(self) -> bool:
        return self.artifact_id is not None

    @property
    def is_pytorch(self) -> bool:
        return self.is_builtin or self.config.get("model_type") == PYTORCH

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
        if self.is_builtin:
            return BUILTIN_MODELS[self.model_id].weights.size_bytes
        return self.definition_bytes or 0

    @property
    def input_fields(self) -> list[str]:
        """The fields of a document that may hold its text, the first that is there counts."""
        named = self.shown_config.get("input", {}).get("field_names", ())
        return [*named[:1], *(name for name in USUAL_INPUTS if name not in named[:1])]

    @property
    def shown_config(self) -> dict[str, Any]:
        """The config with what the catalogue knows of a built-in model."""
        known = builtin_config(self.model_id) if self.is_builtin else {}
        return {**known, **self.config}


PYTORCH = "pytorch"
USUAL_INPUTS = ("text_field", "input")
LOCATION = {"index": {"name": ".ml-inference-native-000001"}}


def builtin_config(model_id: str) -> dict[str, Any]:
    """The config of a model of the catalogue."""
    builtin = BUILTIN_MODELS[model_id]
    kind = Kind.of(builtin.task_type)
    options: dict[str, Any] = {
        "tokenization": {"bert": {"max_sequence_length": builtin.max_input_tokens}}
    }
    if builtin.dimensions:
        options["embedding_size"] = builtin.dimensions
    return {
        "model_type": PYTORCH,
        "description": builtin.description,
        "tags": ["prepackaged"],
        "metadata": {
            "license": builtin.weights.licence,
            "languages": list(builtin.languages),
            "source": f"{builtin.weights.repository}@{builtin.weights.revision}",
        },
        "model_package": {
            "packaged_model_id": model_id.removeprefix("."),
            "size": builtin.weights.size_bytes,
        },
        "input": {"field_names": [USUAL_INPUTS[0]]},
        "inference_config": InferenceConfig.model_validate({kind: options}).to_response(),
        "location": LOCATION,
    }
