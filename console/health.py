"""Whether the parts of the product answer."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from endpoints.models import Heartbeat

PARTS = ("runner", "worker")


def healthz(request: HttpRequest) -> JsonResponse:
    """This web process lives."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Each part by name; 503 while one of them does not answer."""
    parts = {"database": "ok", **dict.fromkeys(PARTS, "no sign of life")}
    try:
        connection.ensure_connection()
        seen = Heartbeat.objects.fresh().values_list("part", flat=True)
        parts |= dict.fromkeys(seen, "ok")
    except DatabaseError as exc:
        parts = {"database": str(exc), **dict.fromkeys(PARTS, "unknown")}
    is_ready = all(state == "ok" for state in parts.values())
    answer = {"status": "ready" if is_ready else "not ready", "parts": parts}
    return JsonResponse(answer, status=200 if is_ready else 503)
