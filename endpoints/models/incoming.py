"""Models on their way in from a browser or a program, file by file and piece by piece."""

from collections.abc import Collection
from pathlib import Path

from django.conf import settings
from django.db import models

from endpoints.models.base import Record
from endpoints.models.team import Team
from endpoints.models.user import User


class ModelUploadQuerySet(models.QuerySet["ModelUpload"]):
    def of_teams(self, teams: Collection[int]) -> "ModelUploadQuerySet":
        return self.filter(team__in=teams)


class ModelUpload(Record):
    """What somebody announced to send. How much of it is here, the files themselves say.

    files: pairs of a name and a size in bytes, in the order in which they are best sent.
    options: what was said of the model, over what its files say.
    """

    model_id = models.CharField(max_length=64, unique=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    files = models.JSONField()
    options = models.JSONField(default=dict)

    objects = ModelUploadQuerySet.as_manager()

    class Meta:
        ordering = ("model_id",)

    def __str__(self) -> str:
        return self.model_id

    @property
    def folder(self) -> Path:
        """Where its files lie. A key is never given twice, so a folder neither."""
        folder: Path = settings.MODEL_DIR / "incoming" / str(self.pk)
        return folder

    @property
    def bytes_total(self) -> int:
        return sum(size for _, size in self.files)
