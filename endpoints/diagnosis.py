"""What works of an endpoint and what does not, told step by step."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from endpoints import calls, providers
from endpoints.models import ArtifactState, Endpoint, Heartbeat
from endpoints.secrets import SecretUnreadable
from endpoints.status import FETCH_ADVICE, EndpointStatus, status_of
from inference.errors import InferenceError
from inference.findings import (
    OF_NO_USE,
    Finding,
    Outcome,
    Step,
    StepName,
    failed,
    looked,
    ok,
    result_in_words,
    skipped,
)
from inference.services import find_service
from inference.upstream.diagnosis import Diagnosis

TIMEOUT_S, LONGEST_S = 30.0, 60.0
WAIT_ADVICE = "Wait: it goes on by itself, and the endpoint's page shows how far it is."
RUNNER_ADVICE = "Start it again; its log says why it ended."
CALL_ADVICE = "The log of the runner, and those of the model hosts, say more."


def diagnose(
    endpoint: Endpoint, timeout_s: float = TIMEOUT_S, *, may_cost: bool = False
) -> Iterator[Step]:
    """The steps, each as soon as it is known.

    endpoint: read by `with_status()`. may_cost: whether a provider is really called once, which
    it may bill; a model that runs here is called in any case, and costs nothing.
    """
    timeout_s = min(timeout_s, LONGEST_S)
    if not find_service(endpoint.service).is_remote:
        return _of_model(endpoint, timeout_s)
    try:
        line = providers.line_of(endpoint)
    except SecretUnreadable as exc:
        advice = "Enter the credentials again, with an update of the endpoint."
        return iter([Step(StepName.CREDENTIALS, failed(f"{exc}.", advice))])
    probe = providers.probe_of(endpoint.task)
    return Diagnosis(line, probe, timeout_s, may_cost=may_cost).steps()


def to_response(endpoint: Endpoint, steps: Iterable[Step]) -> dict[str, Any]:
    told = list(steps)
    return {
        "inference_id": endpoint.inference_id,
        "result": Outcome.FAILED if any(step.is_failed for step in told) else Outcome.OK,
        "steps": [step.to_response() for step in told],
    }


def _of_model(endpoint: Endpoint, timeout_s: float) -> Iterator[Step]:
    status, started = status_of(endpoint), time.monotonic()
    looks: dict[StepName, Callable[[], Finding]] = {
        StepName.MODEL: partial(_files, endpoint),
        StepName.DEPLOYMENT: partial(_deployment, status),
        StepName.RUNNER: _runner,
    }
    broken: StepName | None = None
    for name, look in looks.items():
        step = looked(name, look) if broken is None else Step(name, OF_NO_USE)
        yield step
        if step.is_failed:
            broken = broken or name
    if broken is not None:
        yield Step(StepName.CALL, OF_NO_USE)
    elif not status.is_ready:
        told = "Nothing runs for it now, and a diagnosis starts nothing: a real call does."
        yield Step(StepName.CALL, skipped(told))
    else:
        left_s = max(timeout_s - (time.monotonic() - started), 0.0)
        yield looked(StepName.CALL, partial(_call, endpoint, left_s))


def _files(endpoint: Endpoint) -> Finding:
    if endpoint.deployment is None:
        return skipped("Its first start fetches the model's files, if they are not here yet.")
    model = endpoint.deployment.model
    artifact = model.artifact
    if artifact is None or artifact.is_ready:
        return ok(f"The files of [{model.model_id}] are here.")
    advice = FETCH_ADVICE if artifact.state == ArtifactState.FAILED else WAIT_ADVICE
    told = f"The files of [{model.model_id}] are not here: {artifact.get_state_display()}."
    return failed(f"{told} {artifact.reason}".strip(), advice)


def _deployment(status: EndpointStatus) -> Finding:
    if status.is_settled and not status.is_failed:
        return ok(status.detail)
    return failed(status.detail, status.advice or WAIT_ADVICE)


def _runner() -> Finding:
    if Heartbeat.objects.fresh().filter(part="runner").exists():
        return ok("The runner, which looks after the models, gives signs of life.")
    return failed("The runner, which looks after the models, gives no sign of life.", RUNNER_ADVICE)


def _call(endpoint: Endpoint, timeout_s: float) -> Finding:
    try:
        result = calls.probe(endpoint, timeout_s)
    except InferenceError as exc:
        return failed(f"{exc}.", CALL_ADVICE)
    return ok(f"The model answered with {result_in_words(result)}.")
