"""Ending API keys for good, whatever it is that ends them."""

from django.utils import timezone

from endpoints import audit
from endpoints.models import ApiKey
from endpoints.models.api_key import ApiKeyQuerySet


def revoke(keys: ApiKeyQuerySet, reason: str = "") -> list[str]:
    """Let these keys work no longer from the next call on, in the transaction of its caller.

    reason: why, where nobody asked for it. Every key is told by itself, so that its own history
    says what became of it. Returns the ids of those that were not revoked before.
    """
    ended = list(keys.not_invalidated().select_related("user", "team"))
    now = timezone.now()
    same = ApiKey.objects.filter(pk__in=[key.pk for key in ended])
    same.update(invalidated_at=now, updated_at=now)
    for key in ended:
        before = {"name": key.name, "owner": key.user.username}
        audit.record("key.revoke", key.key_id, team=key.team, before=before, reason=reason)
    return [key.key_id for key in ended]
