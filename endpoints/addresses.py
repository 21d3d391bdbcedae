"""Where a request came from, as far as that can be believed."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

LONGEST = 64


def address_of(meta: Mapping[str, Any]) -> str:
    """The address of a client, by the environment of its request; empty over a Unix socket.

    Each proxy that is believed (CONSOLE_TRUSTED_PROXIES of them) has written down behind the
    others whom it was asked by. What stands before that was written by the client and counts for
    nothing; nor does what is no address, or what came by fewer proxies.
    """
    nearest = str(meta.get("REMOTE_ADDR", ""))[:LONGEST]
    proxies = settings.TRUSTED_PROXIES
    if not proxies:
        return nearest
    passed_on = str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    if proxies > len(passed_on):
        return nearest
    return _normal(passed_on[-proxies].strip()) or nearest


@lru_cache(maxsize=4096)  # reading one takes longer than all else of a call's authentication
def _normal(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""
