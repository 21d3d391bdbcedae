"""Hosted models: the files they come from and what is known of them."""

from django.db import models

from endpoints.models.base import Record


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


class TrainedModel(Record):
    """A network that can be deployed."""

    model_id = models.CharField(max_length=64, unique=True)
    task_type = models.CharField(max_length=32)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="models")

    def __str__(self) -> str:
        return self.model_id
