"""Who tried too many passwords must wait: one account from one address, or one address altogether.

Nobody is locked out from everywhere, or whoever knows a name could keep its owner away. The
database is written to for failures only.
"""

import ipaddress
import math
from datetime import datetime, timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone

from endpoints import audit
from endpoints.addresses import address_of

# An address may fail at so many accounts as much as at one: many people may share it.
ACCOUNTS_OF_AN_ADDRESS = 5


class LockoutHandler(AxesDatabaseHandler):  # type: ignore[misc]  # it carries no types
    """Counts for an account from an address, and more leniently for the address alone."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, str] | None = None) -> int:
        account, address = map(_failures, self.get_user_attempts(request, credentials))
        return max(account, address // ACCOUNTS_OF_AN_ADDRESS)

    def reset_user_attempts(
        self, request: HttpRequest, credentials: dict[str, str] | None = None
    ) -> int:
        """Forget failures of this account alone: who has one must not wipe out the address."""
        account, _ = self.filter_user_attempts(request, credentials)
        return int(account.delete()[0])


def name_in(request: HttpRequest, credentials: dict[str, str] | None) -> str:
    """The account that is meant, however it is written."""
    name = (credentials or {}).get("username") or ""
    return name.replace("\0", "").strip().casefold()[:255]


def counted_address(request: HttpRequest) -> str | None:
    return counted(address_of(request.META)) or None


def counted(address: str) -> str:
    """The address to count for: of IPv6 its network, of which one machine may have all."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False).network_address)


def minutes_left(request: HttpRequest, username: str) -> int:
    """How long this account is locked for who asks; 0 where it is not."""
    request, credentials = _bare(request), {"username": username}
    if AxesProxyHandler.is_allowed(request, credentials):
        return 0
    attempts = AxesProxyHandler.get_implementation().get_user_attempts(request, credentials)
    moments = (one.aggregate(at=Max("attempt_time"))["at"] for one in attempts)
    last: datetime = max(filter(None, moments), default=timezone.now())
    left = last + timedelta(minutes=settings.LOCKOUT_MINUTES) - timezone.now()
    return max(1, math.ceil(left.total_seconds() / 60))


def note_failure(request: HttpRequest, username: str) -> None:
    AxesProxyHandler.user_login_failed(None, {"username": username}, _bare(request))


def _bare(request: HttpRequest) -> HttpRequest:
    """The same without what was sent, which is nobody's to keep."""
    bare = HttpRequest()
    bare.META = request.META
    return bare


@transaction.atomic
def unlock(*, username: str = "", address: str = "") -> int:
    """Forget failures of an account, of an address, or of both together; returns how many rows.

    Without either, all are forgotten.
    """
    name = name_in(HttpRequest(), {"username": username})
    forgotten = AxesProxyHandler.reset_attempts(username=name, ip_address=counted(address))
    if forgotten:
        audit.record("person.unlock", username or address or "everybody")
    return int(forgotten)


def _failures(attempts: QuerySet[Any]) -> int:
    return attempts.aggregate(count=Sum("failures_since_start"))["count"] or 0
