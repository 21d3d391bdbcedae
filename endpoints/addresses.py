"""Where a request came from."""

import ipaddress
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of whoever asks; empty where there is none, as over a Unix socket.

    A proxy that is believed appends the address that it was called from to X-Forwarded-For. What
    stands before that was written by the client, and is not believed.
    """
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if proxies <= len(told) and (address := told[-proxies].strip()):
            return _normal(address)
    return _normal(request.META.get("REMOTE_ADDR", ""))


@lru_cache(maxsize=4096)  # reading one takes longer than all else of a call's authentication
def _normal(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""
