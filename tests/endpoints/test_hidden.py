"""What belongs to another team is as if it were not there: by its id, in lists, in refusals."""

import json
import re
from typing import Any, cast

import pytest
from django.http import HttpResponse
from django.test import Client

from endpoints import teams
from endpoints.models import Deployment, Endpoint, Team, TeamRole, TrainedModel, User
from endpoints.preconfigured import ensure_preconfigured
from inference.types import TaskType
from tests.console.conftest import browser_of
from tests.endpoints.conftest import Api, basic, told
from tests.factories import (
    PASSWORD,
    make_added_model,
    make_cluster,
    make_deployment,
    make_endpoint,
    make_remote_endpoint,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world", "hidden")]

# What is there and hidden, and ids of as many letters under which there is nothing.
IDS = {
    "{endpoint}": ("hidden-endpoint", "absent-endpoint"),
    "{remote}": ("hidden-remote", "absent-remote"),
    "{model}": ("hidden-model", "absent-model"),
    "{deployment}": ("hidden-deployment", "absent-deployment"),
    "{cluster}": ("hidden-cluster", "absent-cluster"),
}
# Of a form, another with each page.
TOKEN = re.compile(r"\b[A-Za-z0-9]{64}\b")
UPDATE = {"service_settings": {"num_allocations": 2}}
OVER = {"num_allocations": 1, "num_threads": 1}
GUESSES: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/_inference/{endpoint}", None),
    ("POST", "/_inference/{endpoint}", {"input": "a"}),
    ("POST", "/_inference/{remote}", {"input": "a"}),
    ("POST", "/_inference/{remote}/_stream", {"input": "a"}),
    ("PUT", "/_inference/{endpoint}/_update", UPDATE),
    ("DELETE", "/_inference/{endpoint}", None),
    ("DELETE", "/_inference/{endpoint}?dry_run", None),
    ("DELETE", "/_inference/{endpoint}?force", None),
    ("GET", "/_inference/rerank/{endpoint}", None),
    ("GET", "/_console/endpoints/{endpoint}/cache", None),
    ("PUT", "/_console/endpoints/{endpoint}/cache", {"enabled": True}),
    ("DELETE", "/_console/endpoints/{endpoint}/cache", None),
    ("POST", "/_console/endpoints/{endpoint}/diagnose", None),
    ("GET", "/_ml/trained_models/{model}", None),
    ("GET", "/_ml/trained_models/{model}?include=definition_status", None),
    ("GET", "/_ml/trained_models/{model}*?allow_no_match=false", None),
    ("DELETE", "/_ml/trained_models/{model}", None),
    ("DELETE", "/_ml/trained_models/{model}?force", None),
    ("PUT", "/_ml/trained_models/{model}/definition/0", None),
    ("PUT", "/_ml/trained_models/{model}/vocabulary", {"vocabulary": ["a"]}),
    ("GET", "/_ml/trained_models/{model}/_stats", None),
    ("GET", "/_ml/trained_models/{deployment}/_stats", None),
    ("GET", "/_ml/trained_models/{endpoint}/_stats", None),
    ("POST", "/_ml/trained_models/{model}/_infer", {"docs": [{"text_field": "a"}]}),
    ("POST", "/_ml/trained_models/{deployment}/_infer", {"docs": [{"text_field": "a"}]}),
    ("POST", "/_ml/trained_models/{endpoint}/_infer", {"docs": [{"text_field": "a"}]}),
    ("POST", "/_ml/trained_models/{model}/deployment/_start", None),
    ("POST", "/_ml/trained_models/{deployment}/deployment/_stop", None),
    ("POST", "/_ml/trained_models/{deployment}/deployment/_stop?force", None),
    ("POST", "/_ml/trained_models/{endpoint}/deployment/_stop?force", None),
    ("POST", "/_ml/trained_models/{deployment}/deployment/_stop?allow_no_match=false", None),
    ("POST", "/_ml/trained_models/{deployment}/deployment/_update", {"number_of_allocations": 2}),
    ("GET", "/_console/models/{model}", None),
    ("DELETE", "/_console/models/{model}?force", None),
    ("POST", "/_console/models/{model}/_cancel", None),
    ("POST", "/_console/models/{model}/_pause", None),
    ("POST", "/_console/models/{model}/_retry", None),
    ("GET", "/_console/deployments/{deployment}/events", None),
    ("GET", "/_console/deployments/{endpoint}/events", None),
    ("GET", "/_console/clusters/{cluster}", None),
    ("DELETE", "/_console/clusters/{cluster}", None),
    ("POST", "/_console/clusters/{cluster}/_scan", None),
    (
        "PUT",
        "/_inference/text_embedding/new",
        {"service": "elasticsearch", "service_settings": OVER | {"model_id": "{model}"}},
    ),
    (
        "PUT",
        "/_inference/text_embedding/new",
        {"service": "elasticsearch", "service_settings": OVER | {"deployment_id": "{deployment}"}},
    ),
    (
        "PUT",
        "/_inference/text_embedding/new",
        {"service": "elasticsearch", "service_settings": OVER | {"deployment_id": "{endpoint}"}},
    ),
)
PAGE_GUESSES = (
    ("GET", "/console/endpoints/{endpoint}"),
    ("POST", "/console/endpoints/{endpoint}/try"),
    ("POST", "/console/endpoints/{remote}/stream"),
    ("GET", "/console/endpoints/{remote}/edit"),
    ("POST", "/console/endpoints/{remote}/edit"),
    ("GET", "/console/endpoints/{endpoint}/usage"),
    ("GET", "/console/endpoints/{endpoint}/settings"),
    ("GET", "/console/endpoints/{endpoint}/deployment"),
    ("POST", "/console/endpoints/{endpoint}/deployment"),
    ("POST", "/console/endpoints/{endpoint}/start"),
    ("GET", "/console/endpoints/{endpoint}/references"),
    ("GET", "/console/endpoints/{endpoint}/history"),
    ("GET", "/console/endpoints/{endpoint}/sharing"),
    ("POST", "/console/endpoints/{endpoint}/retry"),
    ("GET", "/console/endpoints/{endpoint}/delete"),
    ("POST", "/console/endpoints/{endpoint}/delete"),
    ("GET", "/console/endpoints/{endpoint}/diagnose"),
    ("POST", "/console/endpoints/{endpoint}/diagnose"),
    ("POST", "/console/endpoints/{endpoint}/cache"),
    ("POST", "/console/endpoints/{endpoint}/cache/purge"),
    ("GET", "/console/models/{model}"),
    ("POST", "/console/models/{model}/download"),
    ("POST", "/console/models/{model}/pause"),
    ("POST", "/console/models/{model}/cancel"),
    ("GET", "/console/models/{model}/delete"),
    ("POST", "/console/models/{model}/delete"),
    ("GET", "/console/models/{model}/start"),
    ("POST", "/console/models/{model}/start"),
    ("GET", "/console/models/_deployments/_scale?id={deployment}"),
    ("GET", "/console/models/_deployments/_scale?id={endpoint}"),
    ("GET", "/console/models/_deployments/_stop?id={deployment}"),
    ("POST", "/console/models/_deployments/_stop?id={deployment}"),
    ("POST", "/console/models/_deployments/_stop?id={endpoint}"),
    ("GET", "/console/clusters/{cluster}"),
    ("GET", "/console/clusters/{cluster}/edit"),
    ("POST", "/console/clusters/{cluster}/edit"),
    ("POST", "/console/clusters/{cluster}/scan"),
    ("GET", "/console/clusters/{cluster}/remove"),
    ("POST", "/console/clusters/{cluster}/remove"),
)
LISTS = (
    "/_inference",
    "/_inference/text_embedding/_all",
    "/_ml/trained_models",
    "/_ml/trained_models/*",
    "/_ml/trained_models/_all",
    "/_ml/trained_models/_stats",
    "/_ml/trained_models/hidden*/_stats",
    "/_console/models",
    "/_console/clusters",
    "/_console/openapi.json",
    "/_inference/_services",
    "/_security/_authenticate",
)
PAGE_LISTS = (
    "/console/endpoints",
    "/console/endpoints?q=hidden-",
    "/console/models",
    "/console/models?q=hidden-",
    "/console/models/_add",
    "/console/models/_deployments",
    "/console/models/_deployments?q=hidden-",
    "/console/clusters",
    "/console/clusters/_new",
    "/console/endpoints/_new",
    "/console/endpoints/_new/elasticsearch",
    "/console/endpoints/_new/openai",
    "/console/api",
)


