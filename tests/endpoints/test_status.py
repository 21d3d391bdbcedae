import itertools
from collections.abc import Callable
from typing import Any

import pytest

from endpoints.models import ArtifactState, DeploymentState, Endpoint, TrainedModel
from endpoints.status import BY_ATTENTION, EndpointStatus, State, ranked, status_of
from inference.types import TaskType
from tests.factories import make_artifact, make_deployment, make_endpoint, make_remote_endpoint

pytestmark = pytest.mark.django_db

A, D = ArtifactState, DeploymentState


def status(artifact: dict[str, Any], deployment: dict[str, Any]) -> EndpointStatus:
    make_endpoint(artifact=make_artifact(**artifact), **deployment)
    return status_of(Endpoint.objects.with_status().get())


@pytest.mark.parametrize(
    ("artifact", "deployment", "state", "words"),
    [
        (A.ABSENT, D.WAITING, State.WAITING, "Waiting"),
        (A.QUEUED, D.WAITING, State.WAITING, "Waiting"),
        (A.DOWNLOADING, D.WAITING, State.DOWNLOADING, "Downloading"),
        (A.CONVERTING, D.WAITING, State.CONVERTING, "Converting"),
        (A.READY, D.WAITING, State.STARTING, "Loading"),
        (A.READY, D.STARTING, State.STARTING, "Loading"),
        (A.READY, D.STARTED, State.READY, "Ready"),
        (A.READY, D.FAILED, State.FAILED, "Failed"),
        (A.FAILED, D.WAITING, State.FAILED, "Failed"),
        (A.FAILED, D.FAILED, State.FAILED, "Failed"),
    ],
)
def test_files_and_deployment_together_make_the_state(
    artifact: str, deployment: str, state: State, words: str
) -> None:
    told = status({"state": artifact}, {"state": deployment})

    assert (told.state, told.words) == (state, words)
    assert told.detail
    assert told.is_settled == (state in (State.READY, State.FAILED))


@pytest.mark.parametrize("artifact", [A.QUEUED, A.DOWNLOADING, A.CONVERTING])
def test_files_on_their_way_outdate_a_failure(artifact: str) -> None:
    told = status({"state": artifact}, {"state": D.FAILED, "reason": "old"})

    assert not told.is_failed


def test_a_model_that_runs_is_ready_whatever_happens_to_its_files() -> None:
    assert status({"state": A.DOWNLOADING}, {"state": D.STARTED}).is_ready


def test_a_failed_download_tells_its_reason_and_what_to_do() -> None:
    told = status({"state": A.FAILED, "reason": "hub: no answer"}, {"state": D.FAILED})

    assert told.detail == "hub: no answer"
    assert "CONSOLE_MODEL_MIRROR" in told.advice


def test_a_failed_start_tells_its_reason_and_what_to_do() -> None:
    told = status({}, {"state": D.FAILED, "reason": "ended by SIGKILL"})

    assert told.detail == "ended by SIGKILL"
    assert "memory" in told.advice


def test_an_endpoint_whose_deployment_was_removed_has_failed() -> None:
    endpoint = make_endpoint()
    assert endpoint.deployment
    endpoint.deployment.delete()

    told = status_of(Endpoint.objects.with_status().get())

    assert told.is_failed
    assert "removed" in told.detail


def test_a_download_tells_how_far_it_is() -> None:
    numbers = {"bytes_done": 30, "bytes_total": 120, "bytes_per_s": 45.0, "source": "hub"}

    download = status({"state": A.DOWNLOADING, **numbers}, {"state": D.WAITING}).download

    assert download
    assert (download.percent, download.left_s, download.source) == (25, 2.0, "hub")


def test_a_download_that_has_not_begun_promises_nothing() -> None:
    download = status({"state": A.DOWNLOADING}, {"state": D.WAITING}).download

    assert download
    assert (download.percent, download.left_s) == (0, None)


def test_the_way_shows_what_is_done_and_what_is_going_on() -> None:
    stages = status({"state": A.CONVERTING}, {"state": D.WAITING}).stages

    assert [stage.words for stage in stages] == [
        "Waiting",
        "Downloading",
        "Converting",
        "Loading",
        "Ready",
    ]
    assert [stage.is_done for stage in stages] == [True, True, False, False, False]
    assert [stage.is_current for stage in stages] == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("artifact", "deployment", "part"),
    [
        (A.QUEUED, D.WAITING, "worker"),
        (A.DOWNLOADING, D.WAITING, "worker"),
        (A.CONVERTING, D.WAITING, "worker"),
        (A.READY, D.STARTING, "runner"),
        (A.READY, D.STARTED, "runner"),
        (A.FAILED, D.FAILED, None),
    ],
)
def test_each_state_names_the_part_that_must_live(
    artifact: str, deployment: str, part: str | None
) -> None:
    assert status({"state": artifact}, {"state": deployment}).needed_part == part


def test_telling_the_status_takes_no_query(
    django_assert_num_queries: Callable[..., Any],
) -> None:
    make_endpoint(state=D.STARTING)
    endpoint = Endpoint.objects.with_status().get()

    with django_assert_num_queries(0):
        status_of(endpoint)


def test_an_endpoint_of_a_provider_is_ready_and_needs_no_part_of_the_product() -> None:
    settings = {"model_id": "gpt-4o", "api_key": "sk-planted"}
    make_remote_endpoint("openai", TaskType.COMPLETION, settings)

    told = status_of(Endpoint.objects.with_status().get())

    assert (told.state, told.detail) == (State.READY, "Calls go to OpenAI.")
    assert told.can_be_called
    assert told.needed_part is None


def test_the_database_tells_the_same_state_whatever_the_records_say() -> None:
    """Every combination of records, with and without files, deployment, reason and allocations."""
    combinations = itertools.product([None, *A], D, ["", "why"], [0, 1])
    for number, (files, state, reason, allocations) in enumerate(combinations):
        artifact = files and make_artifact(repository=f"a/{files}", state=files)
        model = TrainedModel.objects.get_or_create(model_id=f"m-{files}", artifact=artifact)[0]
        columns = {"state": state, "reason": reason, "num_allocations": allocations}
        runs = make_deployment(f"d{number}", model, **columns)
        Endpoint.objects.create(inference_id=f"e{number}", service="elasticsearch", deployment=runs)
    for name in ("removed", ".removed"):
        gone = make_deployment(name)
        Endpoint.objects.create(inference_id=name, service="elasticsearch", deployment=gone)
        gone.delete()
    for name in ("never", ".never"):
        Endpoint.objects.create(inference_id=name, service="elser")
    make_remote_endpoint("openai", TaskType.COMPLETION, {"model_id": "m", "api_key": "sk"})

    endpoints = ranked(Endpoint.objects.with_status())
    told = {one: BY_ATTENTION[one.rank] for one in endpoints}  # type: ignore[attr-defined]  # ranked

    assert told == {one: status_of(one).state for one in told}
    assert set(told.values()) == set(State)
