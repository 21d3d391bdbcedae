"""The overview: what runs, what needs attention, what is used most."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from console.forms.local import SERVICE
from console.http import HtmxRequest, page, wants_fragment
from console.pages.referring import MISSING
from console.pages.running import running_here
from endpoints import attention
from endpoints.access import may, require, visible_endpoints
from endpoints.attention import Concern, Kind
from endpoints.keys import visible_keys
from endpoints.permissions import Action

# What a concern is about, where its name does not say it.
WORDS = {
    Kind.ENDPOINT: "Endpoint",
    Kind.CALLS: "Endpoint",
    Kind.CLUSTER: "Cluster",
    Kind.LOST: "Missing endpoint",
    Kind.LOST_INDEX: "Missing endpoint",
    Kind.LOST_PIPELINE: "Missing endpoint",
    Kind.KEY: "Key",
}


@dataclass(frozen=True)
class FirstStep:
    """One of the things with which somebody begins. href: where it is done."""

    label: str
    gist: str
    href: str
    is_done: bool


@page("GET", "HEAD")
def overview(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.GET)
    totals = attention.totals_of(request.user)
    steps = first_steps(request)
    context = {
        "totals": totals,
        "concerns": [
            (one, WORDS.get(one.kind, ""), href_of(one))
            for one in attention.concerns_of(request.user)
        ],
        "most_used": attention.most_used(request.user),
        "running": running_here(request.user),
        "steps": steps,
        "next_step": next((step for step in steps if not step.is_done), None),
    }
    template = "home/_now.html" if wants_fragment(request) else "home/overview.html"
    return render(request, template, context)


def href_of(concern: Concern) -> str:
    """Where something can be done about it; empty for what no page is about."""
    match concern.kind:
        case Kind.ENDPOINT:
            return reverse("endpoint-detail", args=[concern.name])
        case Kind.CALLS:
            return reverse("endpoint-diagnose", args=[concern.name])
        case Kind.CLUSTER:
            return reverse("cluster-detail", args=[concern.name])
        case Kind.LOST:
            return missing_in(reverse("cluster-detail", args=[concern.ref]), concern.name)
        case Kind.LOST_INDEX:
            return missing_in(reverse("reference-indices"), concern.name)
        case Kind.LOST_PIPELINE:
            return missing_in(reverse("reference-pipelines"), concern.name)
        case Kind.KEY:
            return reverse("key-detail", args=[concern.ref])
    return ""


def missing_in(path: str, inference_id: str) -> str:
    """A list of what names endpoints, cut down to what names this one that is missing."""
    return f"{path}?{urlencode({'show': MISSING, 'q': inference_id})}"


def first_steps(request: HtmxRequest) -> list[FirstStep]:
    """The way from nothing to a program that calls an endpoint; of what somebody may do."""
    endpoints = visible_endpoints(request.user).own()
    first = endpoints.order_by("-pk").first()
    there = reverse("endpoint-detail", args=[first.inference_id]) if first else ""
    steps = []
    if first or may(request.user, Action.PUT):
        steps.append(
            FirstStep(
                "Create an endpoint",
                "Two clicks: here, then below a form that is filled in already. The model is"
                " built in and runs on this machine.",
                reverse("endpoint-create-at", args=[SERVICE]),
                first is not None,
            )
        )
        is_called = endpoints.filter(latest_usage__isnull=False).exists()
        is_of_vectors = first is None or first.task.makes_vectors
        steps.append(
            FirstStep(
                "Get a first vector" if is_of_vectors else "Get a first answer",
                "The third click: Run, on its page. Texts to try it with are there.",
                there,
                is_called,
            )
        )
    if may(request.user, Action.API_KEY_CREATE):
        steps.append(
            FirstStep(
                "Let a program call it",
                "Then make a key, and copy the code from the page of the endpoint.",
                reverse("key-create"),
                visible_keys(request.user).exists(),
            )
        )
    return steps
