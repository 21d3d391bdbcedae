"""Deleting several endpoints: one page that says what each comes to, then what became of them."""

from typing import NamedTuple

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url

from console.forms.deletion import DeleteManyForm
from console.forms.refusable import problems_of
from console.http import HtmxRequest, page, require_fresh
from console.pages.outcomes import Outcome, summed_up, to_outcomes
from console.pages.undoing import kept_of, tell_deleted
from endpoints.access import require
from endpoints.deleting_many import MOST_AT_ONCE, Result, delete_many, plan
from endpoints.dry_run import DryRun
from endpoints.permissions import Action

NONE_CHOSEN = "Choose at least one endpoint. Nothing was deleted."


class Row(NamedTuple):
    """One that somebody wants to delete, as `Planned` has it."""

    inference_id: str
    run: DryRun | None
    refusal: str
    is_risky: bool
    is_chosen: bool


@page("GET", "HEAD", "POST")
def endpoint_delete_many(request: HtmxRequest) -> HttpResponse:
    """Ask first. Where somebody may miss one, how many are deleted must be written."""
    require(request.user, Action.DELETE)
    is_sent = request.method == "POST"
    sent = request.POST if is_sent else request.GET
    named = list(dict.fromkeys(name.replace("\0", "") for name in sent.getlist("id")))
    planned = plan(request.user, named[:MOST_AT_ONCE])
    runs = {one.inference_id: one.run for one in planned if one.run}
    if any(run.references for run in runs.values()):
        require_fresh(request, request.get_full_path() if not is_sent else "")
    agreed = set(request.POST.getlist("agreed"))
    chosen = [run for name, run in runs.items() if name in agreed]
    risky = {name for name, run in runs.items() if run.is_risky}
    form = DeleteManyForm(len(chosen), request.POST if is_sent and risky & agreed else None)
    problem = ""
    if is_sent:
        # What was told to be free when it was chosen, and is used by now, is asked for again.
        fresh = sorted(risky & agreed - set(request.POST.getlist("risky")))
        if not chosen:
            problem = NONE_CHOSEN
        elif fresh:
            problem = f"Something uses {', '.join(fresh)} by now. Nothing was deleted: look again."
        elif form.is_valid() or not form.is_bound:
            return done(request, delete_many(request.user, chosen))
    chosen_names = agreed if is_sent else runs.keys() - risky
    context = {
        "rows": [
            Row(
                one.inference_id,
                one.run,
                one.refusal,
                is_risky=one.inference_id in risky,
                is_chosen=one.inference_id in chosen_names,
            )
            for one in planned
        ],
        "risky": risky,
        "runs": runs,
        "form": form,
        "problem": problem,
        "left_out": len(named) - len(planned),
        "most_at_once": MOST_AT_ONCE,
        "restore_days": settings.RESTORE_DAYS,
    }
    return render(request, "endpoints/delete_many.html", context)


def done(request: HtmxRequest, results: list[Result]) -> HttpResponse:
    """What became of each, with the way back for all of them; a note where each is deleted."""
    names = [one.inference_id for one in results if not one.error]
    kept = kept_of(request.user, names)
    if len(names) == len(results):
        tell_deleted(request, names, kept)
        return redirect("endpoint-list")
    days = settings.RESTORE_DAYS
    outcomes = [
        Outcome(
            one.inference_id,
            "is still there" if one.error else "is deleted",
            problems_of(one.error) if one.error else (),
            resolve_url("endpoint-delete", one.inference_id) if one.error else "",
        )
        for one in results
    ]
    return to_outcomes(
        request,
        summed_up(len(names), len(results), "deleted"),
        outcomes,
        told=f"What is deleted can be restored for {days} days under" if names and days else "",
        kept=[one.pk for one in kept],
    )
