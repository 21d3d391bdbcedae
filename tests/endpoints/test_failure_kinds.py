"""Which kind a failed call is counted as."""

import pytest

from endpoints.failure_kinds import WORDS, FailureKind, kind_of
from inference.errors import (
    Conflict,
    DeploymentFailed,
    DeploymentTimedOut,
    InvalidSettings,
    ModelUnavailable,
    QueueFull,
    RunnerUnavailable,
    TooManyWaiting,
)
from inference.upstream.errors import (
    BrokenStream,
    Explanation,
    ProviderError,
    UpstreamTimedOut,
    UpstreamUnreachable,
)
from inference.upstream.failures import refused

SAID = Explanation("", "", retry_helps=False)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, FailureKind.REFUSED),
        (400, FailureKind.REFUSED),
        (401, FailureKind.CREDENTIALS),
        (403, FailureKind.CREDENTIALS),
        (404, FailureKind.REFUSED),
        (429, FailureKind.LIMIT),
        (500, FailureKind.PROVIDER),
        (503, FailureKind.PROVIDER),
    ],
)
def test_what_a_provider_answers_is_told_by_its_status(status: int, kind: FailureKind) -> None:
    assert kind_of(refused("mine", status, "https://a.test", ProviderError(), {})) == kind


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (UpstreamTimedOut("late", SAID), FailureKind.TIMEOUT),
        (DeploymentTimedOut("late"), FailureKind.TIMEOUT),
        (UpstreamUnreachable("gone", SAID), FailureKind.UNREACHABLE),
        (BrokenStream("broken", SAID), FailureKind.PROVIDER),
        (QueueFull("full"), FailureKind.BUSY),
        (TooManyWaiting("full"), FailureKind.BUSY),
        (InvalidSettings(["wrong"]), FailureKind.REQUEST),
        (ModelUnavailable("none"), FailureKind.MODEL),
        (DeploymentFailed("none"), FailureKind.MODEL),
        (Conflict("none"), FailureKind.MODEL),
        (RunnerUnavailable("none"), FailureKind.MODEL),
        (KeyError("a bug"), FailureKind.FAULT),
    ],
)
def test_every_other_failure_has_a_kind(failure: Exception, kind: FailureKind) -> None:
    assert kind_of(failure) == kind


def test_every_kind_says_what_helps() -> None:
    assert set(WORDS) == set(FailureKind)
