from collections.abc import Iterable

import pytest

from endpoints import actions
from endpoints.models import Artifact, ArtifactState, Deployment, DeploymentState, Endpoint, User
from endpoints.reconcile import Reconciler
from inference.runner.hosts import LocalRunner
from inference.runner.process import HostStatus
from inference.runner.spec import HostSpec, Spec
from inference.types import TaskType
from tests.endpoints.conftest import SETTINGS


class FakeRunner(LocalRunner):
    """Notes what should run; says of each host what the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.wished: dict[str, Spec] = {}
        self.serves: dict[str, Spec] = {}
        self.says = HostStatus("starting")

    def apply(self, specs: Iterable[Spec]) -> None:
        self.wished = {spec.deployment_id: spec for spec in specs}

    def status(self, deployment_id: str) -> HostStatus:
        return self.says

    def serving(self, deployment_id: str) -> Spec | None:
        return self.serves.get(deployment_id)

    def start_what_is_wished(self) -> None:
        """Let what should run be what answers callers."""
        self.serves, self.says = self.wished, HostStatus("started")


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def reconciler(runner: FakeRunner) -> Reconciler:
    return Reconciler(runner)


@pytest.fixture
def endpoint(admin: User) -> Endpoint:
    config = {"service_settings": SETTINGS | {"num_allocations": 2}}
    return actions.create_endpoint(admin, "e1", TaskType.TEXT_EMBEDDING, "elasticsearch", config)


def observed() -> tuple[str, str]:
    deployment = Deployment.objects.get()
    return deployment.state, deployment.reason


def files_are(state: ArtifactState, reason: str = "") -> None:
    Artifact.objects.update(state=state, reason=reason)


def test_nothing_runs_before_its_files_are_there(
    reconciler: Reconciler, runner: FakeRunner, endpoint: Endpoint
) -> None:
    for state in (ArtifactState.QUEUED, ArtifactState.DOWNLOADING, ArtifactState.CONVERTING):
        files_are(state)
        reconciler.step()

        assert runner.wished == {}
        assert observed() == (DeploymentState.WAITING, "")


def test_a_deployment_runs_as_it_was_asked_for(
    reconciler: Reconciler, runner: FakeRunner, endpoint: Endpoint
) -> None:
    files_are(ArtifactState.READY)
    reconciler.step()

    spec = runner.wished["e1"]
    assert isinstance(spec, HostSpec)
    assert (spec.num_allocations, spec.num_threads) == (2, 1)
    assert spec.task_type == TaskType.TEXT_EMBEDDING
    assert spec.max_input_tokens == 256
    assert spec.model_folder.endswith("sentence-transformers--all-MiniLM-L6-v2")


def test_a_model_runs_with_its_own_window_and_prefixes(
    reconciler: Reconciler, runner: FakeRunner, admin: User
) -> None:
    config = {"service_settings": SETTINGS | {"model_id": ".multilingual-e5-small"}}
    actions.create_endpoint(admin, "e5", TaskType.TEXT_EMBEDDING, "elasticsearch", config)
    files_are(ArtifactState.READY)
    reconciler.step()

    spec = runner.wished["e5"]
    assert isinstance(spec, HostSpec)
    assert spec.max_input_tokens == 512
    assert spec.prefixes == {"search": "query: ", "ingest": "passage: "}
    assert HostSpec.from_json(spec.to_json().decode()) == spec


def test_what_the_runner_sees_is_written_down(
    reconciler: Reconciler, runner: FakeRunner, endpoint: Endpoint
) -> None:
    files_are(ArtifactState.READY)
    for said in (HostStatus("starting"), HostStatus("failed", "no memory"), HostStatus("started")):
        runner.says = said
        reconciler.step()

        assert observed() == (said.state, said.reason)


def test_the_time_of_a_change_is_kept(
    reconciler: Reconciler, runner: FakeRunner, endpoint: Endpoint
) -> None:
    files_are(ArtifactState.READY)
    reconciler.step()
    first = Deployment.objects.get().state_changed_at
    reconciler.step()
    assert Deployment.objects.get().state_changed_at == first

    runner.says = HostStatus("started")
    reconciler.step()
    assert Deployment.objects.get().state_changed_at > first


def test_files_that_cannot_be_had_fail_the_deployment(
    reconciler: Reconciler, endpoint: Endpoint
) -> None:
    files_are(ArtifactState.FAILED, "no route to host")
    reconciler.step()

    assert observed() == (DeploymentState.FAILED, "no route to host")


def test_a_retry_asks_for_a_fresh_start(
    reconciler: Reconciler, runner: FakeRunner, endpoint: Endpoint
) -> None:
    files_are(ArtifactState.READY)
    runner.says = HostStatus("failed", "no memory")
    reconciler.step()
    before = runner.wished["e1"]

    actions.retry_endpoint(Endpoint.objects.with_status().get())

    assert observed() == (DeploymentState.WAITING, "")
    reconciler.step()
    assert runner.wished["e1"] != before


def test_a_retry_does_not_bring_back_what_was_deleted(
    reconciler: Reconciler, runner: FakeRunner, endpoint: Endpoint, admin: User
) -> None:
    files_are(ArtifactState.READY)
    runner.says = HostStatus("failed", "no memory")
    reconciler.step()
    seen = Endpoint.objects.with_status().get()
    actions.delete_endpoint(admin, endpoint)

    actions.retry_endpoint(seen)

    assert not Deployment.objects.exists()


def test_a_retry_after_a_failed_download_fetches_again(
    reconciler: Reconciler, endpoint: Endpoint
) -> None:
    files_are(ArtifactState.FAILED, "no route to host")
    reconciler.step()

    actions.retry_endpoint(Endpoint.objects.with_status().get())

    assert Artifact.objects.get().state == ArtifactState.QUEUED
    assert observed() == (DeploymentState.WAITING, "")


def test_a_deleted_endpoint_stops_its_host(
    reconciler: Reconciler, runner: FakeRunner, endpoint: Endpoint, admin: User
) -> None:
    files_are(ArtifactState.READY)
    reconciler.step()

    actions.delete_endpoint(admin, endpoint)
    reconciler.step()

    assert runner.wished == {}


def test_what_has_no_allocations_takes_no_process_and_is_no_failure(
    reconciler: Reconciler, runner: FakeRunner, endpoint: Endpoint
) -> None:
    files_are(ArtifactState.READY)
    Deployment.objects.update(num_allocations=0)

    reconciler.step()

    assert not runner.wished
    assert observed() == (DeploymentState.STARTED, "")
