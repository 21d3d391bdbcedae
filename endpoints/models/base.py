from datetime import UTC, datetime

from django.db import models


class Record(models.Model):
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


def iso(moment: datetime) -> str:
    """A moment as the API shows it: in UTC, to the millisecond."""
    shown = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return shown.replace("+00:00", "Z")
