"""What is left of deleted endpoints."""

from django.db import models

from endpoints.models.endpoint import Endpoint
from endpoints.models.team import Team
from endpoints.models.user import User


class EndpointTombstone(models.Model):
    """The last endpoint that had this id and is gone.

    consumers: who named the id when it was deleted, by kind: `pipelines`, `indexes`, sorted names.
    """

    inference_id = models.CharField(max_length=256, unique=True)
    # Whose the endpoint was: nobody else is told what it had been.
    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="+")
    task_type = models.CharField(max_length=32)
    service = models.CharField(max_length=64)
    model_id = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    consumers = models.JSONField(default=dict)
    deleted_at = models.DateTimeField()
    deleted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return self.inference_id

    def fits(self, endpoint: Endpoint) -> bool:
        """Whether what was stored with the deleted endpoint goes with what this one makes.

        Without a fingerprint to compare, another service or model is what tells them apart.
        """
        if self.task_type != endpoint.task_type:
            return False
        if self.fingerprint or not endpoint.task.makes_vectors:
            return self.fingerprint == endpoint.fingerprint
        return (self.service, self.model_id) == (endpoint.service, endpoint.model_id)
