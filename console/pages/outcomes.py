"""What became of several endpoints of which some stayed as they were, as a page with an address.

It answers no form itself, so that it can be loaded again without anything being sent again.
"""

import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from console.http import HtmxRequest, page
from endpoints.access import may_with, require, visible_deleted
from endpoints.permissions import Action

SESSION_KEY = "outcomes"
# So many of them are remembered: for who deletes in two windows, and for the way back.
MOST_KEPT = 5


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


def to_outcomes(
    request: HtmxRequest,
    heading: str,
    outcomes: Collection[Outcome],
    *,
    told: str = "",
    gone: int = 0,
    kept: Collection[int] = (),
) -> HttpResponse:
    """To the page that tells it, which the session of who asked remembers.

    told: what to know about those kept as deleted. gone: how many were not there any more. kept:
    the keys of what was deleted just now and can be brought back.
    """
    token = secrets.token_urlsafe(8)
    shown = {
        "heading": heading,
        "outcomes": [asdict(one) for one in outcomes],
        "told": told,
        "gone": gone,
        "kept": list(kept),
    }
    before = list(request.session.get(SESSION_KEY, {}).items())
    request.session[SESSION_KEY] = dict([*before, (token, shown)][-MOST_KEPT:])
    return redirect("endpoint-outcomes", token)


@page("GET", "HEAD")
def endpoint_outcomes(request: HtmxRequest, token: str) -> HttpResponse:
    """What was told to this session alone."""
    require(request.user, Action.DELETED_GET)
    shown: dict[str, Any] | None = request.session.get(SESSION_KEY, {}).get(token)
    if shown is None:
        raise Http404
    found = visible_deleted(request.user).filter(pk__in=shown["kept"]).order_by("pk")
    kept = [
        one for one in found.select_related("team") if may_with(request.user, Action.RESTORE, one)
    ]
    done = sum(not one["problems"] for one in shown["outcomes"])
    context = shown | {"kept": kept, "deleted_count": done}
    return render(request, "endpoints/outcomes.html", context)
