"""How an endpoint is, told from its records alone."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Case, IntegerField, Q, Value, When

from endpoints.models import Artifact, ArtifactState, Deployment, DeploymentState, Endpoint
from endpoints.models.deployment import GOES_ON
from endpoints.models.endpoint import IS_PRECONFIGURED, EndpointQuerySet
from inference.services import SERVICES, find_service


class State(StrEnum):
    IDLE = "idle"
    WAITING = "waiting"
    DOWNLOADING = "downloading"
    PAUSED = "paused"
    CONVERTING = "converting"
    MEASURING = "measuring"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


WORDS = {
    State.IDLE: "Starts on first use",
    State.WAITING: "Waiting",
    State.DOWNLOADING: "Downloading",
    State.PAUSED: "Paused",
    State.CONVERTING: "Converting",
    State.MEASURING: "Measuring",
    State.STARTING: "Loading",
    State.READY: "Ready",
    State.FAILED: "Failed",
}
# Those that somebody should look at come first, then what moves, and what is well last.
BY_ATTENTION = (
    State.FAILED,
    State.PAUSED,
    State.WAITING,
    State.DOWNLOADING,
    State.CONVERTING,
    State.MEASURING,
    State.STARTING,
    State.IDLE,
    State.READY,
)
WAY = (State.WAITING, State.DOWNLOADING, State.CONVERTING, State.STARTING, State.READY)
MEASURED_WAY = (*WAY[:3], State.MEASURING, *WAY[3:])
# Who must be alive for an endpoint in this state to go on, or to answer.
NEEDED_PART = {
    State.WAITING: "worker",
    State.DOWNLOADING: "worker",
    State.CONVERTING: "worker",
    State.MEASURING: "worker",
    State.STARTING: "runner",
    State.READY: "runner",
}
FETCH_ADVICE = (
    "Make one of the sources reachable from this machine, or name a folder or address that has the "
    "files in CONSOLE_MODEL_MIRROR; then try again."
)
START_ADVICE = (
    "The runner's log says more. A model host ended by SIGKILL has usually run out of memory."
)
PRECISION_ADVICE = (
    "Where it is the precision that cannot be had, change it to another one: [auto] takes what "
    "this machine can do."
)


@dataclass(frozen=True)
class Stage:
    """One step on the way to an endpoint that answers."""

    words: str
    is_done: bool
    is_current: bool


@dataclass(frozen=True)
class Download:
    """How far a model's files are. source: mirror, hub or package; empty when not known yet."""

    bytes_done: int
    bytes_total: int
    bytes_per_s: float
    source: str

    @property
    def percent(self) -> int:
        return 100 * self.bytes_done // self.bytes_total if self.bytes_total else 0

    @property
    def left_s(self) -> float | None:
        """Seconds until the end at the present rate; None while that cannot be said."""
        if self.bytes_per_s <= 0 or not self.bytes_total:
            return None
        return (self.bytes_total - self.bytes_done) / self.bytes_per_s


@dataclass(frozen=True)
class EndpointStatus:
    """detail: a sentence about the state; the reason in full for a failure.

    advice: what can be done about a failure. download: set while files are being fetched.
    is_remote: whether a provider answers, so that no part of the product is needed.
    """

    state: State
    detail: str
    advice: str = ""
    download: Download | None = None
    is_remote: bool = False

    @property
    def words(self) -> str:
        return WORDS[self.state]

    @property
    def is_ready(self) -> bool:
        return self.state == State.READY

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs, and the next call changes that."""
        return self.state == State.IDLE

    @property
    def is_failed(self) -> bool:
        return self.state == State.FAILED

    @property
    def is_settled(self) -> bool:
        """Whether it stays as it is unless somebody does something."""
        return self.state in (State.IDLE, State.READY, State.FAILED)

    @property
    def can_be_called(self) -> bool:
        """Whether a call is answered, be it after a wait."""
        return self.state in (State.IDLE, State.READY)

    @property
    def needed_part(self) -> str | None:
        """The part of the product without which nothing goes on: worker or runner."""
        return None if self.is_remote else NEEDED_PART.get(self.state)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The whole way; nothing of it is done or current for a failure."""
        way = MEASURED_WAY if self.state == State.MEASURING else WAY
        place = way.index(self.state) if self.state in way else -1
        return tuple(
            Stage(WORDS[state], is_done=number < place, is_current=number == place)
            for number, state in enumerate(way)
        )


