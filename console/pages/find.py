"""Finds what somebody could want to go to: sections, deeds, endpoints and what is around them.

The palette of each page asks for the fragment; the page works without it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse

from console.http import HtmxRequest, page, text_in, wants_fragment
from console.navigation import COMMANDS, DEEDS, INNER, Section, all_sections, allowed
from console.pages.deeds import creations, deeds
from console.pages.found import (
    Found,
    accounts,
    calls,
    clusters,
    endpoints,
    indices,
    keys,
    models,
    people,
    pipelines,
    teams,
)
from console.pages.wanted import MOST, Wanted

# Pages that were open lately, as a browser tells them.
MOST_RECENT = 20


@dataclass(frozen=True)
class Kind:
    label: str
    found: list[Found]


@page("GET", "HEAD")
def find(request: HtmxRequest) -> HttpResponse:
    query = text_in(request.GET)
    words = tuple(query.lower().split())
    kinds = [kind for kind in kinds_of(request, Wanted(words)) if kind.found]
    is_guess = bool(words) and not kinds
    if is_guess:
        kinds = [kind for kind in kinds_of(request, Wanted(words, is_loose=True)) if kind.found]
    fragment = wants_fragment(request)
    context = {"query": query, "kinds": kinds, "is_guess": is_guess, "is_palette": fragment}
    return render(request, "shell/_found.html" if fragment else "shell/find.html", context)


def kinds_of(request: HtmxRequest, wanted: Wanted) -> Iterator[Kind]:
    """What has the words in its name; without any, where people mostly want to go."""
    if not wanted.words:
        yield Kind("Recent", recent(request))
    places = [*all_sections(), *INNER] if wanted.words else all_sections()
    yield Kind("Go to", sections(allowed(places, request), wanted))
    yield Kind("Endpoints", endpoints(request, wanted))
    if wanted.words:
        yield Kind("Models", models(request, wanted))
        yield Kind("Indices", indices(request, wanted))
        yield Kind("Pipelines", pipelines(request, wanted))
        yield Kind("Clusters", clusters(request, wanted))
        yield Kind("Keys", keys(request, wanted))
        yield Kind("Service accounts", accounts(request, wanted))
        yield Kind("Teams", teams(request, wanted))
        yield Kind("People", people(request, wanted))
    yield Kind("Do", [*things_to_do(request, wanted), *commands(request, wanted)])
    if wanted.words:
        yield Kind("API", calls(request, wanted))


def things_to_do(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    general = sections(allowed(DEEDS, request), wanted)
    return [*deeds(request, wanted, endpoint_here(request)), *general, *creations(request, wanted)]


def endpoint_here(request: HtmxRequest) -> str:
    """The endpoint whose page is open, as the browser tells its address."""
    thing = thing_at(request.GET.get("here", ""))
    return thing[1] if thing and thing[0] is endpoints else ""


def commands(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    """What the page itself does: for the palette, whose script presses the button."""
    if not wanted.words or not wants_fragment(request):
        return []
    return [
        Found(one.label, "", one.icon, keys=one.keys, presses=one.presses)
        for one in COMMANDS
        if one.is_there and wanted.finds(f"{one.label} {one.words}")
    ]


def sections(known: Iterable[Section], wanted: Wanted) -> list[Found]:
    """Those that are called so, then those that are only found by other words."""
    found = [each for each in known if wanted.finds(f"{each.label} {each.words}")]
    found.sort(key=lambda each: not wanted.finds(each.label))
    return [Found(each.label, reverse(each.url_name), each.icon, keys=each.keys) for each in found]


Finder = Callable[[HtmxRequest, Wanted], list[Found]]
# How the names of pages begin that are about one thing, what in the address names it, who finds it.
THINGS: Mapping[tuple[str, ...], tuple[str, Finder]] = {
    ("endpoint-",): ("inference_id", endpoints),
    ("model-",): ("model_id", models),
    ("reference-index", "reference-edit-index"): ("name", indices),
    ("reference-pipeline", "reference-edit-pipeline"): ("pipeline_id", pipelines),
    ("cluster-",): ("name", clusters),
    ("team-",): ("name", teams),
}


def recent(request: HtmxRequest) -> list[Found]:
    """What somebody looked at lately, the last first: as their browser remembers the addresses.

    What is gone, or may not be seen any more, is left out.
    """
    addresses = request.GET.get("recent", "").split()[:MOST_RECENT]
    opened = list(dict.fromkeys(thing for one in addresses if (thing := thing_at(one))))
    found: dict[tuple[Finder, str], Found] = {}
    for finder in dict.fromkeys(finder for finder, _ in opened):
        wanted = Wanted(names=[name for other, name in opened if other is finder])
        found |= {(finder, one.label): one for one in finder(request, wanted)}
    return [found[thing] for thing in opened if thing in found][:MOST]


def thing_at(address: str) -> tuple[Finder, str] | None:
    """Who finds what a page is about, and its name; None where it is about no such thing."""
    try:
        match = resolve(unquote(address).replace("\0", ""))
    except Resolver404:
        return None
    for beginnings, (kwarg, finder) in THINGS.items():
        if (match.url_name or "").startswith(beginnings) and kwarg in match.kwargs:
            return finder, match.kwargs[kwarg]
    return None
