"""Where a request came from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of whoever asks; empty where there is none, as over a Unix socket.

    A proxy that is believed appends the address that it was called from to X-Forwarded-For. What
    stands before that was written by the client, and is not believed.
    """
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < settings.TRUSTED_PROXIES <= len(told) and told[-settings.TRUSTED_PROXIES].strip():
        address = told[-settings.TRUSTED_PROXIES].strip()
    else:
        address = request.META.get("REMOTE_ADDR", "")
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""
