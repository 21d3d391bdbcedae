"""Where a request came from, as far as that can be believed."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from django.conf import settings

LONGEST = 64


def address_of(meta: Mapping[str, Any]) -> str:
    """The address of a client, by the environment of its request.

    Each proxy that is believed (CONSOLE_TRUSTED_PROXIES of them) has written down behind the
    others whom it was asked by. What stands before that was written by the client and counts for
    nothing; nor does what is no address.
    """
    nearest = str(meta.get("REMOTE_ADDR", ""))[:LONGEST]
    if not settings.TRUSTED_PROXIES:
        return nearest
    passed_on = str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    told = passed_on[-min(settings.TRUSTED_PROXIES, len(passed_on))].strip()
    try:
        return str(ip_address(told))
    except ValueError:
        return nearest