@pytest.fixture
def owners() -> Team:
    return teams.create_team("hidden-owners")


@pytest.fixture
def hidden(owners: Team) -> None:
    """One of everything, of a team that the caller is not in."""
    ensure_preconfigured()
    boss = make_user("hidden-boss")
    teams.put_member(owners, boss, TeamRole.TEAM_ADMIN)
    model = make_added_model("hidden-model")
    TrainedModel.objects.filter(pk=model.pk).update(team=owners, created_by=boss)
    make_deployment("hidden-deployment", model, team=owners)
    make_endpoint("hidden-endpoint")
    chat = {"api_key": "k", "model_id": "m"}
    make_remote_endpoint("openai", TaskType.COMPLETION, chat, "hidden-remote")
    Endpoint.objects.own().update(team=owners, created_by=boss)
    make_cluster("hidden-cluster", team=owners, created_by=boss)


@pytest.fixture
def stranger() -> User:
    """Who may do everything that a team allows, in another team."""
    user = make_user("stranger")
    teams.put_member(teams.create_team("strangers"), user, TeamRole.TEAM_ADMIN)
    return user


@pytest.fixture
def api(stranger: User) -> Api:
    return Api(basic("stranger", PASSWORD))


@pytest.fixture
def console(stranger: User) -> Client:
    return browser_of(stranger)


