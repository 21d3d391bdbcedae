"""Every failure of a provider under its category, with the status that the caller is told.

Elasticsearch's rule: a provider's own status where it is below 500 and one that Elasticsearch
knows, else 400. What is added is the explanation: the cause, what to do, and whether a retry helps.
"""

import ssl
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

import httpx

from inference.upstream.auth import Grant, NoAuth
from inference.upstream.errors import (
    BrokenStream,
    Explanation,
    ProviderError,
    ReplyTooLarge,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamTimedOut,
    UpstreamUnreachable,
)

NO_AUTH = NoAuth()
LONGEST_MESSAGE = 2000

CATEGORIES: dict[int, str] = {
    400: "Received a bad request status code",
    401: "Received an authentication error status code",
    402: "Payment required",
    403: "Received a permission denied error status code",
    413: "Received a content too large status code",
    422: "Received an input validation error response",
    429: "Received a rate limit status code",
    503: "Received a server busy error status code",
}
# Providers have more of their own: 498 for an invalid token, or for no capacity.
TOLD = frozenset({*range(400, 418), 422, 423, 424, 429})
UNSUCCESSFUL = "Received an unsuccessful status code"
SERVER_ERROR = "Received a server error status code"
REDIRECTION = "Unhandled redirection"

EXPLANATIONS: dict[int, Explanation] = {
    400: Explanation(
        "The provider refused the request as it stands.",
        "Read its message: most often a model name, a setting or an input that it does not take.",
        retry_helps=False,
    ),
    401: Explanation(
        "The provider does not know the credentials.",
        "Enter a valid key in the endpoint's settings: it may be mistyped, expired or revoked.",
        retry_helps=False,
    ),
    402: Explanation(
        "The provider wants to be paid first.",
        "Check the balance and the plan of the account that the key belongs to.",
        retry_helps=False,
    ),
    403: Explanation(
        "The credentials are known, but are not allowed to do this.",
        "Give the account access to this model, or use a key that has it.",
        retry_helps=False,
    ),
    404: Explanation(
        "The provider has nothing at this address.",
        "Check the model, the deployment or project and the address in the settings.",
        retry_helps=False,
    ),
    408: Explanation(
        "The provider took too long.", "Send less at a time, or try again.", retry_helps=True
    ),
    413: Explanation(
        "The input is larger than the provider takes.",
        "Send shorter or fewer inputs, or set [max_input_tokens] where the service has it.",
        retry_helps=False,
    ),
    422: Explanation(
        "The provider understands the request, but not all that is in it.",
        "Read its message for the field that it does not accept.",
        retry_helps=False,
    ),
    429: Explanation(
        "The provider's rate limit or quota is used up.",
        "Wait and send less often, lower [rate_limit], or ask the provider for a higher quota.",
        retry_helps=True,
    ),
}
BUSY = Explanation(
    "The provider is overloaded or has a fault of its own.",
    "Try again in a while; its status page may tell more.",
    retry_helps=True,
)
UNKNOWN = Explanation("The provider refused the request.", "Read its message.", retry_helps=False)
MOVED = Explanation(
    "The address leads elsewhere, and redirects are not followed.",
    "Enter the address that the provider documents now.",
    retry_helps=False,
)


def explain(status: int) -> Explanation:
    if 300 <= status < 400:
        return MOVED
    return EXPLANATIONS.get(status, BUSY if status >= 500 else UNKNOWN)


def category(status: int, url: str, own: Mapping[int, str]) -> str:
    """own: what a service calls a status differently."""
    if status == 404 and status not in own:
        return f"Resource not found at [{url}]"
    if 300 <= status < 400:
        return REDIRECTION
    known = own.get(status) or CATEGORIES.get(status)
    return known or (SERVER_ERROR if status >= 500 else UNSUCCESSFUL)


def status_told(status: int) -> int:
    """The status for the caller of one that a provider sent."""
    return status if status in TOLD else HTTPStatus.BAD_REQUEST


def refused(
    inference_id: str,
    status: int,
    url: str,
    told: ProviderError,
    own: Mapping[int, str],
    suffix: str = "",
) -> UpstreamRefused:
    """suffix: what headers tell beside the category, of a rate limit for example."""
    told = replace(told, message=told.message[:LONGEST_MESSAGE])
    reason = (
        f"{category(status, url, own)}{suffix} for request from inference entity id "
        f"[{inference_id}] status [{status}]"
    )
    if told.message:
        reason += f". Error message: [{told.message}]"
    return UpstreamRefused(
        reason, explain(status), status=status_told(status), told=told, upstream_status=status
    )


