"""Giving the settings that won in the lab to an endpoint."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from console.forms.lab import CutForm, EndpointField
from console.forms.refusable import RefusableForm
from console.http import HtmxRequest, page
from console.pages.lab import USUAL, written_id
from console.pages.lab_shown import hidden
from endpoints import actions
from endpoints.access import get_endpoint, require
from endpoints.lab import choices, runs
from endpoints.models import Endpoint, LabRun, User
from endpoints.permissions import Action
from endpoints.references import references_to
from inference.errors import InferenceError, InvalidRequest, NotFound


@dataclass(frozen=True)
class Change:
    """before, after: as JSON; None where a setting is not there."""

    name: str
    before: str | None
    after: str | None

    @property
    def is_change(self) -> bool:
        return self.before != self.after


class SaveForm(RefusableForm):
    """Which endpoint gets them. seen: in which state somebody looked at it."""

    def __init__(self, data: Any, offered: list[Endpoint]) -> None:
        super().__init__(data)
        options = [(one.inference_id, one.inference_id) for one in offered]
        self.fields["endpoint"] = EndpointField(
            "Endpoint",
            options,
            "Choose one",
            error_messages={"required": "Choose the endpoint that is to be changed."},
        )


@page("GET", "HEAD", "POST")
def lab_save(request: HtmxRequest) -> HttpResponse:
    """Show what would change and what it touches; then change it."""
    require(request.user, Action.CHUNK)
    require(request.user, Action.UPDATE)
    data = request.POST if request.method == "POST" else request.GET
    cut = CutForm(USUAL | data.dict())
    offered = choices.changeable(request.user)
    is_chosen = request.method == "POST" or "endpoint" in data
    form = SaveForm(data if is_chosen else None, offered)
    wanted, run = written_id(data), run_before(request.user, data.get("run", ""))
    endpoint = endpoint_to_change(request, wanted, form) if wanted else None
    changes = changes_of(endpoint, cut) if endpoint else []
    if (
        request.method == "POST"
        and cut.is_valid()
        and form.is_valid()
        and endpoint
        and cut.settings
    ):
        try:
            check_unchanged(endpoint, data.get("seen", ""))
            actions.check_can_change(endpoint.inference_id)
            actions.update_endpoint(endpoint, {"chunking_settings": cut.settings.to_response()})
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{endpoint.inference_id} cuts its texts like this now.")
            return redirect("endpoint-detail", endpoint.inference_id)
    context = {
        "cut": cut,
        "settings_json": json.dumps(shown_settings(cut), indent=2, ensure_ascii=False),
        "form": form,
        "is_offered": bool(offered),
        "endpoint": endpoint,
        "changes": changes,
        "is_change": any(one.is_change for one in changes),
        "references": references_to(request.user, wanted) if endpoint else None,
        "run": run,
        "written": hidden(cut.written | {"run": run.key if run else ""}),
    }
    return render(request, "lab/save.html", context)


def run_before(user: User, key: str) -> LabRun | None:
    """What was in the lab, to go back to; None of the sample, and of what is gone by now."""
    try:
        return runs.get_run(user, key)
    except NotFound:
        return None


def endpoint_to_change(request: HtmxRequest, inference_id: str, form: SaveForm) -> Endpoint | None:
    """None where it cannot be changed like this, which is noted at the form."""
    try:
        endpoint = get_endpoint(request.user, inference_id, to=Action.UPDATE)
        actions.check_can_change(inference_id)
        if not endpoint.task.is_chunked:
            raise InvalidRequest(f"[{inference_id}] reads its texts whole: it has no chunks.")
    except InferenceError as exc:
        if form.is_valid():
            form.add_error("endpoint", str(exc))
        return None
    return endpoint


def check_unchanged(endpoint: Endpoint, seen: str) -> None:
    """Refuse to change what somebody else changed since it was looked at."""
    if seen != endpoint.updated_at.isoformat():
        raise InvalidRequest(
            f"{endpoint.inference_id} was changed meanwhile. See below what would change now, "
            "and save again."
        )


def shown_settings(cut: CutForm) -> Mapping[str, Any]:
    """As the API shows them; as they are written while they are not right."""
    return cut.settings.to_response() if cut.is_valid() and cut.settings else cut.raw


def changes_of(endpoint: Endpoint, cut: CutForm) -> list[Change]:
    before, after = endpoint.chunking_settings or {}, shown_settings(cut)
    return [
        Change(name, told(before.get(name)), told(after.get(name)))
        for name in dict.fromkeys((*before, *after))
    ]


def told(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False).strip('"')
