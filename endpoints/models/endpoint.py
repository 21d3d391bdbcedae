"""Endpoints: a name for a service with its settings."""

from typing import Any

from django.db import models

from endpoints.models.base import Record
from endpoints.models.deployment import Deployment
from endpoints.models.lookup import Lookup
from endpoints.models.user import User
from inference.types import TaskType


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def visible_to(self, user: User) -> "EndpointQuerySet":
        """Everyone who can sign in sees every endpoint."""
        return self if user.is_active else self.none()

    def with_status(self) -> "EndpointQuerySet":
        """With everything that tells how an endpoint is, in the same query."""
        return self.select_related("deployment__model__artifact")

    def named_like(self, text: str) -> "EndpointQuerySet":
        """Endpoints with this text in their id, service or model; all of them for no text."""
        if not text:
            return self
        return self.filter(
            models.Q(inference_id__icontains=text)
            | models.Q(service__icontains=text)
            | models.Q(service_settings__model_id__icontains=text)
        )


class Endpoint(Record):
    inference_id = models.CharField(max_length=256, unique=True)
    task_type = models.CharField(max_length=32)
    service = models.CharField(max_length=64)
    service_settings = models.JSONField(default=dict)
    task_settings = models.JSONField(default=dict, blank=True)
    chunking_settings = models.JSONField(null=True)
    # The id itself stands in the row, so that a call to the model needs no join.
    deployment = models.ForeignKey(
        Deployment,
        to_field="deployment_id",
        null=True,
        on_delete=models.SET_NULL,
        related_name="endpoints",
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ("inference_id",)

    def __str__(self) -> str:
        return self.inference_id

    @property
    def task(self) -> TaskType:
        return TaskType(self.task_type)

    @property
    def config(self) -> dict[str, Any]:
        """The settings as a request would give them."""
        config = {"service_settings": self.service_settings, "task_settings": self.task_settings}
        if self.task.is_chunked:
            config["chunking_settings"] = self.chunking_settings
        return config

    def to_response(self) -> dict[str, Any]:
        """The endpoint as the API shows it, keys in Elasticsearch's order."""
        shown: dict[str, Any] = {
            "inference_id": self.inference_id,
            "task_type": self.task_type,
            "service": self.service,
            "service_settings": self.service_settings,
        }
        if self.task_settings:
            shown["task_settings"] = self.task_settings
        if self.task.is_chunked:
            shown["chunking_settings"] = self.chunking_settings
        return shown


# What a call needs to know; the rest is read when somebody asks for it.
_called = Endpoint.objects.only(
    "inference_id", "task_type", "service", "task_settings", "deployment"
)
endpoint_by_id = Lookup(lambda value: _called.filter(inference_id=value), example="")
