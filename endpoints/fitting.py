"""What a model will take and do, and whether this machine has the memory for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import models

from endpoints.known_models import published_facts
from endpoints.models import Deployment, DeploymentState, Heartbeat, ModelMeasure
from inference.errors import NotEnoughMemory, QueueFull
from inference.runner.catalogue import BUILTIN_MODELS
from inference.runner.facts import ModelFacts
from inference.runner.memory import MB
from inference.runner.process import Measured
from inference.services.elasticsearch import MAX_ALLOCATIONS

FULL_PRECISION = "fp32"
# For a model that never ran here: its files as they are mapped, the interpreter and the libraries.
MAPPED_SHARE, LIBRARIES_BYTES = 1.1, 100 * MB
# What an allocation at work adds to a model that is warm. Measured: `python -m bench.memory`.
WORKING_SHARE = 0.1


@dataclass(frozen=True)
class Expected:
    """memory_bytes: of the warm model. tokens_per_s: of one allocation; None for an estimate."""

    memory_bytes: int
    tokens_per_s: float | None = None

    @property
    def is_measured(self) -> bool:
        return self.tokens_per_s is not None

    @property
    def smallest_bytes(self) -> int:
        """What it takes at least to answer: with one allocation."""
        return self.with_allocations(1)

    def with_allocations(self, count: int) -> int:
        """Bytes, with so many allocations at work."""
        return int(self.memory_bytes * (1 + WORKING_SHARE * count))


def expected_of(
    models: Iterable[ModelFacts], precision: str = FULL_PRECISION
) -> dict[str, Expected]:
    """By model_id: what was measured here, or else an estimate from the size of the files."""
    expected = {model.model_id: estimate(model) for model in models}
    measures = ModelMeasure.objects.filter(model__model_id__in=expected, precision=precision)
    for measure in measures.select_related("model"):
        found = Expected(measure.memory_bytes, measure.tokens_per_s)
        expected[measure.model.model_id] = found
    return expected


def estimate(model: ModelFacts) -> Expected:
    return Expected(int(model.size_bytes * MAPPED_SHARE) + LIBRARIES_BYTES)


def check_change(deployment: Deployment, allocations: int) -> None:
    """Whether a deployment may have so many allocations; fewer than now may always be.

    Raises what `check_fits` raises.
    """
    if allocations > deployment.num_allocations:
        has_memory = deployment.state != DeploymentState.FAILED
        held = deployment.num_allocations if has_memory else 0
        check_fits(deployment.model.model_id, allocations, held=held)


def check_fits(model_id: str, allocations: int, *, held: int = 0) -> None:
    """Raises QueueFull for more allocations than any deployment may have, and NotEnoughMemory,
    which says how much is missing and what would fit.

    held: the allocations that it has, or is about to have, already. Where no runner tells how much
    there is, or nobody knows the model, no memory is missed.
    """
    if allocations > MAX_ALLOCATIONS:
        raise QueueFull(
            f"Could not give [{allocations}] allocations: there is room for {MAX_ALLOCATIONS}"
        )
    available, known = available_bytes(), published_facts()
    expected = expected_of(known.values())
    own = expected.get(model_id)
    if available is None or own is None:
        return
    available -= promised_bytes(expected)
    if held:
        available += own.with_allocations(held)
    needed = own.with_allocations(allocations)
    if needed <= available:
        return
    how = "as measured here" if own.is_measured else "estimated from its files"
    copies = f"{allocations} allocation{'s' if allocations > 1 else ''}"
    raise NotEnoughMemory(
        f"Model [{model_id}] with {copies} needs about {needed // MB} MB of memory ({how}), "
        f"but {max(0, available) // MB} MB are available: {(needed - available) // MB + 1} MB are "
        f"missing. {advice(known[model_id], known, expected, available)}"
    )


def available_bytes() -> int | None:
    """What the machine of the runner has left, as it said last; None where it does not say."""
    told = Heartbeat.objects.fresh().filter(part="runner")
    least: int | None = told.aggregate(least=models.Min("available_bytes"))["least"]
    return least


def free_bytes() -> int | None:
    """What is left for another model, less what others were promised; None where nobody says."""
    available = available_bytes()
    if available is None:
        return None
    return max(0, available - promised_bytes(expected_of(published_facts().values())))


def promised_bytes(expected: dict[str, Expected]) -> int:
    """What deployments will take that are on their way."""
    coming = Deployment.objects.filter(
        state__in=[DeploymentState.WAITING, DeploymentState.STARTING], num_allocations__gt=0
    ).values_list("model__model_id", "num_allocations")
    return sum(
        expected[model_id].with_allocations(count)
        for model_id, count in coming
        if model_id in expected
    )


def advice(
    model: ModelFacts,
    known: Mapping[str, ModelFacts],
    expected: Mapping[str, Expected],
    available: int,
) -> str:
    """What would fit: fewer allocations, or another model for the same task."""
    own = expected[model.model_id]
    room = available - own.memory_bytes
    fewer = int(room / (own.memory_bytes * WORKING_SHARE))
    if fewer >= 1:
        return f"It would fit with {fewer} allocation{'s' if fewer > 1 else ''}."
    task = model.task_type
    # Not those that somebody added: their names are for their teams.
    smaller = [
        other
        for other in BUILTIN_MODELS
        if known[other].task_type == task and expected[other].smallest_bytes <= available
    ]
    if smaller:
        return f"What would fit for {task}: [{', '.join(sorted(smaller))}]."
    return f"No model for {task} would fit: stop a deployment, or give the machine more memory."


class Measures:
    """What models were found to take and to do, noted at the first start of each that worked."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], ModelMeasure | None] = {}

    def memory_bytes(self, deployment: Deployment, precision: str = FULL_PRECISION) -> int:
        """What a host of it is expected to take once warm; 0 where nobody knows."""
        if measure := self._find(deployment.model_id, precision):
            return measure.memory_bytes
        model = deployment.model
        return 0 if model.is_uploaded else estimate(model.facts).memory_bytes

    def note(
        self, deployment: Deployment, found: Measured | None, precision: str = FULL_PRECISION
    ) -> None:
        if found is None or found.resident_bytes is None:
            return
        if self._find(deployment.model_id, precision) is None:
            measure, _ = ModelMeasure.objects.get_or_create(
                model_id=deployment.model_id,
                precision=precision,
                defaults={
                    "memory_bytes": found.resident_bytes,
                    "tokens_per_s": found.tokens_per_s,
                    "num_threads": deployment.num_threads,
                },
            )
            self._known[deployment.model_id, precision] = measure

    def _find(self, model_pk: int, precision: str) -> ModelMeasure | None:
        """Asks the database once for each model."""
        kind = model_pk, precision
        if kind not in self._known:
            found = ModelMeasure.objects.filter(model_id=model_pk, precision=precision).first()
            self._known[kind] = found
        return self._known[kind]
