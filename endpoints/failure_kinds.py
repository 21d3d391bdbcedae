"""What kinds of failure the calls to an endpoint are counted by, and what helps against each."""

from enum import StrEnum

from inference.errors import (
    BodyTooLarge,
    InferenceError,
    InvalidRequest,
    QueueFull,
    RateLimited,
    StreamingNotAllowed,
    TimedOut,
    TooManyWaiting,
)
from inference.upstream.errors import (
    AddressRefused,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimedOut,
    UpstreamUnreachable,
)


class FailureKind(StrEnum):
    """As they are stored: a name stays what it is."""

    REQUEST = "request"
    CREDENTIALS = "credentials"
    LIMIT = "limit"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    PROVIDER = "provider"
    TIMEOUT = "timeout"
    BUSY = "busy"
    MODEL = "model"
    FAULT = "fault"


# Of each kind, what happened and what to do.
WORDS = {
    FailureKind.REQUEST: (
        "The request was wrong",
        "The program that calls has to change; the answer to it says what.",
    ),
    FailureKind.CREDENTIALS: (
        "The provider did not accept the credentials",
        "Enter a key that is valid and may use the model.",
    ),
    FailureKind.LIMIT: (
        "The provider's limit was reached",
        "Send less often, lower the rate limit here, or ask the provider for a higher quota.",
    ),
    FailureKind.REFUSED: (
        "The provider refused the request",
        "Compare the model and the settings with what the provider offers.",
    ),
    FailureKind.UNREACHABLE: (
        "The provider was not reached",
        "Diagnose looks at each step of the way there.",
    ),
    FailureKind.PROVIDER: (
        "The provider failed",
        "Trying again later can help; the provider's own status page may say more.",
    ),
    FailureKind.TIMEOUT: (
        "No answer in time",
        "Allow a longer timeout, raise the rate limit, or give the model more allocations.",
    ),
    FailureKind.BUSY: (
        "Too many calls at once",
        "Give the model more allocations, raise the rate limit, or send less often.",
    ),
    FailureKind.MODEL: (
        "The model did not run",
        "The deployment of the model says why.",
    ),
    FailureKind.FAULT: (
        "A fault of this server",
        "The server's log says more.",
    ),
}
OF_STATUS = {
    401: FailureKind.CREDENTIALS,
    403: FailureKind.CREDENTIALS,
    429: FailureKind.LIMIT,
}


def kind_of(exc: Exception) -> FailureKind:
    match exc:
        case UpstreamTimedOut() | TimedOut():
            return FailureKind.TIMEOUT
        case UpstreamUnreachable() | AddressRefused():
            return FailureKind.UNREACHABLE
        case UpstreamRefused(upstream_status=int(status)) if status < 500:
            return OF_STATUS.get(status, FailureKind.REFUSED)
        case UpstreamError():
            return FailureKind.PROVIDER
        case QueueFull() | RateLimited() | TooManyWaiting():
            return FailureKind.BUSY
        case InvalidRequest() | BodyTooLarge() | StreamingNotAllowed():
            return FailureKind.REQUEST
        case InferenceError():
            return FailureKind.MODEL
    return FailureKind.FAULT
