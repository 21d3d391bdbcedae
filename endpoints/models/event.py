"""What deployments went through, kept so that a failure of last night can be understood."""

from typing import Any

from django.db import models
from django.utils import timezone

from endpoints.models.deployment import Deployment


class EventPhase(models.TextChoices):
    WAITING = "waiting", "Waiting for its files"
    DOWNLOADING = "downloading", "Downloading"
    PAUSED = "paused", "Its download is paused"
    CONVERTING = "converting", "Converting"
    LOADING = "loading", "Loading"
    WARMING = "warming", "Warming up"
    SERVING = "serving", "Serving"
    RECYCLING = "recycling", "Being replaced by a fresh process"
    RESTING = "resting", "Resting, without allocations"
    FAILED = "failed", "Failed"


class DeploymentEvent(models.Model):
    """A deployment came to a phase. reason: why, or how long it took; often nothing."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="events")
    phase = models.CharField(max_length=20, choices=EventPhase.choices)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.deployment}: {self.phase}"

    def to_response(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"state": self.phase, "timestamp": int(self.at.timestamp() * 1000)}
        return shown | {"reason": self.reason} if self.reason else shown
