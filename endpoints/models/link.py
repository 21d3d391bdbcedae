"""Links that let somebody in once: an invitation, and the way to a new password."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.utils import timezone

from endpoints.models.base import Record, iso
from endpoints.models.team import Team, TeamRole
from endpoints.models.user import User

ID_BYTES, TOKEN_BYTES = 10, 32
LinkT = TypeVar("LinkT", bound="OneTimeLink")


class LinkState(models.TextChoices):
    OPEN = "open", "open"
    USED = "used", "used"
    WITHDRAWN = "withdrawn", "withdrawn"
    EXPIRED = "expired", "expired"


def new_link_id() -> str:
    """Of an address, in which it never begins with an underscore. It cannot be guessed."""
    return secrets.token_hex(ID_BYTES)


class OneTimeLink(Record):
    """A link of which only a digest is kept.

    Its token holds 256 random bits. It is found by its digest: what the time of a look-up tells
    is about digests, which nobody can choose a token for.
    """

    lasts: ClassVar[timedelta]

    link_id = models.CharField(max_length=2 * ID_BYTES, unique=True, default=new_link_id)
    token_sha256 = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.link_id

    def fresh_token(self) -> str:
        """Put a new token in the place of one there may be; it can never be read again."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self.token_sha256 = digest(token)
        self.expires_at = timezone.now() + self.lasts
        return token

    @property
    def state(self) -> LinkState:
        if self.used_at:
            return LinkState.USED
        if self.withdrawn_at:
            return LinkState.WITHDRAWN
        return LinkState.EXPIRED if self.expires_at <= timezone.now() else LinkState.OPEN

    @property
    def is_open(self) -> bool:
        return self.state == LinkState.OPEN


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> "InvitationQuerySet":
        """Neither used nor withdrawn; some may be too old by now."""
        return self.filter(used_at=None, withdrawn_at=None)


class Invitation(OneTimeLink):
    """What somebody who comes by this link becomes: a person, perhaps in a team, perhaps more.

    email: where it was sent, or to be known by. username: what the one who invites suggests.
    was_mailed: whether its link went to that address and was shown to nobody.
    """

    lasts = timedelta(days=7)

    email = models.EmailField(blank=True)
    was_mailed = models.BooleanField(default=False)
    username = models.CharField(max_length=150, blank=True)
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="invitations")
    team_role = models.CharField(max_length=32, choices=TeamRole.choices, blank=True)
    roles = models.JSONField(default=list, blank=True)
    used_by = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")

    @property
    def subject(self) -> str:
        """Whom it is for, as far as that is known."""
        return self.username or self.email or self.link_id

    def to_response(self) -> dict[str, Any]:
        """As the API shows it: without its link."""
        return {
            "id": self.link_id,
            "state": self.state,
            "email": self.email or None,
            "username": self.username or None,
            "team": self.team.name if self.team else None,
            "team_role": self.team_role or None,
            "roles": self.roles,
            "invited_by": self.made_by.username,
            "created_at": iso(self.created_at),
            "expires_at": iso(self.expires_at),
        }


class PasswordReset(OneTimeLink):
    """The way of one person to a new password."""

    lasts = timedelta(hours=24)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="password_resets")


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def link_of(kind: type[LinkT], token_sha256: str) -> LinkT | None:
    """The link that this digest belongs to, whatever became of it."""
    return kind._default_manager.filter(token_sha256=token_sha256).first()
