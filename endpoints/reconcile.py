"""Moves what runs towards what the records ask for, and writes down how far it is."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from endpoints.figures import Figures
from endpoints.fitting import Measures
from endpoints.jobs import artifact_folder
from endpoints.models import ArtifactState, Deployment, DeploymentState
from endpoints.models.deployment import GOES_ON
from endpoints.precision import Verdict, note_running, verdict
from endpoints.scaling import Scaling
from endpoints.timeline import Timeline
from endpoints.uploads import upload_folder
from inference.runner.hosts import LocalRunner
from inference.runner.precision.report import Precision
from inference.runner.process import HostStatus
from inference.runner.protocol import socket_folder, socket_path
from inference.runner.spec import HostSpec, Spec, UploadSpec
from inference.types import TaskType


class Reconciler:
    """One step at a time, from one thread; a step never waits for a model to load."""

    def __init__(self, runner: LocalRunner) -> None:
        self._runner = runner
        self._scaling = Scaling()
        self._figures = Figures()
        self._timeline = Timeline()
        self._measures = Measures()
        self._sockets = socket_folder(settings.DATA_DIR)
        self._sockets.mkdir(mode=0o700, parents=True, exist_ok=True)

    def step(self) -> None:
        deployments = list(Deployment.objects.with_files())
        verdicts = {
            deployment.pk: verdict(deployment)
            for deployment in deployments
            if deployment.model.has_files and deployment.num_allocations
        }
        self._runner.apply(
            self._spec(deployment, precision)
            for deployment in deployments
            if deployment.pk in verdicts and (precision := verdicts[deployment.pk].precision)
        )
        for deployment in deployments:
            judged = verdicts.get(deployment.pk)
            write_down(deployment, self._observe(deployment, judged))
            if serving := self._runner.serving(deployment.deployment_id):
                self._note_serving(deployment, serving)
        self._timeline.step(deployments, self._runner.events())
        self._scaling.step(deployments, self._runner.statistics)
        self._figures.step(deployments, self._runner.statistics)

    def _note_serving(self, deployment: Deployment, spec: Spec) -> None:
        """What runs may be the host of before, until the one that is wished is warm."""
        precision = Precision.FP32
        if isinstance(spec, HostSpec):
            precision = Precision(spec.precision)
            note_running(deployment, precision)
        found = self._runner.measured(deployment.deployment_id)
        self._measures.note(deployment, found, precision)

    def _spec(self, deployment: Deployment, precision: Precision) -> Spec:
        model = deployment.model
        common: dict[str, Any] = {
            "deployment_id": deployment.deployment_id,
            "socket": str(socket_path(self._sockets, deployment.deployment_id)),
            "num_allocations": deployment.num_allocations,
            "num_threads": deployment.num_threads,
            "generation": deployment.generation,
            "queue_capacity": deployment.queue_capacity,
            "memory_bytes": self._measures.memory_bytes(deployment, precision),
        }
        facts = model.facts
        common["prefixes"] = dict(facts.prefixes)
        if model.artifact is None:
            return UploadSpec(
                model_folder=str(upload_folder(model)),
                inference_config=model.config["inference_config"],
                **common,
            )
        return HostSpec(
            task_type=TaskType(model.task_type),
            model_folder=str(artifact_folder(model.artifact)),
            max_input_tokens=facts.max_input_tokens,
            precision=precision,
            **common,
        )

    def _observe(self, deployment: Deployment, judged: Verdict | None) -> HostStatus:
        """judged: of a deployment that could run now."""
        model = deployment.model
        artifact = model.artifact
        if judged and judged.precision is None:
            state = DeploymentState.FAILED if judged.is_refused else DeploymentState.WAITING
            return HostStatus(state, judged.reason)
        if model.has_files and not deployment.num_allocations:
            return HostStatus(DeploymentState.STARTED)
        if artifact is None or artifact.is_ready:
            status = self._runner.status(deployment.deployment_id)
            if judged and judged.reason and status.state == DeploymentState.STARTED:
                return HostStatus(status.state, f"{GOES_ON}{judged.precision}]: {judged.reason}")
            return status
        if artifact.state == ArtifactState.FAILED:
            return HostStatus(DeploymentState.FAILED, artifact.reason)
        return HostStatus(DeploymentState.WAITING)


def write_down(deployment: Deployment, observed: HostStatus) -> None:
    """Store a change of state; a deployment that was deleted meanwhile stays deleted."""
    if (deployment.state, deployment.reason) == (observed.state, observed.reason):
        return
    changes: dict[str, object] = {"state": observed.state, "reason": observed.reason}
    if deployment.state != observed.state:
        changes["state_changed_at"] = timezone.now()
    Deployment.objects.filter(pk=deployment.pk, generation=deployment.generation).update(**changes)
