"""Every failure becomes Elasticsearch's error envelope here, and nowhere else."""

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpResponse
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.views import exception_handler

from endpoints import attempts
from endpoints.access import Unauthenticated
from endpoints.addresses import address_of
from endpoints.api.auth import CHALLENGES
from endpoints.api.http import ElasticView
from inference.errors import InferenceError, RateLimited
from inference.upstream.errors import ProviderError, UpstreamError, status_name


def es_exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    view: ElasticView = context["view"]
    for refusal in (exc, exc.__cause__):
        attempts.note_refusal(refusal, context["kwargs"], context["request"].path)
    if isinstance(exc, Unauthenticated):
        attempts.note_stranger(exc, address_of(context["request"].META))
        header = {"header": {"WWW-Authenticate": list(CHALLENGES)}}
        error = envelope(exc.status, exc.type, str(exc), **exc.metadata, **header)
        response = view.answer(error, exc.status)
        response["WWW-Authenticate"] = ", ".join(CHALLENGES)
    elif isinstance(exc, InferenceError) and view.is_chat:
        response = view.answer(chat_error(exc), exc.status)
    elif isinstance(exc, InferenceError):
        error = envelope(exc.status, exc.type, str(exc), **exc.metadata)
        response = view.answer(view.shape.add_trace(error, exc), exc.status)
    elif isinstance(exc, MethodNotAllowed):
        allowed = ", ".join(sorted(view.allowed_methods))
        response = view.answer(wrong_method(context["request"], allowed), exc.status_code)
        response["Allow"] = allowed
    elif isinstance(exc, SuspiciousOperation):  # more parameters than anybody needs
        error = envelope(400, "illegal_argument_exception", str(exc))
        response = view.answer(error, 400)
    elif known := exception_handler(exc, context):
        reason = str(known.data["detail"])
        response = view.answer(
            envelope(known.status_code, "status_exception", reason), known.status_code
        )
    else:
        return None
    if isinstance(exc, RateLimited):
        response["Retry-After"] = str(exc.retry_after_s)
    return response


def wrong_method(request: Any, allowed: str) -> dict[str, Any]:
    return {
        "error": f"Incorrect HTTP method for uri [{request.get_full_path()}] and method "
        f"[{request.method}], allowed: [{allowed}]",
        "status": 405,
    }


def chat_error(exc: InferenceError) -> dict[str, Any]:
    """A failure of a chat, in OpenAI's shape."""
    told = exc.told if isinstance(exc, UpstreamError) else ProviderError()
    error: dict[str, Any] = {
        "code": told.code or status_name(exc.status),
        "message": str(exc),
        "param": told.param,
        "type": told.type or exc.type,
        **exc.metadata,
    }
    return {"error": {name: value for name, value in error.items() if value is not None}}


def envelope(status: int, kind: str, reason: str, **more: Any) -> dict[str, Any]:
    cause = {"type": kind, "reason": reason, **more}
    root = {name: value for name, value in cause.items() if name != "caused_by"}
    return {"error": {"root_cause": [root], **cause}, "status": status}
