"""The one tree of failures. Each class knows its HTTP status and Elasticsearch's name for it."""

from collections.abc import Mapping, Sequence
from typing import Any

LONGEST_SHOWN = 200


class InferenceError(Exception):
    """A failure that the caller is told about; anything outside this tree is a bug.

    metadata: what the caller is told beside the reason, by name.
    """

    status = 500
    type = "status_exception"

    def __init__(self, reason: str = "", metadata: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.metadata = dict(metadata or {})


class InvalidRequest(InferenceError):
    """The request is understood and refused as it stands."""

    status = 400


class BodyTooLarge(InferenceError):
    status = 413
    type = "content_too_long_exception"


class InvalidArgument(InvalidRequest):
    type = "illegal_argument_exception"


class MalformedBody(InvalidRequest):
    """An unknown field, a value of the wrong JSON type, or no JSON at all."""

    type = "x_content_parse_exception"


class MissingBody(InvalidRequest):
    type = "parse_exception"


class ProblemList(InvalidRequest):
    """Several problems found at once, told together."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        numbered = "".join(f"{n}: {problem};" for n, problem in enumerate(problems, start=1))
        super().__init__(f"Validation Failed: {numbered}")


class InvalidSettings(ProblemList):
    type = "validation_exception"


class InvalidAction(ProblemList):
    """The request as a whole breaks a rule: its id, or fields that exclude each other."""

    type = "action_request_validation_exception"


class EndpointExists(InvalidRequest):
    type = "resource_already_exists_exception"


class ModelDiffers(InvalidRequest):
    """An id that others rely on is to stand for another model; force allows it all the same."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"{problem}, or use ?force=true to create it anyway")


class NotFound(InferenceError):
    status = 404
    type = "resource_not_found_exception"


class NothingToUpdate(InferenceError):
    """An update of something that is not there."""

    status = 404


class DeploymentNotFound(InferenceError):
    status = 404


class StreamingNotAllowed(InferenceError):
    status = 405


class Conflict(InferenceError):
    """What was asked does not fit the state that things are in now."""

    status = 409


class TimedOut(InferenceError):
    status = 408


class DeploymentTimedOut(TimedOut):
    """The caller's time ran out while a deployment was still on its way."""

    type = "model_deployment_timeout_exception"


class DeploymentFailed(InferenceError):
    """A model that was asked to run could not be started."""


class QueueFull(InferenceError):
    status = 429
    type = "es_rejected_execution_exception"


class RateLimited(InferenceError):
    """Somebody calls more often than they may. retry_after_s: when they may again."""

    status, type = 429, "es_rejected_execution_exception"

    def __init__(self, reason: str, retry_after_s: int) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class TooManyWaiting(InferenceError):
    status = 429


class NotEnoughMemory(InferenceError):
    """The machine cannot hold what is to be started, for now."""

    status = 429


class ModelUnavailable(InferenceError):
    """The weights cannot be had from any of their sources."""

    status = 400


class UnsupportedModel(InvalidRequest):
    """The model's files describe a network that cannot be built here; the reason names what."""


class StorageUnusable(InferenceError):
    """The folder for models has too little room or cannot be written."""

    status = 507


class RunnerUnavailable(InferenceError):
    """Nothing answers where the model should run; a retry is right."""

    status = 503


def shown(value: Any) -> str:
    """A value of somebody's JSON as Elasticsearch's reasons show it, cut where it is long."""
    match value:
        case None:
            text = "null"
        case bool():
            text = str(value).lower()
        case dict():
            text = "{" + ", ".join(f"{name}={shown(one)}" for name, one in value.items()) + "}"
        case list():
            text = "[" + ", ".join(map(shown, value)) + "]"
        case _:
            text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