def status_of(endpoint: Endpoint) -> EndpointStatus:
    """The status of an endpoint that was read by `with_status()`; asks the database nothing."""
    service = find_service(endpoint.service)
    if service.is_remote:
        return EndpointStatus(State.READY, f"Calls go to {service.label}.", is_remote=True)
    deployment = endpoint.deployment
    if deployment is None and endpoint.is_preconfigured:
        return EndpointStatus(
            State.IDLE,
            "Nothing runs for it yet: the first call fetches the model if need be and starts it.",
        )
    if deployment is None:
        return EndpointStatus(
            State.FAILED,
            "Nothing runs for this endpoint: its deployment was removed.",
            "Delete the endpoint and create it again.",
        )
    if not deployment.num_allocations:
        return EndpointStatus(
            State.IDLE, "It rests, because nobody called it for long: the next call starts it."
        )
    # What the deployment was last seen to be comes before its files: a model that runs stays
    # ready whatever happens to them, and files on their way outdate a failure.
    if deployment.state == DeploymentState.STARTED:
        detail = "The model is loaded and answers calls."
        if deployment.reason.startswith(GOES_ON):
            detail = f"{detail} It {deployment.reason}."
        return EndpointStatus(State.READY, detail)
    artifact = deployment.model.artifact
    if artifact is None or artifact.is_ready:
        return _start_of(deployment)
    return _fetch_of(artifact)


def _start_of(deployment: Deployment) -> EndpointStatus:
    if deployment.state == DeploymentState.FAILED:
        return EndpointStatus(
            State.FAILED,
            deployment.reason or "The model could not be started.",
            f"{START_ADVICE} {PRECISION_ADVICE}" if deployment.precision else START_ADVICE,
        )
    if deployment.state == DeploymentState.WAITING and deployment.reason:
        return EndpointStatus(
            State.MEASURING,
            "Lower precisions are made and compared with full precision on this machine; this is "
            "needed only once.",
        )
    return EndpointStatus(State.STARTING, "The files are here; the model is being loaded.")


def _fetch_of(artifact: Artifact) -> EndpointStatus:
    match artifact.state:
        case ArtifactState.FAILED:
            reason = artifact.reason or "The model's files could not be had."
            return EndpointStatus(State.FAILED, reason, FETCH_ADVICE)
        case ArtifactState.DOWNLOADING:
            return EndpointStatus(
                State.DOWNLOADING,
                "The model's files are being fetched; this is needed only once.",
                download=Download(
                    artifact.bytes_done,
                    artifact.bytes_total,
                    artifact.bytes_per_s,
                    artifact.source,
                ),
            )
        case ArtifactState.PAUSED:
            return EndpointStatus(
                State.PAUSED,
                "Somebody paused the download of the model. It goes on from the page of the model.",
            )
        case ArtifactState.CONVERTING:
            return EndpointStatus(
                State.CONVERTING, "The files are here; they are being prepared to run fast."
            )
        case _:
            return EndpointStatus(State.WAITING, "The model's files are next in line.")


def rank(state: State) -> int:
    return BY_ATTENTION.index(state)


def is_state(state: State, condition: Q) -> When:
    return When(condition, then=Value(rank(state)))


# What `status_of` tells, in the same order of questions: one cannot change without the other.
FILES, SEEN = "deployment__model__artifact", "deployment__state"
RANK = Case(
    is_state(State.READY, Q(service__in=[name for name, one in SERVICES.items() if one.is_remote])),
    is_state(State.IDLE, Q(deployment__pk=None) & IS_PRECONFIGURED),
    is_state(State.FAILED, Q(deployment__pk=None)),
    is_state(State.IDLE, Q(deployment__num_allocations=0)),
    is_state(State.READY, Q(**{SEEN: DeploymentState.STARTED})),
    When(
        Q(**{FILES: None}) | Q(**{f"{FILES}__state": ArtifactState.READY}),
        then=Case(
            is_state(State.FAILED, Q(**{SEEN: DeploymentState.FAILED})),
            is_state(
                State.MEASURING, Q(**{SEEN: DeploymentState.WAITING}) & ~Q(deployment__reason="")
            ),
            default=Value(rank(State.STARTING)),
        ),
    ),
    is_state(State.FAILED, Q(**{f"{FILES}__state": ArtifactState.FAILED})),
    is_state(State.PAUSED, Q(**{f"{FILES}__state": ArtifactState.PAUSED})),
    is_state(State.DOWNLOADING, Q(**{f"{FILES}__state": ArtifactState.DOWNLOADING})),
    is_state(State.CONVERTING, Q(**{f"{FILES}__state": ArtifactState.CONVERTING})),
    default=Value(rank(State.WAITING)),
    output_field=IntegerField(),
)


def ranked(endpoints: EndpointQuerySet) -> EndpointQuerySet:
    """With `rank`: the place of each one's state in BY_ATTENTION, told by the database itself."""
    return endpoints.annotate(rank=RANK)


def in_states(endpoints: EndpointQuerySet, *states: State) -> EndpointQuerySet:
    return ranked(endpoints).filter(Q(rank__in=[rank(state) for state in states]))
