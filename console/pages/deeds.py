"""What can be done with what is found: `delete books` leads to deleting the endpoint books."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from console.forms.local import SERVICE
from console.http import HtmxRequest
from console.pages.create import remote_services
from console.pages.found import (
    Found,
    wanted_clusters,
    wanted_endpoints,
    wanted_indices,
    wanted_pipelines,
)
from console.pages.wanted import MOST, Wanted
from console.templatetags.console import service_label
from endpoints.access import may, may_with
from endpoints.models import Cluster, Endpoint
from endpoints.permissions import Action
from inference.services import find_service

# Of a deed alone: fewer would be the beginning of anything.
LEAST_LETTERS = 3


@dataclass(frozen=True)
class Deed:
    """What can be done with one thing. word: how it begins."""

    word: str
    url_name: str
    icon: str
    action: Action


@dataclass(frozen=True)
class Doable:
    """A kind of thing, and what can be done with it.

    word: how the kind is called after the deed. field: what names such a thing.
    """

    word: str
    field: str
    find: Callable[[HtmxRequest, Wanted], Iterable[Any]]
    may_do: Callable[[HtmxRequest, Deed, Any], bool]
    deeds: tuple[Deed, ...]


def deeds(request: HtmxRequest, wanted: Wanted, here: str = "") -> list[Found]:
    """What the words say to do, and with what. The deed stands first or last among them.

    here: the endpoint whose page is open. Alone, a deed is meant for that one, and elsewhere for
    those that were called last.
    """
    words = wanted.words
    if len(words) < 2:
        return begun(request, words, Wanted(names=[here]) if here else Wanted())
    ways = ((words[0], words[1:]), (words[-1], words[:-1]))
    found = (
        one
        for doable in DOABLE
        for verb, names in ways
        for one in done_with(request, doable, verb, names, wanted.is_loose)
    )
    return list(dict.fromkeys(found))


def begun(request: HtmxRequest, words: tuple[str, ...], wanted: Wanted) -> list[Found]:
    if not words or len(words[0]) < LEAST_LETTERS:
        return []
    meant = [one for one in WITH_ENDPOINT if one.word.lower().startswith(words[0])]
    if not meant:
        return []
    return [
        found_with(deed, endpoint.inference_id)
        for endpoint in endpoints(request, wanted)
        for deed in meant
        if may_do_with_endpoint(request, deed, endpoint)
    ]


def found_with(deed: Deed, name: str, kind: str = "") -> Found:
    label = " ".join(filter(None, (deed.word, kind, name)))
    return Found(label, reverse(deed.url_name, args=[name]), deed.icon)


def done_with(
    request: HtmxRequest, doable: Doable, verb: str, names: tuple[str, ...], is_loose: bool
) -> Iterator[Found]:
    meant = [one for one in doable.deeds if Wanted((verb,), is_loose).finds(one.word)]
    if not meant:
        return
    named = [word for word in names if word not in ("of", "to", doable.word or "endpoint")] or names
    for thing in doable.find(request, Wanted(tuple(named), is_loose)):
        name = getattr(thing, doable.field)
        for deed in meant:
            if doable.may_do(request, deed, thing):
                yield found_with(deed, name, doable.word)


def creations(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    """Creating an endpoint at the service that the words name."""
    if not wanted.words or not may(request.user, Action.PUT):
        return []
    labels = {name: service_label(name) for name in (SERVICE, *remote_services())}
    return [
        Found(f"Create {label} endpoint", reverse("endpoint-create-at", args=[name]), "plus")
        for name, label in labels.items()
        if is_named(wanted, f"{name} {label}")
        and wanted.finds(f"create new add {name} {label} endpoint")
    ][:MOST]


def is_named(wanted: Wanted, name: str) -> bool:
    return any(Wanted((word,), wanted.is_loose).finds(name) for word in wanted.words)


def endpoints(request: HtmxRequest, wanted: Wanted) -> Iterable[Endpoint]:
    return wanted_endpoints(request, wanted).prefetch_related("shares")


def may_do_with_endpoint(request: HtmxRequest, deed: Deed, endpoint: Endpoint) -> bool:
    if endpoint.is_preconfigured and deed.action in (Action.UPDATE, Action.DELETE):
        return False
    if deed.url_name == "endpoint-deployment" and find_service(endpoint.service).is_remote:
        return False
    return may_with(request.user, deed.action, endpoint)


def may_do_at_all(request: HtmxRequest, deed: Deed, _: object) -> bool:
    """With what belongs to no team."""
    return may(request.user, deed.action)


def may_do_with_cluster(request: HtmxRequest, deed: Deed, cluster: Cluster) -> bool:
    return may_with(request.user, deed.action, cluster)


WITH_ENDPOINT = (
    Deed("Try", "endpoint-detail", "player-play", Action.INFER),
    Deed("Edit", "endpoint-edit", "pencil", Action.UPDATE),
    Deed("Delete", "endpoint-delete", "trash", Action.DELETE),
    Deed("Diagnose", "endpoint-diagnose", "tool", Action.DIAGNOSE),
    Deed("Usage of", "endpoint-usage", "chart-bar", Action.GET),
    Deed("Settings of", "endpoint-settings", "adjustments-horizontal", Action.GET),
    Deed("Deployment of", "endpoint-deployment", "cpu", Action.GET),
    # The names of what uses it are for those who could delete it, as in the API.
    Deed("References to", "endpoint-references", "sitemap", Action.DELETE),
    Deed("History of", "endpoint-history", "history", Action.GET),
)

DOABLE = (
    Doable(
        "",
        "inference_id",
        endpoints,
        may_do_with_endpoint,
        WITH_ENDPOINT,
    ),
    Doable(
        "index",
        "name",
        wanted_indices,
        may_do_at_all,
        (
            Deed("Edit", "reference-edit-index", "pencil", Action.INDEX_MAPPING_PUT),
            Deed("Delete", "reference-delete-index", "trash", Action.INDEX_DELETE),
        ),
    ),
    Doable(
        "pipeline",
        "pipeline_id",
        wanted_pipelines,
        may_do_at_all,
        (
            Deed("Simulate", "reference-simulate", "player-play", Action.PIPELINE_SIMULATE),
            Deed("Edit", "reference-edit-pipeline", "pencil", Action.PIPELINE_PUT),
            Deed("Delete", "reference-delete-pipeline", "trash", Action.PIPELINE_DELETE),
        ),
    ),
    Doable(
        "cluster",
        "name",
        wanted_clusters,
        may_do_with_cluster,
        (
            Deed("Edit", "cluster-edit", "pencil", Action.CLUSTER_PUT),
            Deed("Remove", "cluster-remove", "trash", Action.CLUSTER_DELETE),
        ),
    ),
)
