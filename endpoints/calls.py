"""What a call to an endpoint is, for the API and the pages alike."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any

from endpoints import caching, hosting, providers, usage
from endpoints.models import Endpoint, User
from inference.chat import ChatRequest
from inference.errors import InvalidSettings, StreamingNotAllowed
from inference.services import find_service
from inference.services.long_documents import CHUNK
from inference.services.settings import parse_settings
from inference.types import InferenceRequest, InferenceResult, TaskType


def run_inference(
    endpoint: Endpoint,
    request: InferenceRequest | ChatRequest,
    timeout_s: float,
    user: User | None = None,
    *,
    is_trial: bool = False,
) -> InferenceResult:
    """Check the request against the endpoint, run it within timeout_s seconds and count it.

    request: a ChatRequest for an endpoint that chats, an InferenceRequest for any other.
    user: who calls. is_trial: whether they only try it, on a page of the console.
    """
    started, cached_inputs = perf_counter(), None
    try:
        compute: Callable[[Any], InferenceResult]
        if find_service(endpoint.service).is_remote:
            compute = partial(providers.line_of(endpoint).answer, timeout_s=timeout_s)
        else:
            request = _checked(endpoint, request)
            compute = partial(hosting.infer, endpoint, timeout_s=timeout_s)
        if endpoint.is_cached and isinstance(request, InferenceRequest):
            result, cached_inputs = caching.run(endpoint, request, compute)
        else:
            result = compute(request)
    except Exception as exc:
        usage.record_error(endpoint, exc, user=user, is_trial=is_trial)
        raise
    took_ms = since_ms(started)
    usage.record_answer(
        endpoint, request, result, cached_inputs, took_ms=took_ms, user=user, is_trial=is_trial
    )
    return result


def stream_inference(
    endpoint: Endpoint,
    request: InferenceRequest | ChatRequest,
    timeout_s: float,
    user: User | None = None,
    *,
    is_trial: bool = False,
) -> Iterator[dict[str, Any]]:
    """The answer of a provider as it comes; this returns when the first of it is here.

    Until then a failure still has a status. Raises StreamingNotAllowed, and what a call raises; so
    does the iteration.
    """
    started = perf_counter()
    try:
        if not find_service(endpoint.service).is_remote:
            raise StreamingNotAllowed(
                f"Streaming is not allowed for service [{endpoint.service}] and task "
                f"[{endpoint.task}]. Supported tasks: []"
            )
        streaming = providers.line_of(endpoint).stream(request, timeout_s)
        begun = list(islice(streaming, 1))
    except Exception as exc:
        usage.record_error(endpoint, exc, user=user, is_trial=is_trial)
        raise

    def count_answer() -> None:
        took_ms = since_ms(started)
        usage.record_answer(endpoint, request, took_ms=took_ms, user=user, is_trial=is_trial)

    def counted() -> Iterator[dict[str, Any]]:
        try:
            yield from begun
            yield from streaming
        except Exception as exc:
            usage.record_error(endpoint, exc, user=user, is_trial=is_trial)
            raise
        except GeneratorExit:  # the caller left; what was written was written for them
            count_answer()
            raise
        count_answer()

    return counted()


def since_ms(started: float) -> float:
    return 1000 * (perf_counter() - started)


def _checked(endpoint: Endpoint, request: InferenceRequest | ChatRequest) -> InferenceRequest:
    """The request with what the endpoint says where it leaves something open."""
    if isinstance(request, ChatRequest):
        raise TypeError(f"[{endpoint.service}] does not chat")
    service = find_service(endpoint.service)
    own_settings = parse_settings(
        service.task_settings[endpoint.task],
        request.task_settings,
        scope="task_settings",
        service=service.name,
    )
    if endpoint.task == TaskType.RERANK:
        if not request.query:
            raise InvalidSettings(["A non-null, non-empty [query] is required for rerank"])
        settings = {"return_documents": True} | endpoint.task_settings | own_settings.to_response()
        if request.return_documents is None:
            request = replace(request, return_documents=settings["return_documents"])
        if endpoint.service_settings.get("long_document_strategy") == CHUNK:
            most = endpoint.service_settings.get("max_chunks_per_doc")
            request = replace(request, reads_chunks=True, max_chunks_per_doc=most)
    return request


def probe(endpoint: Endpoint, timeout_s: float) -> InferenceResult:
    """The smallest real call, to prove that the endpoint answers.

    Nobody's call, so it is not counted; a proof, so it is not answered from memory.
    """
    request = _checked(endpoint, providers.probe_of(endpoint.task))
    return hosting.infer(endpoint, request, timeout_s)
