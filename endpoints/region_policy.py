"""The one policy of the installation that says where hosted services may run."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from endpoints import audit
from endpoints.models import RegionPolicy, User
from inference.errors import Conflict, NotFound

NAME = "region_policy"


@transaction.atomic
def set_region_policy(actor: User, policy: dict[str, Any]) -> RegionPolicy:
    """Store the policy, over the one that there may be.

    Raises Conflict when somebody else sets the first one at the same time.
    """
    now, before = timezone.now(), None
    stored = RegionPolicy.objects.select_for_update().first()
    if stored is None:
        try:
            stored = RegionPolicy.objects.create(policy=policy, created_at=now, created_by=actor)
        except IntegrityError:
            raise Conflict("The region policy was set by somebody else meanwhile") from None
    else:
        before = stored.policy
        stored.policy, stored.updated_at, stored.updated_by = policy, now, actor
        stored.save()
    audit.record("region_policy.put", NAME, before=before, after=policy)
    return stored


@transaction.atomic
def remove_region_policy() -> None:
    """Raises NotFound where there is none."""
    stored = RegionPolicy.objects.select_for_update().first()
    if stored is None:
        raise NotFound("No region policy is configured for this installation")
    before = stored.policy
    stored.delete()
    audit.record("region_policy.delete", NAME, before=before)
