"""What a simulation did to each document, as people read it: what changed, and what went wrong."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from console.forms.json_text import pretty
from endpoints import simulating
from endpoints.models import User

MOST_NUMBERS, MOST_WEIGHTS, MOST_CHARACTERS = 4, 4, 300
STATUSES = {
    "success": "done",
    "error": "failed",
    "error_ignored": "failed, ignored",
    "skipped": "skipped",
    "dropped": "dropped the document",
}
# What helps, by what the reason of a failure says.
REMEDIES = (
    (
        "not found",
        "Create an endpoint with this id, or name one that is there in model_id.",
    ),
    (
        "does not exist in the source document",
        "Give the document this field, or let the processor ignore_missing.",
    ),
    (
        "is not supported here",
        "It is kept for Elasticsearch, which runs it. Leave it out here to see the rest.",
    ),
    ("Deployment [", "Open the endpoint: its page says what its model needs."),
    ("already exists", "Remove the other field first, or let the processor override it."),
    ("doesn't exist", "Check how the field is written, or let the processor ignore_missing."),
)
OTHERWISE = "Correct the document or the processor, then simulate again."


@dataclass(frozen=True)
class Change:
    """A field by its dotted name. was, is_now: as JSON, cut where long; None where none was."""

    name: str
    was: str | None
    is_now: str | None


@dataclass(frozen=True)
class Failure:
    reason: str
    what_to_do: str


@dataclass(frozen=True)
class Step:
    """What one processor did. status: as the API says it; label: for people."""

    kind: str
    tag: str
    status: str
    changes: tuple[Change, ...] = ()
    failure: Failure | None = None

    @property
    def label(self) -> str:
        return STATUSES.get(self.status, self.status)


@dataclass(frozen=True)
class Outcome:
    """A document. changes: from what was pasted to what would be stored; before, after: as JSON."""

    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
    before: str
    after: str
    failure: Failure | None = None


@dataclass(frozen=True)
class Simulation:
    outcomes: tuple[Outcome, ...]
    milliseconds: float

    @property
    def failed(self) -> int:
        return sum(1 for outcome in self.outcomes if outcome.failure)


def simulate(
    user: User, config: Mapping[str, Any], docs: Sequence[Mapping[str, Any]]
) -> Simulation:
    """Run a checked pipeline on checked documents, and note what each processor did."""
    started = time.perf_counter()
    results = simulating.run(user, config, docs, is_verbose=True, is_trial=True)
    milliseconds = (time.perf_counter() - started) * 1000
    pairs = zip(docs, results, strict=True)
    return Simulation(
        tuple(outcome_of(doc, result["processor_results"]) for doc, result in pairs), milliseconds
    )


def outcome_of(doc: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> Outcome:
    """results: what each processor did, as a verbose answer of the API has it."""
    begun = now = leaves(doc["_source"])
    source = doc["_source"]
    steps = []
    for result in results:
        before = now
        if result.get("doc"):
            source = result["doc"]["_source"]
            now = leaves(source)
        steps.append(
            Step(
                result["processor_type"],
                result.get("tag", ""),
                result["status"],
                tuple(changes(before, now)),
                _failure(result),
            )
        )
    # A failure that something handled is followed by what handled it.
    failure = steps[-1].failure if steps and steps[-1].status == "error" else None
    return Outcome(
        tuple(steps),
        () if failure else tuple(changes(begun, now)),
        pretty(doc["_source"]),
        "" if failure else pretty(source),
        failure,
    )


def _failure(result: Mapping[str, Any]) -> Failure | None:
    error = result.get("error") or (result.get("ignored_error") or {}).get("error")
    if not error:
        return None
    reason = error["reason"]
    found = (remedy for words, remedy in REMEDIES if words in reason)
    return Failure(reason, next(found, OTHERWISE))


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Field by field, in the order of the later document, what went last."""
    for name, value in after.items():
        if name not in before:
            yield Change(name, None, shown(value))
        elif before[name] != value:
            yield Change(name, shown(before[name]), shown(value))
    for name, value in before.items():
        if name not in after:
            yield Change(name, shown(value), None)


def leaves(source: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The fields of a document by dotted names; the weights of tokens are one field."""
    found: dict[str, Any] = {}
    for name, value in source.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and value and not _is_weights(value):
            found |= leaves(value, f"{path}.")
        else:
            found[path] = value
    return found


def shown(value: Any) -> str:
    """A value as JSON; of many numbers the first, and how many there are."""
    if _is_vector(value):
        first = ", ".join(f"{number:.4g}" for number in value[:MOST_NUMBERS])
        return f"[{first}, …] {len(value):,} numbers"
    if isinstance(value, list) and value and all(map(_is_vector, value)):
        return f"[{shown(value[0])}, …] {len(value):,} vectors"
    if _is_weights(value):
        heaviest = sorted(value.items(), key=lambda pair: -pair[1])[:MOST_WEIGHTS]
        first = ", ".join(f"{token}: {weight:.3g}" for token, weight in heaviest)
        return f"{{{first}, …}} {len(value):,} tokens"
    text = orjson.dumps(value).decode()
    return f"{text[:MOST_CHARACTERS]}…" if len(text) > MOST_CHARACTERS else text


def _is_vector(value: Any) -> bool:
    is_long = isinstance(value, list) and len(value) > MOST_NUMBERS
    return is_long and all(map(_is_number, value))


def _is_weights(value: Any) -> bool:
    is_long = isinstance(value, dict) and len(value) > MOST_WEIGHTS
    return is_long and all(map(_is_number, value.values()))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
