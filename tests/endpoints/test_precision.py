"""From a precision that is asked for to the one that runs, or to the reason why none does."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from endpoints import actions, deployments, precision, tasks
from endpoints.jobs import artifact_folder, stopping
from endpoints.models import (
    Artifact,
    ArtifactState,
    AuditEntry,
    Deployment,
    DeploymentState,
    Endpoint,
    ModelMeasure,
    TrainedModel,
    User,
)
from endpoints.precision import MEASURING, try_model, untried_models
from endpoints.reconcile import Reconciler
from endpoints.status import State, status_of
from inference.runner.precision import report as reports
from inference.runner.precision.report import (
    Report,
    Trial,
    failed,
    read_report,
    report_key,
    write_report,
)
from inference.runner.process import Measured
from inference.runner.spec import HostSpec
from inference.types import TaskType
from tests.endpoints.conftest import SETTINGS, Api, refused, told
from tests.endpoints.test_reconcile import FakeRunner
from tests.tiny import write_tiny_model
from tests.trials import FULL, INT8, NO_BF16

TASK = TaskType.TEXT_EMBEDDING
BAD = replace(INT8, lowest_cosine=0.8731)


@pytest.fixture
def folder(tmp_path: Path, settings: Any, admin: User) -> Path:
    """The files of the built-in model's repository, in a place of this test."""
    settings.MODEL_DIR = tmp_path
    artifact = Artifact.objects.create(repository="sentence-transformers/all-MiniLM-L6-v2")
    return write_tiny_model(artifact_folder(artifact))


@pytest.fixture
def deploy(folder: Path, admin: User) -> Callable[[str], Deployment]:
    def deploy(wished: str) -> Deployment:
        config = {"service_settings": SETTINGS | ({"precision": wished} if wished else {})}
        actions.create_endpoint(admin, "e1", TASK, "elasticsearch", config)
        Artifact.objects.update(state=ArtifactState.READY)
        return Deployment.objects.with_files().get()

    return deploy


def tried(folder: Path, *trials: Trial) -> None:
    write_report(folder, Report(TASK, report_key(folder), (FULL, *trials)))


def step() -> tuple[str, Deployment]:
    """Which precision is to run after a step of the reconciler; nothing for none."""
    runner = FakeRunner()
    Reconciler(runner).step()
    spec = runner.wished.get("e1")
    return spec.precision if isinstance(spec, HostSpec) else "", Deployment.objects.get()


@pytest.mark.parametrize("wished", ["", "fp32"])
def test_full_precision_runs_at_once(deploy: Callable[[str], Deployment], wished: str) -> None:
    deploy(wished)

    assert step()[0] == "fp32"
    assert untried_models() == []


def test_what_must_be_tried_waits_for_its_report_and_says_so(
    deploy: Callable[[str], Deployment], folder: Path
) -> None:
    deploy("auto")

    running, deployment = step()

    assert running == ""
    assert (deployment.state, deployment.reason) == (DeploymentState.WAITING, MEASURING)
    assert deployment.words == MEASURING
    assert untried_models() == [deployment.model_id]


@pytest.mark.parametrize(
    ("wished", "trials", "runs"),
    [
        ("auto", (INT8, NO_BF16), "int8"),
        ("auto", (BAD, NO_BF16), "fp32"),
        ("int8", (INT8, NO_BF16), "int8"),
    ],
)
def test_it_runs_as_its_report_has_it(
    deploy: Callable[[str], Deployment],
    folder: Path,
    wished: str,
    trials: tuple[Trial, ...],
    runs: str,
) -> None:
    deploy(wished)
    tried(folder, *trials)

    running, deployment = step()

    assert running == runs
    assert deployment.state == DeploymentState.STARTING
    assert untried_models() == []


@pytest.mark.parametrize(
    ("trial", "words"), [(BAD, "lowest cosine to fp32 is 0.8731"), (NO_BF16, "it was not tried")]
)
def test_what_is_asked_for_and_loses_too_much_fails_with_the_figures(
    deploy: Callable[[str], Deployment], folder: Path, trial: Trial, words: str
) -> None:
    deploy("int8")
    tried(folder, trial)

    running, deployment = step()

    assert running == ""
    assert deployment.state == DeploymentState.FAILED
    assert words in deployment.reason


def test_trials_that_failed_are_made_again_when_somebody_asks(
    deploy: Callable[[str], Deployment], folder: Path
) -> None:
    deployment = deploy("auto")
    write_report(folder, failed(folder, TASK, "MemoryError: no room"))
    assert "no room" in step()[1].reason

    deployments.retry(Deployment.objects.with_files().get())

    assert step()[1].reason == MEASURING
    assert untried_models() == [deployment.model_id]


