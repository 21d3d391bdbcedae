"""How a model is, told from its records alone: its files, and what runs from them."""

from dataclasses import dataclass
from enum import StrEnum

from endpoints.known_models import KnownModel
from endpoints.models import Artifact, ArtifactState, DeploymentState
from endpoints.status import FETCH_ADVICE, START_ADVICE, Download


class ModelState(StrEnum):
    ABSENT = "absent"
    PARTIAL = "partial"
    QUEUED = "queued"
    DOWNLOADING = "downloading"
    PAUSED = "paused"
    CONVERTING = "converting"
    HERE = "here"
    STARTING = "starting"
    RESTING = "resting"
    RUNNING = "running"
    FAILED = "failed"


WORDS = {
    ModelState.ABSENT: "Not downloaded",
    ModelState.PARTIAL: "Not complete",
    ModelState.QUEUED: "Waiting",
    ModelState.DOWNLOADING: "Downloading",
    ModelState.PAUSED: "Paused",
    ModelState.CONVERTING: "Preparing",
    ModelState.HERE: "Ready to start",
    ModelState.STARTING: "Starting",
    ModelState.RESTING: "Resting",
    ModelState.RUNNING: "Running",
    ModelState.FAILED: "Failed",
}
# Who must be alive for a model in this state to go on, or to answer.
NEEDED_PART = {
    ModelState.QUEUED: "worker",
    ModelState.DOWNLOADING: "worker",
    ModelState.CONVERTING: "worker",
    ModelState.STARTING: "runner",
    ModelState.RUNNING: "runner",
}
MOVING = frozenset(NEEDED_PART) - {ModelState.RUNNING}
FETCHED = (ModelState.QUEUED, ModelState.DOWNLOADING)
OF_FILES = {
    ArtifactState.ABSENT: ModelState.ABSENT,
    ArtifactState.QUEUED: ModelState.QUEUED,
    ArtifactState.DOWNLOADING: ModelState.DOWNLOADING,
    ArtifactState.PAUSED: ModelState.PAUSED,
    ArtifactState.CONVERTING: ModelState.CONVERTING,
    ArtifactState.FAILED: ModelState.FAILED,
}
DETAILS = {
    ModelState.ABSENT: "Its files are not on this machine. Whatever uses it first fetches them.",
    ModelState.PARTIAL: "Not all of it was uploaded yet. Finish with the program that began it.",
    ModelState.QUEUED: "The download is next in line.",
    ModelState.DOWNLOADING: "The files are on their way. You can leave this page.",
    ModelState.PAUSED: "What came so far is kept.",
    ModelState.CONVERTING: "The files are here; they are being prepared to run fast.",
    ModelState.HERE: "Its files are on this machine; nothing runs it now.",
    ModelState.STARTING: "It is being loaded.",
    ModelState.RESTING: "It was not called for long and gave its memory back: a call wakes it.",
    ModelState.RUNNING: "It is loaded and answers calls.",
}
BEGINS_ANEW = "This source cannot go on in the middle: the download will begin anew."
# Sources of which a part that came is of no use.
WHOLE_OR_NOTHING = ("package", "folder")


@dataclass(frozen=True)
class ModelStatus:
    """detail: a sentence about the state; the reason in full for a failure.

    advice: what can be done about a failure. download: set while files are half here.
    remark: what is special about the download.
    """

    state: ModelState
    detail: str
    advice: str = ""
    download: Download | None = None
    remark: str = ""

    @property
    def words(self) -> str:
        return WORDS[self.state]

    @property
    def needed_part(self) -> str | None:
        return NEEDED_PART.get(self.state)

    @property
    def is_moving(self) -> bool:
        """Whether it becomes another by itself."""
        return self.state in MOVING

    @property
    def is_fetched(self) -> bool:
        """Whether its files are on their way, so that they can be paused."""
        return self.state in FETCHED

    @property
    def is_absent(self) -> bool:
        return self.state == ModelState.ABSENT

    @property
    def is_paused(self) -> bool:
        return self.state == ModelState.PAUSED

    @property
    def is_failed(self) -> bool:
        return self.state == ModelState.FAILED

    @property
    def is_half_here(self) -> bool:
        """Whether there is a download to cancel."""
        return self.is_fetched or self.state in (ModelState.PAUSED, ModelState.CONVERTING)


def status_of_model(model: KnownModel) -> ModelStatus:
    """Asks the database nothing."""
    states = {one.state for one in model.deployments if one.num_allocations}
    # A model that runs stays so whatever happens to its files.
    if DeploymentState.STARTED in states:
        return plain(ModelState.RUNNING)
    artifact = model.record and model.record.artifact
    if artifact and not artifact.is_ready:
        return _status_of_files(artifact)
    if model.state != ArtifactState.READY:
        is_upload = model.record is not None and model.record.is_uploaded
        return plain(ModelState.PARTIAL if is_upload else ModelState.ABSENT)
    if states & {DeploymentState.STARTING, DeploymentState.WAITING}:
        return plain(ModelState.STARTING)
    if DeploymentState.FAILED in states:
        failed = next(one for one in model.deployments if one.state == DeploymentState.FAILED)
        reason = failed.reason or "The model could not be started."
        return ModelStatus(ModelState.FAILED, reason, START_ADVICE)
    return plain(ModelState.RESTING if model.deployments else ModelState.HERE)


def plain(state: ModelState) -> ModelStatus:
    return ModelStatus(state, DETAILS[state])


def _status_of_files(artifact: Artifact) -> ModelStatus:
    state = OF_FILES[ArtifactState(artifact.state)]
    if state == ModelState.FAILED:
        reason = artifact.reason or "The model's files could not be had."
        return ModelStatus(state, reason, FETCH_ADVICE)
    is_gone_on_with = state == ModelState.QUEUED and artifact.bytes_done > 0
    if state not in (ModelState.DOWNLOADING, ModelState.PAUSED) and not is_gone_on_with:
        return plain(state)
    download = Download(
        artifact.bytes_done, artifact.bytes_total, artifact.bytes_per_s, artifact.source
    )
    remark = ""
    if state == ModelState.PAUSED and artifact.source in WHOLE_OR_NOTHING:
        remark = BEGINS_ANEW
    elif artifact.has_restarted:
        remark = "The source could not go on in the middle, so the download began anew."
    return ModelStatus(state, DETAILS[state], download=download, remark=remark)
