"""Signs of life of the parts that do not answer HTTP."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

INTERVAL_S = 2.0
FRESH_FOR_S = 10.0
FORGOTTEN_AFTER_S = 3600.0


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def fresh(self) -> "HeartbeatQuerySet":
        return self.filter(seen_at__gt=timezone.now() - timedelta(seconds=FRESH_FOR_S))

    def stale(self) -> "HeartbeatQuerySet":
        """Of processes that ended without a word, long enough ago to be forgotten."""
        return self.filter(seen_at__lt=timezone.now() - timedelta(seconds=FORGOTTEN_AFTER_S))


class Heartbeat(models.Model):
    """The last time that one process of a part (runner, worker) said it lives."""

    part = models.CharField(max_length=20)
    instance = models.CharField(max_length=200, unique=True)
    seen_at = models.DateTimeField()
    # What its machine, or its container, has left; None where the system does not tell.
    available_bytes = models.BigIntegerField(null=True)

    objects = HeartbeatQuerySet.as_manager()

    def __str__(self) -> str:
        return self.instance
