"""What stands around the views."""

from collections.abc import Callable
from typing import TypeAlias, cast

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from endpoints.addresses import address_of
from endpoints.audit import Who, acting
from endpoints.models import administrator

GetResponse: TypeAlias = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
# Nothing of what browsers can do is needed, except for passkeys and to copy.
PERMISSIONS_POLICY = ", ".join(
    [
        *(f"{name}=()" for name in ("camera", "geolocation", "microphone", "payment", "usb")),
        *(
            f"{name}=(self)"
            for name in (
                "clipboard-write",
                "publickey-credentials-create",
                "publickey-credentials-get",
            )
        ),
    ]
)


def common_headers(get_response: GetResponse) -> GetResponse:
    """The product header without which Elasticsearch's clients refuse to work, and tracing.

    What is answered is somebody's own: nobody keeps it or guesses what it is.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["X-elastic-product"] = "Elasticsearch"
        response["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        if not response.streaming and "Content-Length" not in response:
            response["Content-Length"] = str(len(response.content))
        if opaque_id := request.headers.get("X-Opaque-Id"):
            response["X-Opaque-Id"] = opaque_id
        return response

    return middleware


def pages_only(get_response: GetResponse) -> GetResponse:
    """Run PAGE_MIDDLEWARE around the pages, and nothing around the API.

    A call to the API has no session, no messages and no fragments; eight layers that find that out
    would take a tenth of its time. Of their per-view hooks only those for exceptions run: what
    needs another belongs into MIDDLEWARE itself.
    """
    pages, hooks = get_response, []
    for name in reversed(settings.PAGE_MIDDLEWARE):
        layer = import_string(name)(pages)
        pages = cast(GetResponse, convert_exception_to_response(layer))
        hooks += [layer.process_exception] if hasattr(layer, "process_exception") else []

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(settings.PAGE_PREFIXES):
            return get_response(request)
        response = pages(request)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        return response

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not request.path.startswith(settings.PAGE_PREFIXES):
            return None
        return next(filter(None, (hook(request, exception) for hook in hooks)), None)

    middleware.process_exception = process_exception  # type: ignore[attr-defined]  # Django asks
    return middleware


def everybody_administers(get_response: GetResponse) -> GetResponse:
    """With security off nobody signs in: everybody is the administrator, and every page says so."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not settings.SECURITY:
            request.user = administrator()
        return get_response(request)

    return middleware


def acts_for_who_asks(get_response: GetResponse) -> GetResponse:
    """What a page changes is written down as done by who asked for it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with acting(lambda: who_asks(request)):
            return get_response(request)

    return middleware


def who_asks(request: HttpRequest) -> Who:
    address = address_of(request.META)
    if request.user.is_authenticated:
        return Who.of(request.user, address)
    return Who(None, "", address=address)
