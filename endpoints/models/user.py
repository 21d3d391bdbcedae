"""People."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models

from endpoints.models.lookup import Lookup
from endpoints.privileges import SUPERUSER

if TYPE_CHECKING:
    from endpoints.models.api_key import ApiKey

BUILTIN_USERNAME = "elastic"
RESERVED_REALM, NATIVE_REALM = ("reserved", "reserved"), ("default_native", "native")


class User(AbstractUser):
    """A person who signs in. The first one administers the installation."""

    roles = models.JSONField(default=list, blank=True)
    # Those of their roles that the groups of a directory gave, and take away again.
    managed_roles = models.JSONField(default=list, blank=True)
    # Whether signing in takes more than a password, which is then not enough for the API either.
    has_second_factor = models.BooleanField(default=False)

    # The key that this request came with; None where the person came with a password.
    acting_key: "ApiKey | None" = None

    @property
    def role_names(self) -> list[str]:
        superuser = {SUPERUSER} if self.is_superuser else set()
        return sorted(superuser.union(self.roles))

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
        """Where the person is known from: its name and its type."""
        return RESERVED_REALM if self.is_builtin else NATIVE_REALM


# What tells who calls and what they may do; the rest is read when somebody asks for it.
_callers = User.objects.only(
    "username", "password", "is_active", "is_superuser", "roles", "has_second_factor"
)
user_by_name = Lookup(lambda name: _callers.filter(username=name), example="")
user_by_pk = Lookup(lambda pk: _callers.filter(pk=pk), example=0)


def administrator() -> User:
    """Who everybody acts as while security is off: the first superuser."""
    found = _callers.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return found or User(username=BUILTIN_USERNAME, is_superuser=True)