def unreachable(exc: httpx.TransportError, url: httpx.URL, inference_id: str) -> UpstreamError:
    if isinstance(exc, httpx.TimeoutException) and not isinstance(exc, httpx.ConnectTimeout):
        return timed_out(url, inference_id)
    root = root_of(exc)
    cause, advice = connection_in_words(exc, root)
    is_trusted = not isinstance(root, ssl.SSLCertVerificationError)
    return UpstreamUnreachable(
        f"Failed to send request from inference entity id [{inference_id}] to [{url.host}]: "
        f"{cause}",
        Explanation(f"No answer from the provider: {cause}.", advice, retry_helps=is_trusted),
    )


def root_of(exc: BaseException) -> BaseException:
    """What a failure began with."""
    while cause := exc.__cause__ or exc.__context__:
        exc = cause
    return exc


def connection_in_words(exc: BaseException, cause: BaseException) -> tuple[str, str]:
    """Why there is no connection, and what can be done about it."""
    match exc, cause:
        case _, ssl.SSLCertVerificationError():
            return (
                f"its certificate is not trusted ({cause.verify_message})",
                "If the provider or a proxy has a CA of its own, name it in CONSOLE_UPSTREAM_CA "
                "or in the endpoint's [ca_certificate].",
            )
        case _, ssl.SSLError():
            return (
                "it does not speak TLS as it should",
                "Check that the address begins with the right of http:// and https://.",
            )
        case httpx.ProxyError(), _:
            return "the proxy refused", "Check CONSOLE_UPSTREAM_PROXY or the endpoint's proxy."
        case httpx.ConnectTimeout(), _:
            return (
                "no connection within the time allowed",
                "Check that a firewall lets this machine out, or set a proxy.",
            )
        case httpx.ConnectError(), ConnectionRefusedError():
            return "nothing listens there", "Check the host and the port of the address."
        case httpx.ConnectError(), _:
            return f"it cannot be reached ({cause})", "Check the address, and this machine's way."
    return "the connection broke off", "Try again; if it stays so, look at proxies on the way."


def timed_out(url: httpx.URL, inference_id: str) -> UpstreamTimedOut:
    return UpstreamTimedOut(
        f"Request timed out for inference entity id [{inference_id}], waiting for [{url.host}]",
        Explanation(
            "The provider did not answer within the timeout.",
            "Allow a longer timeout, or send less at a time.",
            retry_helps=True,
        ),
    )


def too_large(url: httpx.URL, inference_id: str, most: int) -> ReplyTooLarge:
    return ReplyTooLarge(
        f"Response of [{url.host}] to inference entity id [{inference_id}] has more than "
        f"[{most}] bytes",
        Explanation(
            "The provider's answer is larger than is accepted.",
            "Send fewer inputs at a time.",
            retry_helps=False,
        ),
    )


def malformed(url: httpx.URL | str, inference_id: str, why: str) -> UpstreamMalformed:
    host = httpx.URL(url).host
    return UpstreamMalformed(
        f"Failed to parse the response of [{host}] to inference entity id [{inference_id}]: {why}",
        Explanation(
            "The answer is not what this provider promises.",
            "Check that the address belongs to this service and task; a proxy may have answered.",
            retry_helps=True,
        ),
    )


def broken_stream(inference_id: str, told: ProviderError | None, why: str = "") -> BrokenStream:
    """A stream that ended in an error, which the provider told of, or that simply broke off."""
    told = told or ProviderError()
    message = (told.message or why)[:LONGEST_MESSAGE]
    return BrokenStream(
        f"Received an error response for request from inference entity id [{inference_id}]. "
        f"Error message: [{message}]",
        Explanation(
            "The provider's stream ended in an error.",
            "What came before it may be incomplete; send the request again.",
            retry_helps=True,
        ),
        told=replace(told, code=told.code or "stream_error"),
    )


def no_token(grant: Grant, inference_id: str, cause: UpstreamError) -> UpstreamError:
    return UpstreamRefused(
        f"Failed to get {grant.what} for inference entity id [{inference_id}]: {cause}",
        cause.explanation,
        status=grant.refused_status or cause.status,
    )


def token_refused(grant: Grant, inference_id: str, status: int, url: str) -> UpstreamRefused:
    known = category(status, url, {})
    return UpstreamRefused(
        f"{known} for request to generate {grant.what} from inference entity id [{inference_id}] "
        f"status [{status}]. Error message: [{_phrase(status)}]",
        EXPLANATIONS[401] if status in (400, 401, 403) else explain(status),
        status=grant.refused_status or status_told(status),
        upstream_status=status,
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return str(status)
