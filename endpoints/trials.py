"""Settings that are tried before anything is stored."""

from endpoints import providers
from endpoints.access import require
from endpoints.models import User
from endpoints.permissions import Action
from inference.chat import ChatRequest
from inference.services.base import EndpointConfig
from inference.types import InferenceRequest, InferenceResult

# What is called in the reasons of a failure what has no id yet.
UNNAMED = "new"


def call_once(
    actor: User,
    inference_id: str,
    config: EndpointConfig,
    request: InferenceRequest | ChatRequest,
    timeout_s: float,
) -> InferenceResult:
    """One real call to a provider with the settings of an endpoint that is not created.

    inference_id: the one that is wished, if any. It is nobody's endpoint yet, so the call is not
    counted. Raises Forbidden for who may create none, UpstreamError, and InvalidRequest where the
    answer does not fit the settings.
    """
    require(actor, Action.PUT)
    line = providers.line_for(inference_id or UNNAMED, config)
    result = line.answer(request, timeout_s)
    line.service.learned(config.service_settings, result)
    return result


def model_names(
    actor: User, inference_id: str, config: EndpointConfig, timeout_s: float
) -> list[str]:
    """The models that a provider lists for the credentials in a configuration, sorted.

    Raises Forbidden for who may create no endpoint, InvalidRequest where there is no list, and
    UpstreamError.
    """
    require(actor, Action.PUT)
    return providers.line_for(inference_id or UNNAMED, config).model_names(timeout_s)
