"""People."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AbstractUser
from django.db import models

from endpoints.models.lookup import Lookup
from endpoints.names import looks
from endpoints.privileges import SUPERUSER

if TYPE_CHECKING:
    from endpoints.models.api_key import ApiKey

BUILTIN_USERNAME = "elastic"
RESERVED_REALM, NATIVE_REALM = ("reserved", "reserved"), ("default_native", "native")
SERVICE_REALM = ("_service_account", "_service_account")


class LookField(models.CharField):  # type: ignore[type-arg]  # its two types are str's
    """What the username looks like. It follows the name, however the row is written."""

    def pre_save(self, model_instance: Any, add: bool) -> str | None:
        if add or model_instance.look:
            model_instance.look = looks(model_instance.username)
        look: str | None = model_instance.look
        return look


class User(AbstractUser):
    """A person who signs in, or a service account. The first one administers the installation.

    A service account is no person: it belongs to a team, acts there by keys alone, and the database
    lets it have neither a password nor an address at which somebody could get one.
    """

    roles = models.JSONField(default=list, blank=True)
    # Of a service account: whose it is, what it may do there, and what it is for.
    service_team = models.ForeignKey(
        "Team", null=True, blank=True, on_delete=models.CASCADE, related_name="service_accounts"
    )
    service_role = models.CharField(max_length=32, blank=True)
    description = models.TextField(blank=True)
    # No two names can be mistaken for each other; empty for one that was there before this held.
    look = LookField(max_length=600, unique=True, null=True, blank=True, editable=False)
    # How often all sessions of this person were ended: none from before lives on.
    sessions_ended = models.PositiveIntegerField(default=0)
    # Those of their roles that the groups of a directory gave, and take away again.
    managed_roles = models.JSONField(default=list, blank=True)
    # Whether signing in takes more than a password, which is then not enough for the API either.
    has_second_factor = models.BooleanField(default=False)

    # The key that this request came with; None where the person came with a password.
    acting_key: "ApiKey | None" = None

    class Meta(AbstractUser.Meta):
        constraints = (
            models.CheckConstraint(
                condition=models.Q(service_team=None)
                | models.Q(
                    password__startswith=UNUSABLE_PASSWORD_PREFIX, email="", is_superuser=False
                ),
                name="service_accounts_cannot_sign_in",
            ),
        )

    @property
    def is_service_account(self) -> bool:
        return self.service_team_id is not None

    @property
    def service_namespace(self) -> str:
        """What a service account's name begins with: that of its team when it was made."""
        return self.username.partition("/")[0]

    @property
    def service_name(self) -> str:
        """What the name of a service account ends with."""
        return self.username.partition("/")[2]

    @property
    def role_names(self) -> list[str]:
        superuser = {SUPERUSER} if self.is_superuser else set()
        return sorted(superuser.union(self.roles))

    def get_session_auth_hash(self) -> str:
        """What a session must know to go on: it ends with the password, or when it is told to."""
        return self._ending(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        yield from map(self._ending, super().get_session_auth_fallback_hash())

    def _ending(self, known: str) -> str:
        return f"{known}-{self.sessions_ended}" if self.sessions_ended else known

    @property
    def needs_second_factor(self) -> bool:
        """Whether this installation asks more of this person than a password."""
        of = settings.SECOND_FACTOR_OF
        return of == "everyone" or (of == "administrators" and self.is_superuser)

    @property
    def is_builtin(self) -> bool:
        return self.username == BUILTIN_USERNAME

    @property
    def realm(self) -> tuple[str, str]:
        """Where somebody is known from: its name and its type."""
        if self.is_service_account:
            return SERVICE_REALM
        return RESERVED_REALM if self.is_builtin else NATIVE_REALM


# What tells who calls and what they may do; the rest is read when somebody asks for it.
_callers = User.objects.only(
    "username",
    "password",
    "is_active",
    "is_superuser",
    "roles",
    "service_team",
    "service_role",
    "has_second_factor",
)
user_by_name = Lookup(lambda name: _callers.filter(username=name), example="")
user_by_pk = Lookup(lambda pk: _callers.filter(pk=pk), example=0)


def administrator() -> User:
    """Who everybody acts as while security is off: the first superuser."""
    found = _callers.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return found or User(username=BUILTIN_USERNAME, is_superuser=True)
