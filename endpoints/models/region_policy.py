"""Where hosted services may run."""

from typing import Any

from django.db import models

from endpoints.models.base import iso
from endpoints.models.user import User


class RegionPolicy(models.Model):
    """The one policy of the installation, if it has one."""

    only = models.BooleanField(primary_key=True, default=True)
    policy = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    updated_at = models.DateTimeField(null=True)
    updated_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(only=True), name="one_policy"),)

    def __str__(self) -> str:
        return f"{self.policy}"

    def to_response(self) -> dict[str, Any]:
        """The policy as the API shows it; of an update only after there was one."""
        shown: dict[str, Any] = {"region_policy": self.policy}
        for what in ("created", "updated"):
            if at := getattr(self, f"{what}_at"):
                shown[f"{what}_at"] = iso(at)
                if by := getattr(self, f"{what}_by"):
                    shown[f"{what}_by"] = by.username
        return shown
