"""The way back after a delete, as each page that deletes offers it."""

from collections.abc import Collection

from django.contrib import messages
from django.template.loader import render_to_string

from console.http import HtmxRequest
from endpoints.access import may_with, visible_deleted
from endpoints.models import DeletedEndpoint, User
from endpoints.permissions import Action


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
