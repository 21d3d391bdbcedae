"""What somebody may see of each kind that has the words in its name."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Case, F, Model, QuerySet, Value, When
from django.urls import reverse

from console.http import HtmxRequest
from console.pages.reference import areas_about
from console.pages.wanted import MOST, Wanted
from console.templatetags.console import service_label, task_label
from endpoints.access import may, visible_clusters, visible_endpoints
from endpoints.access_to_people import visible_people
from endpoints.accounts import visible_accounts
from endpoints.keys import visible_keys
from endpoints.known_models import known_models
from endpoints.listed_people import named_like
from endpoints.models import Cluster, IndexMapping, IngestPipeline
from endpoints.models.endpoint import EndpointQuerySet
from endpoints.permissions import Action
from endpoints.team_access import teams_where
from inference.types import TaskType


@dataclass(frozen=True)
class Found:
    """gist: a few words about it. keys: what leads there as well.

    presses: the button of every page that is meant, as CSS selects it, where nothing is led to.
    """

    label: str
    href: str
    icon: str
    gist: str = ""
    keys: str = ""
    presses: str = ""


def endpoints(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    return [
        Found(
            row.inference_id,
            reverse("endpoint-detail", args=[row.inference_id]),
            "server",
            f"{task_label(row.task_type)} · {service_label(row.service)}",
        )
        for row in wanted_endpoints(request, wanted).only("inference_id", "task_type", "service")
    ]


def wanted_endpoints(request: HtmxRequest, wanted: Wanted) -> EndpointQuerySet:
    """Those that are called so come first, then those that were called last.

    By words, the task, the service and the model count too.
    """
    known = visible_endpoints(request.user)
    if wanted.is_loose or wanted.names is not None:
        known = wanted.among(known, "inference_id")
    elif not wanted.words:
        known = known.own()
    for word in () if wanted.is_loose else wanted.words:
        known = known.named_like(word) | known.with_model().filter(task_type__in=tasks_like(word))
    name = " ".join(wanted.words)
    is_called_so = Case(When(inference_id__iexact=name, then=Value(0)), default=Value(1))
    called = F("latest_usage__called_at").desc(nulls_last=True)
    order = (is_called_so,) if name else ()
    return known.order_by(*order, called, "inference_id")[:MOST]


def tasks_like(word: str) -> list[TaskType]:
    return [task for task in TaskType if word in f"{task} {task_label(task)}".lower()]


def models(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    """Those of the catalogue, too."""
    if not may(request.user, Action.MODEL_GET):
        return []
    known = (one.facts for one in known_models(request.user))
    found = [facts for facts in known if wanted.finds(facts.model_id)]
    return [
        Found(
            facts.model_id,
            reverse("model-detail", args=[facts.model_id]),
            "package",
            task_label(facts.task_type) if facts.task_type else "",
        )
        for facts in found[:MOST]
    ]


def indices(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    return named(wanted_indices(request, wanted), "reference-index", "table")


def wanted_indices(request: HtmxRequest, wanted: Wanted) -> QuerySet[IndexMapping]:
    known = IndexMapping.objects.all()
    if not may(request.user, Action.INDEX_GET):
        return known.none()
    return wanted.first_of(wanted.among(known, "name"), "name")


def pipelines(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    found = wanted_pipelines(request, wanted)
    return named(found, "reference-pipeline", "route", "pipeline_id")


def wanted_pipelines(request: HtmxRequest, wanted: Wanted) -> QuerySet[IngestPipeline]:
    known = IngestPipeline.objects.all()
    if not may(request.user, Action.PIPELINE_GET):
        return known.none()
    return wanted.first_of(wanted.among(known, "pipeline_id"), "pipeline_id")


def clusters(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    return named(wanted_clusters(request, wanted), "cluster-detail", "sitemap")


def wanted_clusters(request: HtmxRequest, wanted: Wanted) -> QuerySet[Cluster]:
    return wanted.first_of(wanted.among(visible_clusters(request.user), "name"), "name")


def teams(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    found = wanted.first_of(wanted.among(teams_where(request.user), "name"), "name")
    return named(found, "team-detail", "users")


def calls(_: HtmxRequest, wanted: Wanted) -> list[Found]:
    """Of the API, where it is explained. Not by mistyped words: everything there is like them."""
    if wanted.is_loose:
        return []
    place = reverse("api-reference")
    entries = [one for area in areas_about(wanted) for one in area.entries.values()]
    return [Found(one.summary, f"{place}#{one.name}", "book", one.gist) for one in entries[:MOST]]


def people(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    """By what somebody may see of them: their mail addresses only where they see these."""
    if not settings.SECURITY or not may(request.user, Action.TEAM_PEOPLE):
        return []
    known = visible_people(request.user)
    if wanted.is_loose:
        known = wanted.among(known, "username")
    else:
        known = named_like(request.user, known, " ".join(wanted.words))
    return [
        Found(one.username, reverse("person-detail", args=[one.username]), "user")
        for one in wanted.first_of(known, "username")
    ]


def keys(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    """Those that still work. Several may have one name: whose they are tells them apart."""
    if not settings.SECURITY or not may(request.user, Action.API_KEY_GET):
        return []
    known = wanted.among(visible_keys(request.user).valid().select_related("user"), "name")
    return [
        Found(one.name, reverse("key-detail", args=[one.key_id]), "key", one.user.get_username())
        for one in wanted.first_of(known, "name")
    ]


def accounts(request: HtmxRequest, wanted: Wanted) -> list[Found]:
    """Those for programs, which keys are made for."""
    if not settings.SECURITY or not may(request.user, Action.ACCOUNT_PUT):
        return []
    known = wanted.among(visible_accounts(request.user, Action.ACCOUNT_PUT), "username")
    return [
        Found(one.username, reverse("key-account-edit", args=one.username.split("/", 1)), "user")
        for one in wanted.first_of(known, "username")
    ]


def named(found: "QuerySet[Model]", url_name: str, icon: str, field: str = "name") -> list[Found]:
    """Of records that go by their name. field: the column that holds it."""
    names = found.values_list(field, flat=True)
    return [Found(name, reverse(url_name, args=[name]), icon) for name in names]
