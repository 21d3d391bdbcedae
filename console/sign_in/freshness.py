"""Whether somebody proved a moment ago that they still are who signed in."""

import time
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url

# To open a page; whoever opened one has a while to fill it in.
OPEN_S, SEND_S = 10 * 60, 20 * 60


def is_fresh(request: HttpRequest) -> bool:
    """Whether they signed in or confirmed it lately. With security off there is nobody to ask."""
    if not settings.SECURITY:
        return True
    records = get_authentication_records(request, request.user)
    allowed_s = SEND_S if request.method == "POST" else OPEN_S
    return bool(records) and time.time() - records[-1]["at"] < allowed_s


def to_confirmation(request: HttpRequest, back_to: str) -> HttpResponse:
    """Ask for the password or a second factor, then go on; without either, to sign in anew."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    target = methods[0]["url"] if methods else resolve_url("sign-in-again")
    return redirect(f"{target}?{urlencode({'next': back_to})}")
