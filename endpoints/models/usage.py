"""What was asked of each endpoint, by the hour."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from endpoints.models.endpoint import Endpoint
from endpoints.models.user import User


@dataclass(frozen=True)
class TruncatedShare:
    """How many inputs were cut, of how many, since the hour that begins at `since`."""

    truncated_inputs: int
    inputs: int
    since: datetime


@dataclass(frozen=True)
class CachedShare:
    """How many inputs were looked for in the cache, and how many of them needed no computing."""

    looked_up_inputs: int
    cached_inputs: int


@dataclass(frozen=True)
class Trials:
    """last_at: None where there was none."""

    count: int
    last_at: datetime | None


class UsageHourQuerySet(models.QuerySet["UsageHour"]):
    def truncated_share(self) -> TruncatedShare | None:
        """None where nothing was cut."""
        found = self.aggregate(
            truncated_inputs=models.Sum("truncated_inputs"),
            inputs=models.Sum("inputs"),
            since=models.Min("hour"),
        )
        return TruncatedShare(**found) if found["truncated_inputs"] else None

    def cached_share(self) -> CachedShare:
        names = ("looked_up_inputs", "cached_inputs")
        return CachedShare(
            **self.aggregate(**{name: models.Sum(name, default=0) for name in names})
        )


# In the place of a key id: of who tried the endpoint on a page of the console. No key has it.
TRIED = "_tried"
CALLED, WAS_TRIED = ~models.Q(key_id=TRIED), models.Q(key_id=TRIED)


class CallerDayQuerySet(models.QuerySet["CallerDay"]):
    def calls(self) -> "CallerDayQuerySet":
        """Those through the API, which may come again by themselves."""
        return self.filter(CALLED)

    def trials(self) -> Trials:
        """How often it was tried on a page, by whomever."""
        return Trials(
            **self.filter(WAS_TRIED).aggregate(
                count=models.Sum("requests", default=0), last_at=models.Max("called_at")
            )
        )

    def by_caller(self) -> models.QuerySet["CallerDay", tuple[Any, ...]]:
        """Each caller once, whoever called last first: name, key id, how often, and when last."""
        callers = self.values_list("user__username", "key_id")
        last_at = models.Max("called_at")
        told = callers.annotate(calls=models.Sum("requests"), last_at=last_at)
        return told.order_by(models.F("last_at").desc(), "user__username", "key_id")


class UsageHour(models.Model):
    """One hour of one endpoint; endpoints/usage.py adds to it.

    hour: its beginning, in UTC. requests: all calls, failed ones too. errors: the failed ones.
    inputs: the texts that the other calls held; the query of a rerank is one of them.
    truncated_inputs, truncated_tokens: how many of these texts were cut to the model's window, and
    by how much; of very long texts at least by so much. looked_up_inputs: how many of these texts
    were looked for in the cache. cached_inputs: how many of those needed no computing.
    latencies: how many answers took how long, as endpoints/latencies.py counts them.
    failures: how many of the errors were of which kind, as endpoints/failure_kinds.py names them.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="usage")
    hour = models.DateTimeField()
    requests = models.BigIntegerField(default=0)
    inputs = models.BigIntegerField(default=0)
    errors = models.BigIntegerField(default=0)
    truncated_inputs = models.BigIntegerField(default=0)
    truncated_tokens = models.BigIntegerField(default=0)
    looked_up_inputs = models.BigIntegerField(default=0)
    cached_inputs = models.BigIntegerField(default=0)
    latencies = models.JSONField(default=dict)
    failures = models.JSONField(default=dict)

    objects = UsageHourQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("endpoint", "hour"), name="one_row_an_hour"),
        )

    def __str__(self) -> str:
        return f"{self.endpoint_id} at {self.hour:%Y-%m-%d %H}:00"


class LatestUsage(models.Model):
    """The last day on which an endpoint was called, so that a list of thousands need add up none.

    day: in UTC. p95_ms: of the answers of that day; null where there was none.
    """

    endpoint = models.OneToOneField(
        Endpoint, on_delete=models.CASCADE, primary_key=True, related_name="latest_usage"
    )
    day = models.DateField()
    requests = models.BigIntegerField(default=0)
    errors = models.BigIntegerField(default=0)
    latencies = models.JSONField(default=dict)
    p95_ms = models.FloatField(null=True)
    called_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.endpoint_id} on {self.day}"


class CallerDay(models.Model):
    """How often somebody called an endpoint on one day, in UTC.

    key_id: the API key that they came with; empty where they came with a password, and TRIED where
    they only tried the endpoint in the console.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="callers")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key_id = models.CharField(max_length=20, blank=True)
    day = models.DateField()
    requests = models.BigIntegerField(default=0)
    called_at = models.DateTimeField()

    objects = CallerDayQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("endpoint", "user", "key_id", "day"), name="one_row_of_a_caller_a_day"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} at {self.endpoint_id} on {self.day}"
