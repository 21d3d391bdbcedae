"""A call as the API takes and answers it, to be read as it is."""

from dataclasses import dataclass

from console.pages.results import pretty, raw_json
from console.pages.samples import body_of, path_of
from endpoints.api.errors import chat_error, envelope
from endpoints.models import Endpoint
from inference.chat import ChatRequest
from inference.errors import InferenceError
from inference.types import InferenceRequest, InferenceResult


@dataclass(frozen=True)
class Raw:
    """path: of the API. status: that of HTTP. request, answer: the bodies."""

    path: str
    request: str
    status: int
    answer: str

    @property
    def is_success(self) -> bool:
        return self.status < 400


def answered_raw(
    endpoint: Endpoint, call: InferenceRequest | ChatRequest, result: InferenceResult
) -> Raw:
    return _raw(endpoint, call, 200, raw_json(result))


def refused_raw(
    endpoint: Endpoint, call: InferenceRequest | ChatRequest, exc: InferenceError
) -> Raw:
    return _raw(endpoint, call, exc.status, error_json(call, exc))


def streamed_raw(endpoint: Endpoint, call: InferenceRequest | ChatRequest) -> Raw:
    """Of an answer that is still to come."""
    return _raw(endpoint, call, 200, "", "/_stream")


def error_json(call: InferenceRequest | ChatRequest, exc: InferenceError) -> str:
    if isinstance(call, ChatRequest):
        return pretty(chat_error(exc))
    return pretty(envelope(exc.status, exc.type, str(exc), **exc.metadata))


def _raw(
    endpoint: Endpoint,
    call: InferenceRequest | ChatRequest,
    status: int,
    answer: str,
    tail: str = "",
) -> Raw:
    body = pretty(body_of(endpoint.task, call))
    return Raw(path_of(endpoint) + tail, body, status, answer)