def test_the_page_says_that_it_is_measured(
    deploy: Callable[[str], Deployment], admin: User
) -> None:
    deploy("auto")
    step()

    endpoint = Endpoint.objects.with_status().get(inference_id="e1")
    status = status_of(endpoint)

    assert status.state == State.MEASURING
    assert [stage.words for stage in status.stages if stage.is_current] == ["Measuring"]
    assert status.needed_part == "worker"


def test_a_model_is_tried_once_and_by_one_process(
    deploy: Callable[[str], Deployment], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = deploy("auto").model
    runs: list[str] = []

    def run_trials(model: TrainedModel, folder: Path) -> None:
        runs.append(model.model_id)
        assert untried_models() == []  # somebody is at it
        try_model(model.pk)  # and nobody else comes in
        tried(folder, INT8)

    monkeypatch.setattr(precision, "_run_trials", run_trials)

    try_model(model.pk)
    try_model(model.pk)

    assert runs == [model.model_id]


def test_trials_run_in_a_process_of_their_own_and_leave_a_report(
    deploy: Callable[[str], Deployment], folder: Path
) -> None:
    (folder / "model.onnx").write_bytes(b"no graph")
    model = deploy("auto").model

    tasks.try_precisions(model.pk)

    report = read_report(folder, TASK)
    assert report is not None
    assert "InvalidProtobuf" in report.failure


def test_a_worker_that_stops_ends_the_trials_and_leaves_them_to_the_next(
    deploy: Callable[[str], Deployment], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = deploy("auto").model
    stopping.set()
    monkeypatch.setattr(precision, "stopping", stopping)
    try:
        try_model(model.pk)
    finally:
        stopping.clear()

    assert read_report(folder, TASK) is None
    assert untried_models() == [model.pk]


def test_nothing_is_tried_before_the_files_are_there(
    deploy: Callable[[str], Deployment], folder: Path
) -> None:
    model = deploy("auto").model
    Artifact.objects.update(state=ArtifactState.CONVERTING)

    try_model(model.pk)

    assert untried_models() == []
    assert read_report(folder, TASK) is None


def test_a_folder_that_was_cleared_stops_nothing(
    deploy: Callable[[str], Deployment], folder: Path
) -> None:
    model = deploy("auto").model
    shutil.rmtree(folder)

    try_model(model.pk)

    assert untried_models() == []


def put(api: Api, **settings: Any) -> Any:
    body = {"service": "elasticsearch", "service_settings": SETTINGS | settings}
    return api("PUT", "/_inference/text_embedding/e1", body)


def test_a_precision_is_shown_only_where_it_was_set(api: Api) -> None:
    assert told(put(api, precision="auto"))["service_settings"]["precision"] == "auto"
    api("DELETE", "/_inference/e1")

    assert "precision" not in told(put(api))["service_settings"]


@pytest.mark.parametrize("value", ["fp16", "INT8", ""])
def test_an_unknown_precision_is_refused_with_those_there_are(api: Api, value: str) -> None:
    answer = put(api, precision=value)

    assert refused(answer)[0] == 400
    reason = told(answer)["error"]["reason"]
    assert (
        f"Invalid value [{value}]. [precision] must be one of [fp32, int8, mixed, bf16, auto]"
        in reason
    )
    assert not Deployment.objects.exists()


def test_a_precision_that_cannot_be_had_is_refused_with_what_is_missing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "find_spec", lambda name: None)

    answer = put(api, precision="bf16")

    assert refused(answer)[0] == 400
    assert "the optional extra [openvino] is not installed" in told(answer)["error"]["reason"]
    assert not Deployment.objects.exists()


def update(api: Api, precision: str | None) -> Any:
    return api("PUT", "/_inference/e1/_update", {"service_settings": {"precision": precision}})


def test_a_precision_is_changed_with_its_endpoint(api: Api) -> None:
    put(api, precision="auto")
    before = Endpoint.objects.get(inference_id="e1").fingerprint

    answer = update(api, "int8")

    assert told(answer)["service_settings"]["precision"] == "int8"
    assert Deployment.objects.get().precision == "int8"
    assert Endpoint.objects.get(inference_id="e1").fingerprint != before
    entry: Any = AuditEntry.objects.filter(verb="endpoint.update").latest("pk")
    assert entry.before["service_settings"]["precision"] == "auto"
    assert entry.after["service_settings"]["precision"] == "int8"


def test_a_precision_that_is_taken_away_is_full_precision_and_not_shown(api: Api) -> None:
    put(api, precision="auto")

    assert "precision" not in told(update(api, None))["service_settings"]
    assert Deployment.objects.get().precision == ""


@pytest.mark.parametrize("value", ["fp16", ""])
def test_an_update_refuses_an_unknown_precision_and_changes_nothing(api: Api, value: str) -> None:
    put(api, precision="auto")

    assert refused(update(api, value))[0] == 400
    assert Deployment.objects.get().precision == "auto"


def test_a_change_to_what_is_known_to_lose_too_much_is_refused_with_the_figures(
    api: Api, deploy: Callable[[str], Deployment], folder: Path
) -> None:
    deploy("")
    tried(folder, BAD)

    answer = update(api, "int8")

    assert refused(answer)[0] == 400
    reason = told(answer)["error"]["reason"]
    assert "[precision] [int8] loses too much: its lowest cosine to fp32 is 0.8731" in reason
    assert Deployment.objects.get().precision == ""
    assert Endpoint.objects.get(inference_id="e1").service_settings.get("precision") is None


def test_who_uses_the_deployment_of_another_endpoint_follows_its_precision(api: Api) -> None:
    put(api)
    attached = {"service": "elasticsearch", "service_settings": {"deployment_id": "e1"}}
    api("PUT", "/_inference/text_embedding/e2", attached)

    update(api, "int8")

    shown = told(api("GET", "/_inference/e2"))["endpoints"][0]
    assert shown["service_settings"]["precision"] == "int8"
    first, second = Endpoint.objects.filter(inference_id__in=["e1", "e2"])
    assert first.fingerprint == second.fingerprint


@dataclass
class Machine:
    """A reconciler whose hosts are warm after each step."""

    runner: FakeRunner = field(default_factory=FakeRunner)

    def __post_init__(self) -> None:
        self.reconciler = Reconciler(self.runner)

    def step(self) -> Deployment:
        self.reconciler.step()
        self.runner.start_what_is_wished()
        self.reconciler.step()
        return Deployment.objects.get()

    def restart(self) -> None:
        """What ran is forgotten, but for what is written down."""
        self.runner = FakeRunner()
        self.reconciler = Reconciler(self.runner)

    @property
    def wished(self) -> str:
        spec = self.runner.wished.get("e1")
        return spec.precision if isinstance(spec, HostSpec) else ""


@pytest.fixture
def changing(deploy: Callable[[str], Deployment], api: Api) -> Machine:
    """One that ran in full precision and is to run in bytes."""
    deploy("")
    machine = Machine()
    assert machine.step().running_precision == "fp32"
    update(api, "int8")
    return machine


def test_what_ran_goes_on_while_the_other_precision_is_measured(changing: Machine) -> None:
    deployment = changing.step()

    assert changing.wished == "fp32"
    assert deployment.state == DeploymentState.STARTED
    assert deployment.reason == f"goes on in [fp32]: {MEASURING}"
    assert untried_models() == [deployment.model_id]


def test_it_follows_the_report_once_there_is_one(changing: Machine, folder: Path) -> None:
    changing.step()
    tried(folder, INT8)

    deployment = changing.step()

    assert changing.wished == "int8"
    assert deployment.running_precision == "int8"
    assert deployment.reason == ""


def test_what_ran_goes_on_where_the_other_precision_loses_too_much(
    changing: Machine, folder: Path
) -> None:
    tried(folder, BAD)

    for _ in range(2):
        deployment = changing.step()
        assert changing.wished == "fp32"
        assert deployment.state == DeploymentState.STARTED
        assert deployment.reason.startswith("goes on in [fp32]: [int8] loses too much")
        endpoint = Endpoint.objects.with_status().get(inference_id="e1")
        assert "It goes on in [fp32]: [int8] loses too much" in status_of(endpoint).detail
        changing.restart()


def test_what_ran_goes_on_where_nothing_can_be_compared(changing: Machine, folder: Path) -> None:
    write_report(folder, failed(folder, TASK, "MemoryError: no room"))

    deployment = changing.step()

    assert (deployment.state, changing.wished) == (DeploymentState.STARTED, "fp32")
    assert "no room" in deployment.reason


def test_vectors_of_the_precision_before_are_not_given_again(
    changing: Machine, folder: Path
) -> None:
    Endpoint.objects.filter(inference_id="e1").update(cache_generation="old")
    changing.step()
    assert Endpoint.objects.get(inference_id="e1").cache_generation == "old"
    tried(folder, INT8)

    changing.step()

    assert Endpoint.objects.get(inference_id="e1").cache_generation not in ("", "old")


def test_what_is_measured_of_a_host_counts_for_the_precision_that_it_runs_in(
    changing: Machine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host of before serves until the next is warm, and is no measure of that."""
    tried(folder, INT8)
    found = Measured(tokens_per_s=4000.0, resident_bytes=200_000_000)
    monkeypatch.setattr(changing.runner, "measured", lambda _: found)

    changing.reconciler.step()

    assert changing.wished == "int8"
    assert [one.precision for one in ModelMeasure.objects.all()] == ["fp32"]


def test_an_endpoint_on_a_deployment_has_its_precision(api: Api) -> None:
    put(api, precision="auto")
    body = {"service": "elasticsearch", "service_settings": {"deployment_id": "e1"}}

    shown = told(api("PUT", "/_inference/text_embedding/e2", body))

    assert shown["service_settings"]["precision"] == "auto"
    first, second = Endpoint.objects.filter(inference_id__in=["e1", "e2"])
    assert first.fingerprint == second.fingerprint
