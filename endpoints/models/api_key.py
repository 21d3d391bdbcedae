"""API keys: who a program acts for."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models.functions import Left
from django.utils import timezone

from endpoints.models.base import Record
from endpoints.models.lookup import Lookup
from endpoints.models.team import Team
from endpoints.models.user import (
    BUILTIN_USERNAME,
    NATIVE_REALM,
    RESERVED_REALM,
    SERVICE_REALM,
    User,
)
from endpoints.privileges import Roles, covers

ID_BYTES, SECRET_BYTES = 15, 16  # 20 and 22 characters of base64url, as Elasticsearch's


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def named(self, name: str) -> "ApiKeyQuerySet":
        """Keys of this name, or whose name begins with it where a `*` ends it."""
        if not name.endswith("*"):
            return self.filter(name=name)
        start = name[:-1]
        # `startswith` ignores case on SQLite.
        return self.alias(start=Left("name", len(start))).filter(start=start) if start else self

    def of_realm(self, realm: str) -> "ApiKeyQuerySet":
        """Keys of those who are known from there."""
        if realm == SERVICE_REALM[0]:
            return self.exclude(user__service_team=None)
        people = self.filter(user__service_team=None)
        if realm == RESERVED_REALM[0]:
            return people.filter(user__username=BUILTIN_USERNAME)
        if realm == NATIVE_REALM[0]:
            return people.exclude(user__username=BUILTIN_USERNAME)
        return self.none()

    def in_team(self, name: str) -> "ApiKeyQuerySet":
        """Keys that work in the team of this name, and in no other."""
        return self.filter(team__name=name)

    def not_invalidated(self) -> "ApiKeyQuerySet":
        return self.filter(invalidated_at=None)

    def valid(self) -> "ApiKeyQuerySet":
        """Neither revoked nor expired."""
        lasting = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return self.not_invalidated().filter(lasting)


class ApiKey(Record):
    """A key of a person or of a service account. Only a digest of the secret is kept.

    The secret holds 128 random bits, so one round of SHA-256 protects it; a slow password hash
    would add nothing but time to every call.
    """

    key_id = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=256)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    # Where it may do what it may; None where its owner's own roles hold, which is everywhere.
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="api_keys")
    secret_sha256 = models.CharField(max_length=64)
    expires_at = models.DateTimeField(null=True)
    invalidated_at = models.DateTimeField(null=True)
    # Roles by name, as the API writes them: those the key is given, none for all of its owner's,
    # and those that its owner had when it was made, which it can never exceed.
    role_descriptors = models.JSONField(default=dict, blank=True)
    limited_by = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    # What it is narrowed to: task types, and patterns of ids. Empty where it is not.
    tasks = models.JSONField(default=list, blank=True)
    endpoints = models.JSONField(default=list, blank=True)
    requests_per_minute = models.PositiveIntegerField(null=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # The key whose secret this one came for; that one ends soon after.
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.SET_NULL, related_name="replaced_by"
    )
    # Written now and then by every process that the key calls.
    last_used_at = models.DateTimeField(null=True)
    last_used_from = models.CharField(max_length=64, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ("created_at", "pk")

    def __str__(self) -> str:
        return self.key_id

    @classmethod
    def issue(
        cls,
        user: User,
        name: str,
        *,
        limited_by: Roles,
        role_descriptors: Roles,
        metadata: dict[str, Any],
        expires_at: datetime | None,
        **columns: Any,
    ) -> tuple["ApiKey", str]:
        """Store a new key; the secret returned beside it can never be read again.

        columns: the others, by name.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)
        key = cls.objects.create(
            key_id=secrets.token_urlsafe(ID_BYTES),
            name=name,
            user=user,
            secret_sha256=_digest(secret),
            expires_at=expires_at,
            limited_by=limited_by,
            role_descriptors=role_descriptors,
            metadata=metadata,
            **columns,
        )
        return key, secret

    @property
    def is_valid(self) -> bool:
        """Neither revoked nor expired."""
        is_expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.invalidated_at is None and not is_expired

    @property
    def is_narrowed(self) -> bool:
        """Whether it works for some endpoints only, and then for nothing else."""
        return bool(self.tasks or self.endpoints)

    def reaches(self, inference_id: str, task_type: str) -> bool:
        """Whether an endpoint is among those that the key is narrowed to."""
        if self.tasks and task_type not in self.tasks:
            return False
        return not self.endpoints or any(covers(one, inference_id) for one in self.endpoints)

    def encoded(self, secret: str) -> str:
        """What stands in the Authorization header, behind `ApiKey`."""
        return base64.b64encode(f"{self.key_id}:{secret}".encode()).decode()

    def matches(self, secret: str) -> bool:
        return hmac.compare_digest(self.secret_sha256, _digest(secret))


# What tells whose key it is and what it may do; the rest is read when somebody asks for it.
_callers = ApiKey.objects.only(
    "key_id",
    "name",
    "user",
    "team",
    "secret_sha256",
    "expires_at",
    "invalidated_at",
    "role_descriptors",
    "limited_by",
    "tasks",
    "endpoints",
    "requests_per_minute",
)
api_key_by_id = Lookup(lambda key_id: _callers.filter(key_id=key_id), example="")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
