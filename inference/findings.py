"""What a diagnosis tells: one step after the other, each with its result and its time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from inference.errors import InferenceError
from inference.types import (
    InferenceResult,
    Ranking,
    SparseEmbeddings,
    TextEmbeddings,
)
from inference.upstream.errors import UpstreamError

LONGEST_MESSAGE = 500


class StepName(StrEnum):
    ROUTE = "route"
    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    CREDENTIALS = "credentials"
    MODEL = "model"
    TASK = "task"
    CALL = "call"
    QUOTA = "quota"
    # Of models that run here.
    DEPLOYMENT = "deployment"
    RUNNER = "runner"


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """What came of one look: a sentence, and what to do about it where something is to be done.

    facts: what was seen, by what it is called.
    """

    outcome: Outcome
    told: str
    what_to_do: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """took_ms: what the look took."""

    name: StepName
    finding: Finding
    took_ms: float = 0.0

    @property
    def is_failed(self) -> bool:
        return self.finding.outcome == Outcome.FAILED

    @property
    def is_warning(self) -> bool:
        """Whether it works, but something is to be done all the same."""
        return self.finding.outcome == Outcome.OK and bool(self.finding.what_to_do)

    def to_response(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "step": self.name,
            "result": self.finding.outcome,
            "message": self.finding.told,
        }
        if self.finding.what_to_do:
            shown["what_to_do"] = self.finding.what_to_do
        if self.finding.facts:
            shown["facts"] = dict(self.finding.facts)
        return shown | {"took_in_millis": round(self.took_ms, 1)}


def ok(told: str, what_to_do: str = "", facts: Mapping[str, str] | None = None) -> Finding:
    return Finding(Outcome.OK, told, what_to_do, facts or {})


def failed(told: str, what_to_do: str, facts: Mapping[str, str] | None = None) -> Finding:
    return Finding(Outcome.FAILED, told, what_to_do, facts or {})


def skipped(told: str) -> Finding:
    return Finding(Outcome.SKIPPED, told)


OF_NO_USE = skipped("Of no use as long as a step before it fails.")


def looked(name: StepName, look: Callable[[], Finding]) -> Step:
    """A step from a look, which may also raise what a call may."""
    started = time.perf_counter()
    try:
        finding = look()
    except UpstreamError as exc:
        finding = failed(in_words(exc), exc.explanation.what_to_do)
    except InferenceError as exc:
        finding = failed(str(exc), "Correct what the reason names.")
    return Step(name, finding, (time.perf_counter() - started) * 1000)


def in_words(error: UpstreamError) -> str:
    """The cause of a failure, with what the provider said of it."""
    said = error.told.message[:LONGEST_MESSAGE].strip()
    cause = error.explanation.cause
    return f"{cause} It said: [{said}]." if said else cause


def result_in_words(result: InferenceResult) -> str:
    match result:
        case TextEmbeddings():
            return f"a vector of {result.dimensions} dimensions"
        case SparseEmbeddings():
            return f"{len(result.rows[0].weights)} weighted words"
        case Ranking():
            return "a rank"
        case _:
            return "a text"
