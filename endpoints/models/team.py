"""Teams, who is in them with which role, and what of theirs others may use."""

from django.db import models

from endpoints.models.base import Record
from endpoints.models.user import User

DEFAULT_TEAM = "default"


class TeamRole(models.TextChoices):
    """What a member may do with what belongs to the team; each includes those before it."""

    INFERENCE_USER = "inference_user", "user"
    INFERENCE_ADMIN = "inference_admin", "manager"
    TEAM_ADMIN = "team_admin", "team administrator"


class ShareLevel(models.TextChoices):
    """What others may do with an endpoint that is shared with them."""

    USE = "use", "use"
    MANAGE = "manage", "use and manage"


class Team(Record):
    """What belongs to nobody else: endpoints, models, keys and clusters have one."""

    name = models.CharField(max_length=64, unique=True)
    description = models.TextField(blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Membership(Record):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=32, choices=TeamRole.choices)
    # By the groups of a directory, which take it away again.
    is_managed = models.BooleanField(default=False)

    class Meta:
        ordering = ("team__name", "user__username")
        constraints = (
            models.UniqueConstraint(fields=("team", "user"), name="member_once_in_a_team"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} in {self.team_id}: {self.role}"


class EndpointShare(Record):
    """An endpoint that another team may use, or everyone where there is no team."""

    endpoint = models.ForeignKey("Endpoint", on_delete=models.CASCADE, related_name="shares")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="shares")
    level = models.CharField(max_length=16, choices=ShareLevel.choices)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("endpoint", "team"), name="shared_once_with_a_team"),
            models.UniqueConstraint(
                fields=("endpoint",),
                condition=models.Q(team=None),
                name="shared_once_with_everyone",
            ),
        )

    def __str__(self) -> str:
        return f"{self.endpoint_id} with {self.team_id or 'everyone'}: {self.level}"
