"""People."""

from django.contrib.auth.models import AbstractUser

from endpoints.models.lookup import Lookup


class User(AbstractUser):
    """A person who signs in. The first one administers the installation."""


# What tells who calls; the rest is read when somebody asks for it.
_callers = User.objects.only("username", "password", "is_active", "is_superuser")
user_by_name = Lookup(lambda name: _callers.filter(username=name), example="")
user_by_pk = Lookup(lambda pk: _callers.filter(pk=pk), example=0)
