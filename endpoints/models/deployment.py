"""Deployments: models that are asked to run, and how far they are."""

from collections.abc import Collection

from django.db import models

from endpoints.models.base import Record
from endpoints.models.model import TrainedModel
from endpoints.models.team import Team


class DeploymentState(models.TextChoices):
    WAITING = "waiting", "waiting for the model's files"
    STARTING = "starting", "starting"
    STARTED = "started", "running"
    FAILED = "failed", "failed"


# How the reason of one begins that runs, but not yet, or not ever, in the precision that is wished.
GOES_ON = "goes on in ["


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def with_files(self) -> "DeploymentQuerySet":
        return self.select_related("model__artifact")

    def of_teams(self, teams: Collection[int]) -> "DeploymentQuerySet":
        """Deployments that these teams started by themselves, without an endpoint."""
        return self.filter(team__in=teams)


class Deployment(Record):
    """One model asked to run. The row is the wish; the runner writes the observed columns.

    A deployment is wanted as long as its row exists.
    """

    deployment_id = models.CharField(max_length=256, unique=True)
    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="deployments")
    # Who started it by itself. One that was started for an endpoint is whosever that is.
    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="deployments")
    num_allocations = models.PositiveIntegerField(default=1)
    num_threads = models.PositiveIntegerField(default=1)
    # As it was asked for; empty where it was not, which is full precision.
    precision = models.CharField(max_length=8, blank=True)
    # As the API spells them; None where the number of allocations is fixed.
    adaptive_allocations = models.JSONField(null=True)
    queue_capacity = models.PositiveIntegerField(default=10_000)
    # Told again as they were given: nothing is cached here, and no deployment waits for another.
    cache_size = models.CharField(max_length=32, blank=True)
    priority = models.CharField(max_length=10, default="normal")
    # Raised to ask for a fresh start of a deployment that failed.
    generation = models.PositiveIntegerField(default=1)

    state = models.CharField(
        max_length=20, choices=DeploymentState.choices, default=DeploymentState.WAITING
    )
    reason = models.TextField(blank=True)
    state_changed_at = models.DateTimeField(auto_now_add=True)
    # What its host counted, by the API's names, and the precision that it runs in; what is missing
    # is not known yet.
    stats = models.JSONField(default=dict)

    objects = DeploymentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.deployment_id

    @property
    def current_allocations(self) -> int:
        """How many are at work, as far as the runner told; all of them where it only said so."""
        if self.state != DeploymentState.STARTED:
            return 0
        count: int = self.stats.get("current_allocations", self.num_allocations)
        return count

    @property
    def running_precision(self) -> str:
        """What its host computes in, or last did; empty where that was never seen."""
        told: str = self.stats.get("precision", "")
        return told

    @property
    def is_adaptive(self) -> bool:
        return bool((self.adaptive_allocations or {}).get("enabled"))

    @property
    def words(self) -> str:
        """What it is doing; why it waits where that is not for its files."""
        is_told = self.state == DeploymentState.WAITING and self.reason
        return self.reason if is_told else DeploymentState(self.state).label