def named(text: str, *, is_there: bool) -> str:
    for place, (hidden, absent) in IDS.items():
        text = text.replace(place, hidden if is_there else absent)
    return text


def anonymized(answer: HttpResponse) -> tuple[int, str]:
    """Status and body, with the ids that were asked for taken out."""
    stream = getattr(answer, "streaming_content", None)
    content = b"".join(stream) if stream else answer.content
    text = TOKEN.sub("", content.decode())
    for place, names in IDS.items():
        for name in names:
            text = text.replace(name, place)
    return answer.status_code, text


@pytest.mark.parametrize(("method", "path", "body"), GUESSES)
def test_guessing_an_id_tells_what_an_id_of_nothing_tells(
    api: Api, method: str, path: str, body: Any
) -> None:
    before = everything()

    def ask(*, is_there: bool) -> tuple[int, str]:
        sent = json.loads(named(json.dumps(body), is_there=is_there))
        return anonymized(api(method, named(path, is_there=is_there), sent))

    found, missing = ask(is_there=True), ask(is_there=False)

    assert found == missing
    # Only a stop of something that is not there is no failure.
    assert found[0] in (400, 404) or "_stop" in path
    assert everything() == before


@pytest.mark.parametrize(("method", "path"), PAGE_GUESSES)
@pytest.mark.parametrize("is_fragment", [False, True])
def test_guessing_a_page_tells_what_a_page_of_nothing_tells(
    console: Client, method: str, path: str, is_fragment: bool
) -> None:
    before = everything()
    headers = {"HX-Request": "true"} if is_fragment else {}

    def ask(*, is_there: bool) -> tuple[int, str]:
        answer = console.generic(method, named(path, is_there=is_there), headers=headers)
        return anonymized(cast(HttpResponse, answer))

    found, missing = ask(is_there=True), ask(is_there=False)

    assert found == missing
    assert found[0] == (200 if is_fragment else 404)
    assert everything() == before


