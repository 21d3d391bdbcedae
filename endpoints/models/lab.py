"""What somebody tries out in the lab: a document, cut in two ways, and the vectors of both."""

import secrets
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from endpoints.models.base import Record
from endpoints.models.user import User

SIDES = ("a", "b")
KEPT = timedelta(days=1)


def fresh_key() -> str:
    """What a run is called in addresses; nobody guesses it."""
    return secrets.token_hex(8)


class LabState(models.TextChoices):
    """Of the embedding of a run."""

    NEW = "new"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"


class LabRunQuerySet(models.QuerySet["LabRun"]):
    def of(self, user: User) -> "LabRunQuerySet":
        return self.filter(owner=user)

    def without_text(self) -> "LabRunQuerySet":
        """For who needs no document, which may be long."""
        return self.defer("text")

    def over(self) -> "LabRunQuerySet":
        """Those that nobody looked at for long."""
        return self.filter(updated_at__lt=timezone.now() - KEPT)

    def under_way(self) -> "LabRunQuerySet":
        return self.filter(state=LabState.RUNNING)


class LabRun(Record):
    """One document and the last experiment with it. Only who made it sees it."""

    key = models.CharField(max_length=32, unique=True, default=fresh_key, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    characters = models.PositiveIntegerField()
    # What of an uploaded document is not in its text, in words.
    losses = models.JSONField(default=list)

    state = models.CharField(max_length=16, choices=LabState.choices, default=LabState.NEW)
    reason = models.TextField(blank=True)
    # Another number for each embedding, so that one which was replaced writes nothing more.
    attempt = models.PositiveIntegerField(default=0)
    worked_on_at = models.DateTimeField(null=True)
    inference_id = models.CharField(max_length=256, blank=True)
    # How many characters of the text are embedded on both sides.
    reach = models.PositiveIntegerField(default=0)
    # The rest by side: chunking settings, chunks to embed, chunks embedded, milliseconds it took.
    chunking = models.JSONField(default=dict)
    wanted = models.JSONField(default=dict)
    embedded = models.JSONField(default=dict)
    took_ms = models.JSONField(default=dict)
    # How the vectors are stored and compared; empty for sparse ones.
    vectors = models.JSONField(default=dict)
    # The last column, so that to read the others SQLite need not pass through megabytes of it.
    text = models.TextField()

    objects = LabRunQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        return self.state == LabState.RUNNING

    @property
    def is_done(self) -> bool:
        return self.state == LabState.DONE

    @property
    def percent(self) -> float:
        """How much of what is to be embedded is."""
        wanted: int = sum(self.wanted.values())
        done: int = sum(self.embedded.values())
        return 100 * done / wanted if wanted else 0.0

    def settings_of(self, side: str) -> Any:
        """The chunking settings that a side was embedded with; None where it was not."""
        return self.chunking.get(side)


class LabBatch(models.Model):
    """The vectors of some chunks of one side, one after the other."""

    run = models.ForeignKey(LabRun, on_delete=models.CASCADE, related_name="batches")
    side = models.CharField(max_length=1)
    first = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ("first",)
        constraints = (
            models.UniqueConstraint(fields=("run", "side", "first"), name="one_batch_of_a_place"),
        )

    def __str__(self) -> str:
        return f"{self.run_id}/{self.side}/{self.first}"
