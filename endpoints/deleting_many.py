"""Deleting several endpoints at once: one look at all of them, then each for itself."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from endpoints import actions
from endpoints.access import may_with, read_shares, sees
from endpoints.dry_run import DryRun, dry_runs
from endpoints.models import Endpoint, User
from endpoints.permissions import Action
from inference.errors import InferenceError

MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Planned:
    """One that somebody wants to delete. run: None where they cannot, and refusal says why."""

    inference_id: str
    run: DryRun | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Result:
    """error: why it is as it was; None where it was done."""

    inference_id: str
    error: InferenceError | None = None


def plan(user: User, inference_ids: Sequence[str]) -> list[Planned]:
    """What deleting these would come to, in as many queries as for one; in this order."""
    named = Endpoint.objects.with_status().select_related("team")
    known = {one.inference_id: one for one in named.filter(inference_id__in=inference_ids)}
    read_shares(user, known.values(), Action.GET, Action.DELETE)
    refusals = {name: why_not(user, known.get(name)) for name in inference_ids}
    runs = dry_runs(user, [known[name] for name, refusal in refusals.items() if not refusal])
    by_id = {run.endpoint.inference_id: run for run in runs}
    return [Planned(name, by_id.get(name), refusal) for name, refusal in refusals.items()]


def why_not(user: User, endpoint: Endpoint | None) -> str:
    """Why somebody cannot delete it with others; empty where they can."""
    if endpoint is None or not sees(user, endpoint):
        return "There is no such endpoint."
    if endpoint.is_preconfigured:
        return "It is always there and cannot be deleted, only stopped, on its own page."
    if not may_with(user, Action.DELETE, endpoint):
        whose = f"team {endpoint.team.name}" if endpoint.team else "the whole installation"
        return f"It belongs to {whose}, and only who manages that may delete it."
    return ""


def delete_many(actor: User, runs: Collection[DryRun]) -> list[Result]:
    """Delete each of these although somebody may miss it. What fails does not stop the others."""
    return [_deleted(actor, run) for run in runs]


def _deleted(actor: User, run: DryRun) -> Result:
    endpoint = run.endpoint
    try:
        actions.delete_endpoint(actor, endpoint, force=run.is_risky, references=run.references)
    except InferenceError as exc:
        return Result(endpoint.inference_id, exc)
    return Result(endpoint.inference_id)
