"""What a new endpoint takes: a model with its memory and download, and an id that is free."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from console.forms.local import CreateLocalForm
from endpoints.fitting import Expected, expected_of, free_bytes
from endpoints.known_models import KnownModel, known_models
from endpoints.models import Artifact, ArtifactState, Deployment, Endpoint, User
from inference.runner.catalogue import OFFERED_MODELS
from inference.runner.facts import ModelFacts, Origin
from inference.services.base import Service
from inference.types import TaskType

# A common line, to turn bytes into a time that people can weigh: 50 Mbit/s.
LINE_BYTES_PER_S = 50e6 / 8
# So many numbers behind a name are looked up together, to find one that is free.
NUMBERS_AT_ONCE = 10


@dataclass(frozen=True)
class ModelCard:
    """suggested_id: one that is free. is_here: its files need no download.

    expected: what it will take of the machine; None of an upload, which nobody can tell.
    """

    model: ModelFacts
    suggested_id: str
    is_here: bool
    expected: Expected | None


@dataclass(frozen=True)
class Takes:
    """What a model will take before it answers.

    memory_bytes: None of an upload, which nobody can tell. available_bytes: what is free for
    models; None where no runner says. tokens_per_s: of one allocation, where it was measured here.
    """

    memory_bytes: int | None
    available_bytes: int | None
    download_bytes: int
    is_here: bool
    tokens_per_s: float | None

    @property
    def is_measured(self) -> bool:
        return self.tokens_per_s is not None

    @property
    def fits(self) -> bool:
        if self.memory_bytes is None or self.available_bytes is None:
            return True
        return self.memory_bytes <= self.available_bytes

    @property
    def download_s(self) -> float:
        """Seconds on a common line."""
        return self.download_bytes / LINE_BYTES_PER_S


def takes(form: CreateLocalForm) -> Takes:
    """What the form asks for, as far as it is written."""
    model = form.model
    precision = form.extras.get("precision", "fp32")
    expected = expected_of([model], precision)[model.model_id]
    count = form.config["service_settings"].get("num_allocations", 1)
    is_upload = model.origin == Origin.UPLOADED
    return Takes(
        None if is_upload else expected.with_allocations(min(max(count, 1), 10_000)),
        free_bytes(),
        model.size_bytes,
        is_upload or model.repository in repositories_here(),
        expected.tokens_per_s,
    )


def is_offered(model: KnownModel) -> bool:
    """Whether an endpoint can be made of it; a built-in one is offered by one of its names."""
    facts = model.facts
    if facts.origin == Origin.BUILTIN:
        return facts.model_id in OFFERED_MODELS
    is_upload = facts.origin == Origin.UPLOADED
    is_whole = model.state == ArtifactState.READY if is_upload else facts.identity is not None
    return facts.task_type is not None and is_whole


def models_offered(user: User) -> dict[str, ModelFacts]:
    """What an endpoint can be made of, by id: first what is built in, in the catalogue's order."""
    own = {
        one.facts.model_id: one.facts
        for one in known_models(user)
        if one.facts.origin != Origin.BUILTIN and is_offered(one)
    }
    return {model_id: model.facts for model_id, model in OFFERED_MODELS.items()} | own


def model_cards(models: Mapping[str, ModelFacts]) -> list[ModelCard]:
    here = repositories_here()
    taken = taken_ids(*(model_id.strip(".") for model_id in models))
    expected = expected_of(models.values())
    return [
        ModelCard(
            model,
            free_id(model_id.strip("."), {*taken, model_id}),
            model.origin == Origin.UPLOADED or model.repository in here,
            None if model.origin == Origin.UPLOADED else expected[model_id],
        )
        for model_id, model in models.items()
    ]


def repositories_here() -> set[str]:
    """Whose files are on this machine."""
    ready = Artifact.objects.filter(state=ArtifactState.READY)
    return set(ready.values_list("repository", flat=True))


def suggested_id(service: Service, task: TaskType) -> str:
    name = f"{service.name}-{task}"
    return free_id(name, taken_ids(name))


def taken_ids(*names: str) -> set[str]:
    """Which of these names, with a number behind them or without, no new endpoint can have.

    As far as `free_id` looks: where every smaller number is taken.
    """
    taken: set[str] = set()
    looked_for = list(names)
    first = 1
    while looked_for:
        numbers = range(first, first + NUMBERS_AT_ONCE)
        ids = [numbered(name, number) for name in looked_for for number in numbers]
        endpoints = Endpoint.objects.only("inference_id").in_bulk(ids, field_name="inference_id")
        deployments = Deployment.objects.only("deployment_id")
        taken.update(endpoints, deployments.in_bulk(ids, field_name="deployment_id"))
        looked_for = [
            name
            for name in looked_for
            if all(numbered(name, number) in taken for number in numbers if number > 1)
        ]
        first += NUMBERS_AT_ONCE
    return taken


def free_id(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where that is taken."""
    return next(free for number in count(1) if (free := numbered(name, number)) not in taken)


def numbered(name: str, number: int) -> str:
    return f"{name}-{number}" if number > 1 else name
