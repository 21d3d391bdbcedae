"""What a call to an endpoint is, for the API and the pages alike."""

from dataclasses import replace
from functools import partial

from endpoints import caching, hosting, usage
from endpoints.models import Endpoint
from inference.errors import InvalidSettings
from inference.services import find_service
from inference.services.long_documents import CHUNK
from inference.services.settings import parse_settings
from inference.types import InferenceRequest, InferenceResult, TaskType

PROBE_INPUT = "how big"


def run_inference(
    endpoint: Endpoint, request: InferenceRequest, timeout_s: float
) -> InferenceResult:
    """Check the request against the endpoint, run it within timeout_s seconds and count it."""
    cached_inputs = None
    try:
        checked = _checked(endpoint, request)
        if endpoint.is_cached:
            compute = partial(hosting.infer, endpoint, timeout_s=timeout_s)
            result, cached_inputs = caching.run(endpoint, checked, compute)
        else:
            result = hosting.infer(endpoint, checked, timeout_s)
    except Exception:
        usage.record_error(endpoint)
        raise
    usage.record_answer(endpoint, request, result, cached_inputs)
    return result


def _checked(endpoint: Endpoint, request: InferenceRequest) -> InferenceRequest:
    """The request with what the endpoint says where it leaves something open."""
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
    query = PROBE_INPUT if endpoint.task == TaskType.RERANK else None
    request = _checked(endpoint, InferenceRequest((PROBE_INPUT,), query=query))
    return hosting.infer(endpoint, request, timeout_s)
