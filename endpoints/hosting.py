"""Calls to models that run here: waits while they start, and says why when they cannot."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from time import monotonic, sleep

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from endpoints import deployments
from endpoints.models import ArtifactState, Deployment, DeploymentState, Endpoint, Heartbeat
from inference.errors import (
    Conflict,
    DeploymentFailed,
    DeploymentTimedOut,
    ModelUnavailable,
    RunnerUnavailable,
    TooManyWaiting,
)
from inference.execute import run_hosted
from inference.runner.client import HostClient, HostUnreachable
from inference.runner.protocol import socket_folder
from inference.services.elasticsearch import ElasticsearchSettings
from inference.types import InferenceRequest, InferenceResult

# How often to look again while something else is at work: a model that loads, a download.
POLL_S = 0.05
# A caller who sets no limit waits this long; a socket takes no endless time.
LONGEST_WAIT_S = 24 * 3600.0
LAST_MOMENT_S = 0.001
# What is always there and could not be started is tried again by a call after this time.
RETRY_AFTER_S = 60.0
# Callers of one web process that wait for one deployment; each of them holds a thread.
MAX_WAITING = 99
_waiting: Counter[str] = Counter()
_line = threading.Lock()


def deadline_in(timeout_s: float) -> float:
    return monotonic() + min(timeout_s, LONGEST_WAIT_S)


def left_s(deadline: float) -> float:
    """The seconds until a deadline, a last moment at the least."""
    return max(deadline - monotonic(), LAST_MOMENT_S)


def is_over(deadline: float) -> bool:
    return monotonic() >= deadline


def pause() -> None:
    """Let a little time pass before looking again."""
    sleep(POLL_S)


@cache
def hosts() -> HostClient:
    return HostClient(socket_folder(settings.DATA_DIR))


def cut_off(deployment_ids: Iterable[str]) -> None:
    """Have the hosts of deployments that are gone end now, and not after their last answer.

    Who still waits for one is told that it does not run.
    """
    for deployment_id in deployment_ids:
        hosts().end(deployment_id)


def infer(endpoint: Endpoint, request: InferenceRequest, timeout_s: float) -> InferenceResult:
    """Run a request on the endpoint's deployment.

    A host that is starting, or starting again, is waited for within the caller's time; what is
    always there is started by its first call.
    Raises Conflict, DeploymentTimedOut, TimedOut, TooManyWaiting, QueueFull, HostFailed or
    RunnerUnavailable.
    """
    deadline = deadline_in(timeout_s)
    deployment_id = endpoint.deployment_id
    if deployment_id is None:
        raise Conflict(f"Endpoint [{endpoint.inference_id}] has no deployment")

    def call() -> InferenceResult:
        return run_hosted(hosts(), deployment_id, endpoint.task, request, left_s(deadline))

    with suppress(HostUnreachable):
        return call()
    with place_in_line(deployment_id):
        while True:
            wait_for_change(endpoint, deadline)
            with suppress(HostUnreachable):
                return call()


@contextmanager
def place_in_line(deployment_id: str) -> Iterator[None]:
    """Count a caller that waits for a deployment to start. Raises TooManyWaiting."""
    with _line:
        if _waiting[deployment_id] >= MAX_WAITING:
            raise TooManyWaiting(
                f"Too many requests wait for deployment [{deployment_id}] to start: "
                f"there may be {MAX_WAITING} of them"
            )
        _waiting[deployment_id] += 1
    try:
        yield
    finally:
        with _line:
            _waiting[deployment_id] -= 1


def wait_for_change(endpoint: Endpoint, deadline: float) -> None:
    """Pause before the next try. Raises when there is nothing to wait for, or no time left."""
    deployment_id = endpoint.deployment_id
    deployment = Deployment.objects.filter(deployment_id=deployment_id).with_files().first()
    if deployment is None:
        if not endpoint.is_preconfigured:
            raise not_running(endpoint)
        start(endpoint)
    elif deployment.state == DeploymentState.FAILED:
        if not (endpoint.is_preconfigured and is_long_ago(deployment)):
            raise Conflict(f"Deployment [{deployment_id}] failed: {deployment.reason}")
        deployments.retry(deployment)
    else:
        go_on_waiting(deployment, deadline)
    pause()


def go_on_waiting(deployment: Deployment, deadline: float) -> None:
    """Wake what went down to none. Raises DeploymentTimedOut or RunnerUnavailable after the end."""
    if not deployment.num_allocations:
        deployments.wake(deployment)
    elif is_over(deadline):
        if not Heartbeat.objects.fresh().filter(part="runner").exists():
            raise RunnerUnavailable(
                f"Deployment [{deployment.deployment_id}] cannot be reached: "
                "the runner gives no sign of life"
            )
        raise timed_out(deployment)


def start(endpoint: Endpoint) -> None:
    """Start what was not started when the endpoint was made, unless another caller just did."""
    settings = ElasticsearchSettings.model_validate(endpoint.service_settings)
    with suppress(IntegrityError):
        deployments.deploy(endpoint.inference_id, settings)


def start_if_idle(endpoint: Endpoint) -> None:
    """What a call does to an endpoint of which nothing runs for now, without waiting for it.

    Raises Conflict where no call could start it, QueueFull or NotEnoughMemory.
    """
    if endpoint.deployment:
        deployments.wake(endpoint.deployment)
    elif endpoint.is_preconfigured:
        start(endpoint)
    else:
        raise not_running(endpoint)


def not_running(endpoint: Endpoint) -> Conflict:
    return Conflict(
        f"Deployment [{endpoint.deployment_id}] is not running. Start it again, "
        f"or delete endpoint [{endpoint.inference_id}] and create it anew"
    )


def is_long_ago(deployment: Deployment) -> bool:
    """Whether a failure is old enough for the next caller to try again."""
    age = timezone.now() - deployment.state_changed_at
    return age.total_seconds() > RETRY_AFTER_S


def is_started(deployment: Deployment) -> bool:
    return deployment.state == DeploymentState.STARTED


def wait_until_started(
    deployment_id: str | None,
    timeout_s: float,
    is_enough: Callable[[Deployment], bool] = is_started,
) -> float:
    """Wait until a deployment runs, or until it is as far as the caller wants it.

    Returns how many of the seconds are left.
    Raises ModelUnavailable or DeploymentFailed as soon as that is known, Conflict where it goes
    away, or DeploymentTimedOut; then the download and the start go on.
    """
    deadline = deadline_in(timeout_s)
    while True:
        deployment = Deployment.objects.filter(deployment_id=deployment_id).with_files().first()
        if deployment is None:
            raise Conflict(f"Deployment [{deployment_id}] was removed meanwhile")
        artifact = deployment.model.artifact
        if artifact and artifact.state == ArtifactState.FAILED:
            raise ModelUnavailable(artifact.reason)
        if deployment.state == DeploymentState.FAILED:
            raise DeploymentFailed(
                f"Deployment [{deployment.deployment_id}] failed: {deployment.reason}"
            )
        if is_enough(deployment):
            return left_s(deadline)
        if is_over(deadline):
            raise timed_out(deployment)
        pause()


def timed_out(deployment: Deployment) -> DeploymentTimedOut:
    return DeploymentTimedOut(
        f"Timed out waiting for deployment [{deployment.deployment_id}] to start "
        f"(it is {deployment.words}). It goes on starting: "
        "use the trained model stats API to follow it, and retry once it has started"
    )
