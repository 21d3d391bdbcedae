"""Whether a deployment that somebody thinks of fits this machine."""

import os
from dataclasses import dataclass

from console.forms.deployments import StartForm
from endpoints import fitting
from endpoints.fitting import FULL_PRECISION, expected_of
from endpoints.known_models import KnownModel
from endpoints.models import Deployment
from inference.errors import NotEnoughMemory, QueueFull
from inference.runner.precision.report import Precision


@dataclass(frozen=True)
class Fit:
    """What a deployment would take of this machine. problem: why it does not fit.

    needed_bytes, available_bytes: None where nobody knows.
    """

    allocations: int
    threads: int
    processors: int
    needed_bytes: int | None
    is_measured: bool
    available_bytes: int | None
    problem: str

    @property
    def busy(self) -> int:
        """Processors that all allocations together can keep busy."""
        return self.allocations * self.threads

    @property
    def is_too_busy(self) -> bool:
        return self.busy > self.processors


def fit_of(model: KnownModel, form: StartForm) -> Fit:
    precision = str(form["precision"].value() or "") if "precision" in form.fields else ""
    allocations = form.most_allocations
    return fit(model, allocations, form.number("threads_per_allocation", 1), precision)


def fit(
    model: KnownModel,
    allocations: int,
    threads: int,
    precision: str,
    changed: Deployment | None = None,
) -> Fit:
    """precision: the automatic one counts as full precision, as nobody knows which it will be.

    changed: the deployment that is to have so many, where there is one already.
    """
    if precision in ("", Precision.AUTO):
        precision = FULL_PRECISION
    model_id = model.facts.model_id
    is_upload = model.record is not None and model.record.is_uploaded
    expected = expected_of([model.facts], precision)[model_id]
    problem = ""
    try:
        if changed:
            fitting.check_change(changed, allocations)
        else:
            fitting.check_fits(model_id, allocations)
    except (NotEnoughMemory, QueueFull) as exc:
        problem = str(exc)
    return Fit(
        allocations=allocations,
        threads=threads,
        processors=processors(),
        needed_bytes=None if is_upload else expected.with_allocations(allocations),
        is_measured=expected.is_measured,
        available_bytes=fitting.available_bytes(),
        problem=problem,
    )


def processors() -> int:
    return len(os.sched_getaffinity(0))
