"""What models were found to take and to do on this machine."""

from django.db import models

from endpoints.models.base import Record
from endpoints.models.model import TrainedModel


class ModelMeasure(Record):
    """Of one model at one precision, noted at its first start that worked.

    tokens_per_s: of one allocation with that many threads.
    """

    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="measures")
    precision = models.CharField(max_length=20)
    memory_bytes = models.BigIntegerField()
    tokens_per_s = models.FloatField()
    num_threads = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("model", "precision"), name="one_measure_of_a_model"),
        )

    def __str__(self) -> str:
        return f"{self.model} {self.precision}"
