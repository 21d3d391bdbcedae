"""The WSGI application."""

import gc
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django_application = get_wsgi_application()

from django.conf import settings  # noqa: E402 - they are read by now

from endpoints.api.auth import CHALLENGES  # noqa: E402 - it needs the apps to be loaded

Headers = list[tuple[str, str]]
ALL_CHALLENGES = ", ".join(CHALLENGES)


def one_line_a_challenge(inner: Any) -> Any:
    """Send each way to authenticate as a header line of its own, as Elasticsearch does.

    Django's responses hold a header once, so the lines are made here.
    """

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: Headers, *more: Any) -> Any:
            if status.startswith("401"):
                kept = [pair for pair in headers if pair[1] != ALL_CHALLENGES]
                if len(kept) < len(headers):
                    headers = kept + [("WWW-Authenticate", one) for one in CHALLENGES]
            return start_response(status, headers, *more)

        body: Iterable[bytes] = inner(environ, start)
        return body

    return application


def reads_chunks(inner: Any) -> Any:
    """Let a body come that does not say its length; Django would take it for empty.

    No more than the largest body is read of it, and that much is refused.
    """

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" in environ:
            environ["CONTENT_LENGTH"] = str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        body: Iterable[bytes] = inner(environ, start_response)
        return body

    return application


application = one_line_a_challenge(reads_chunks(django_application))

# What is loaded by now lives as long as the process: the collector need not look at it again.
gc.freeze()
