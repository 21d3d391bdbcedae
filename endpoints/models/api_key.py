"""API keys: who a program acts for."""

import hashlib
import hmac
import secrets
from datetime import datetime

from django.db import models
from django.utils import timezone

from endpoints.models.base import Record
from endpoints.models.lookup import Lookup
from endpoints.models.user import User

ID_BYTES, SECRET_BYTES = 15, 16  # 20 and 22 characters of base64url, as Elasticsearch's


class ApiKey(Record):
    """A key of one person. Only a digest of the secret is kept.

    The secret holds 128 random bits, so one round of SHA-256 protects it; a slow password hash
    would add nothing but time to every call.
    """

    key_id = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=256)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    secret_sha256 = models.CharField(max_length=64)
    expires_at = models.DateTimeField(null=True)
    invalidated_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key_id

    @classmethod
    def issue(
        cls, user: User, name: str, expires_at: datetime | None = None
    ) -> tuple["ApiKey", str]:
        """Store a new key; the secret returned beside it can never be read again."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        key = cls.objects.create(
            key_id=secrets.token_urlsafe(ID_BYTES),
            name=name,
            user=user,
            secret_sha256=_digest(secret),
            expires_at=expires_at,
        )
        return key, secret

    @property
    def is_valid(self) -> bool:
        """Neither revoked nor expired."""
        is_expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.invalidated_at is None and not is_expired

    def matches(self, secret: str) -> bool:
        return hmac.compare_digest(self.secret_sha256, _digest(secret))


api_key_by_id = Lookup(lambda key_id: ApiKey.objects.filter(key_id=key_id), example="")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
