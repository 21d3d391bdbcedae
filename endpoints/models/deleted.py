"""Deleted endpoints that can be brought back for a while."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from endpoints.models.endpoint import Endpoint
from endpoints.models.team import Team
from endpoints.models.user import User


class DeletedEndpointQuerySet(models.QuerySet["DeletedEndpoint"]):
    def of_teams(self, teams: Collection[int]) -> "DeletedEndpointQuerySet":
        return self.filter(team__in=teams)

    def restorable(self) -> "DeletedEndpointQuerySet":
        """Those whose time is not over, the last deleted first."""
        return self.filter(deleted_at__gt=kept_since()).order_by("-deleted_at", "-pk")

    def over(self) -> "DeletedEndpointQuerySet":
        return self.filter(deleted_at__lte=kept_since())


class DeletedEndpoint(models.Model):
    """An endpoint as it was when it was deleted, with its secrets, which stay encrypted.

    shares: the primary key of a team, or null for everyone, with the level. used_by: what named
    the id, as far as who deleted it saw that: objects of `kind`, `name` and `cluster`. elsewhere:
    how much named it beside that, by kind.
    """

    inference_id = models.CharField(max_length=256, db_index=True)
    # Nobody could bring back what belonged to a team that is gone, so it goes with the team.
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+")
    task_type = models.CharField(max_length=32)
    service = models.CharField(max_length=64)
    service_settings = models.JSONField(default=dict)
    task_settings = models.JSONField(default=dict)
    chunking_settings = models.JSONField(null=True)
    encrypted_secrets = models.TextField(blank=True)
    learned_settings = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, blank=True)
    is_cached = models.BooleanField(default=False)
    shares = models.JSONField(default=list)
    used_by = models.JSONField(default=list)
    elsewhere = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    deleted_at = models.DateTimeField(db_index=True)
    deleted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = DeletedEndpointQuerySet.as_manager()

    def __str__(self) -> str:
        return self.inference_id

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that it was, which is not stored."""
        return Endpoint(
            inference_id=self.inference_id,
            team=self.team,
            task_type=self.task_type,
            service=self.service,
            service_settings=self.service_settings,
            task_settings=self.task_settings,
            chunking_settings=self.chunking_settings,
            learned_settings=self.learned_settings,
            fingerprint=self.fingerprint,
            created_by=self.created_by,
        )

    @property
    def until(self) -> datetime:
        """When it is wiped."""
        return self.deleted_at + timedelta(days=settings.RESTORE_DAYS)

    @property
    def days_left(self) -> int:
        """The begun ones count."""
        left = self.until - timezone.now()
        return max(left.days + 1, 1)


def kept_since() -> datetime:
    return timezone.now() - timedelta(days=settings.RESTORE_DAYS)
