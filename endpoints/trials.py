"""Settings that are tried before anything is stored."""

from collections.abc import Mapping
from typing import Any

from endpoints import providers
from endpoints.access import require
from endpoints.models import User
from endpoints.permissions import Action
from inference.chat import ChatRequest
from inference.services import find_service
from inference.types import InferenceRequest, InferenceResult, TaskType

# What an endpoint is called in the reasons of a failure that has no id yet.
UNNAMED = "new"
# Stands for the model that is still to be chosen.
ANY_MODEL = "any"


def call_once(
    actor: User,
    task_type: TaskType,
    service: str,
    config: Mapping[str, Any],
    request: InferenceRequest | ChatRequest,
    timeout_s: float,
) -> InferenceResult:
    """One real call to a provider with the settings of an endpoint that is not created.

    It is nobody's endpoint, so it is not counted. Raises Forbidden for who may create none, and
    what a creation raises: also InvalidRequest where the answer does not fit the settings.
    """
    require(actor, Action.PUT)
    line = providers.line_for(UNNAMED, find_service(service).parse(task_type, config))
    result = line.answer(request, timeout_s)
    line.service.learned(line.config.service_settings, result)
    return result


def model_names(
    actor: User, task_type: TaskType, service: str, config: Mapping[str, Any], timeout_s: float
) -> list[str]:
    """The models that a provider lists for these credentials, sorted; the model may be left out.

    Raises Forbidden for who may create no endpoint, and what `parse` and a call raise.
    """
    require(actor, Action.PUT)
    adapter = find_service(service)
    given = config.get("service_settings") or {}
    settings = {adapter.model_setting: ANY_MODEL} | given
    parsed = adapter.parse(task_type, {"service_settings": settings})
    return providers.line_for(UNNAMED, parsed).model_names(timeout_s)
