"""What can go wrong on the way to a provider and there, told with what to do about it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from inference.errors import InferenceError


@dataclass(frozen=True)
class Explanation:
    """Told beside the reason, for people: the cause, what to do, and whether a retry helps."""

    cause: str
    what_to_do: str
    retry_helps: bool

    def to_response(self) -> dict[str, Any]:
        return {
            "cause": self.cause,
            "what_to_do": self.what_to_do,
            "retry_helps": self.retry_helps,
        }


@dataclass(frozen=True)
class ProviderError:
    """What a provider's own body says of a failure, as far as it could be read."""

    message: str = ""
    code: str | None = None
    type: str | None = None
    param: str | None = None


class UpstreamError(InferenceError):
    """A provider could not be asked, or did not answer as it should.

    status: what the caller is told. told: what the provider said of it. upstream_status: its own.
    """

    status = 400

    def __init__(
        self,
        reason: str,
        explanation: Explanation,
        *,
        status: int | None = None,
        told: ProviderError | None = None,
        upstream_status: int | None = None,
    ) -> None:
        super().__init__(reason, {"explanation": explanation.to_response()})
        self.explanation = explanation
        self.told = told or ProviderError()
        self.upstream_status = upstream_status
        if status is not None:
            self.status = status


class UpstreamRefused(UpstreamError):
    """A provider answered with a status that means failure."""


class UpstreamUnreachable(UpstreamError):
    """No connection, or one that broke."""


class UpstreamMalformed(UpstreamError):
    """A successful answer that is none of what the provider promises."""


class UpstreamTimedOut(UpstreamError):
    status = HTTPStatus.GATEWAY_TIMEOUT


class BrokenStream(UpstreamError):
    """A stream that had begun ended in an error, or without its end."""

    status = 500


class AddressRefused(UpstreamError):
    """A provider's address that nobody may be sent to."""


class ReplyTooLarge(UpstreamError):
    """A provider sent more than anybody would wait for."""


def status_name(status: int) -> str:
    """A status as OpenAI's errors name it: `too_many_requests`."""
    try:
        return HTTPStatus(status).name.lower()
    except ValueError:
        return f"status_{status}"
