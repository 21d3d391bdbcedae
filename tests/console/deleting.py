"""What the tests of the pages that delete have in common."""

from datetime import timedelta

from django.utils import timezone

from endpoints.models import CallerDay, Endpoint, LatestUsage, User

DELETE = "/console/endpoints/my-endpoint/delete"
LOOK = f"{DELETE}?look=1"
MANY = "/console/endpoints/_delete"
DELETED = "/console/endpoints/_deleted"
RESTORE = f"{DELETED}/restore"


def called(
    endpoint: Endpoint, by: User, ago: timedelta, key_id: str = "", requests: int = 3
) -> None:
    at = timezone.now() - ago
    LatestUsage.objects.update_or_create(
        endpoint=endpoint, defaults={"day": at.date(), "requests": requests, "called_at": at}
    )
    CallerDay.objects.create(
        endpoint=endpoint,
        user=by,
        key_id=key_id,
        day=at.date(),
        requests=requests,
        called_at=at,
    )
