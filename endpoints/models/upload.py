"""The parts in which the definition of an uploaded model arrives."""

from django.db import models

from endpoints.models.base import Record
from endpoints.models.model import TrainedModel


class DefinitionPart(Record):
    """One part, written down once its bytes are safe on the disk."""

    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("model", "number"), name="one_part_of_a_number"),
        )

    def __str__(self) -> str:
        return f"{self.model_id}/{self.number}"