def everything() -> list[Any]:
    """What could be changed of all that there is."""
    return [
        *Endpoint.objects.order_by("pk").values(),
        *TrainedModel.objects.order_by("pk").values(),
        *Deployment.objects.order_by("pk").values(),
    ]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_names_nothing_of_another_team(api: Api, path: str) -> None:
    answer = api("GET", path)

    assert answer.status_code == 200
    assert "hidden-" not in answer.content.decode()


@pytest.mark.parametrize("path", PAGE_LISTS)
@pytest.mark.parametrize("is_fragment", [False, True])
def test_a_page_names_nothing_of_another_team(
    console: Client, path: str, is_fragment: bool
) -> None:
    answer = console.get(path, headers={"HX-Request": "true"} if is_fragment else {})

    assert answer.status_code == 200
    shown = answer.content.decode()
    assert not set(re.findall(r"hidden-[a-z]+", shown))


def test_counts_do_not_count_what_is_hidden(api: Api) -> None:
    models, known = told(api("GET", "/_ml/trained_models")), told(api("GET", "/_console/models"))

    assert models["count"] == len(models["trained_model_configs"]) == 1
    assert known["count"] == len(known["models"])
    assert told(api("GET", "/_ml/trained_models/_stats"))["count"] == 1


def test_a_model_of_everybody_does_not_tell_who_else_deploys_it(api: Api) -> None:
    """The hidden endpoint runs on it."""
    model = ".all-minilm-l6-v2"

    assert told(api("GET", f"/_console/models/{model}"))["deployments"] == []
    (stats,) = told(api("GET", f"/_ml/trained_models/{model}/_stats"))["trained_model_stats"]
    assert "deployment_stats" not in stats


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/_inference/text_embedding/{endpoint}",
            {"service": "elasticsearch", "service_settings": OVER | {"model_id": ".rerank-v1"}},
        ),
        (
            "/_inference/text_embedding/{endpoint}",
            {
                "service": "elasticsearch",
                "service_settings": OVER | {"model_id": ".all-minilm-l6-v2"},
            },
        ),
        ("/_ml/trained_models/{model}", {"model_type": "tree_ensemble", "definition": {}}),
        ("/_ml/trained_models/{endpoint}", {"model_type": "tree_ensemble", "definition": {}}),
        ("/_console/models/{model}", {"source": {"repository": "a/b"}}),
        ("/_console/clusters/{cluster}", {"url": "http://127.0.0.1:1"}),
    ],
)
def test_an_id_that_another_team_has_is_taken_and_nothing_else_is_told(
    api: Api, path: str, body: Any
) -> None:
    before = everything()

    answer = api("PUT", named(path, is_there=True), body)

    assert answer.status_code == 400
    assert "hidden" not in anonymized(answer)[1]
    assert everything() == before


def test_a_wildcard_stops_only_what_is_ones_own(api: Api) -> None:
    start = "/_ml/trained_models/.all-minilm-l6-v2/deployment/_start?deployment_id=mine"
    assert api("POST", start).status_code == 200

    assert api("POST", "/_ml/trained_models/*/deployment/_stop?force").status_code == 200

    left = Deployment.objects.values_list("deployment_id", flat=True)
    assert sorted(left) == ["hidden-deployment", "hidden-endpoint"]


def test_a_deployment_that_failed_makes_no_room_for_another_team(api: Api) -> None:
    Deployment.objects.filter(deployment_id="hidden-deployment").update(state="failed")
    start = "/_ml/trained_models/.all-minilm-l6-v2/deployment/_start"

    answer = api("POST", f"{start}?deployment_id=hidden-deployment")

    assert answer.status_code == 400
    assert Deployment.objects.get(deployment_id="hidden-deployment").model.model_id == (
        "hidden-model"
    )
