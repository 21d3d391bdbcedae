"""The way back after a delete, as each page that deletes offers it."""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib import messages
from django.template.loader import render_to_string

from console.http import HtmxRequest
from endpoints.access import may_with, visible_deleted
from endpoints.models import DeletedEndpoint, User
from endpoints.permissions import Action


@dataclass(frozen=True)
class Outcome:
    """What became of one of several. problems: why it is as it was; empty where it was done.

    address: where to go on with it; empty for nowhere.
    """

    inference_id: str
    words: str
    problems: tuple[str, ...]
    address: str


def summed_up(done: int, of: int, verb: str) -> str:
    """What became of several in all, of which some were not done: 3 restored, 1 not."""
    return f"{done} {verb}, {of - done} not" if done else f"None of {of} {verb}"


def kept_of(user: User, inference_ids: Collection[str]) -> list[DeletedEndpoint]:
    """What is kept of endpoints that were deleted just now, as far as the user may restore it."""
    found = visible_deleted(user).filter(inference_id__in=inference_ids)
    newest: dict[str, DeletedEndpoint] = {}
    for one in found.select_related("team"):
        newest.setdefault(one.inference_id, one)
    kept = [newest[name] for name in inference_ids if name in newest]
    return [one for one in kept if may_with(user, Action.RESTORE, one)]


def tell_deleted(
    request: HtmxRequest, inference_ids: Collection[str], kept: Collection[DeletedEndpoint]
) -> None:
    """kept: those that can be brought back."""
    context = {"deleted": inference_ids, "kept": kept}
    messages.success(request, render_to_string("endpoints/_deleted_note.html", context, request))
