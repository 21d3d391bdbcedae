"""Whose models, deployments and clusters are, and what one may do with them as theirs."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from endpoints import sharing, teams
from endpoints.models import (
    DEFAULT_TEAM,
    Cluster,
    Deployment,
    Endpoint,
    EndpointTombstone,
    ShareLevel,
    Team,
    TrainedModel,
    User,
)
from endpoints.people import create_user
from endpoints.preconfigured import ensure_preconfigured
from endpoints.privileges import TEAM_ROLES
from inference.errors import Conflict
from tests.endpoints.api.trained_models.uploading import upload
from tests.endpoints.conftest import Api, basic, refused, told
from tests.endpoints.teamwork import (
    BUILTIN,
    MODELS,
    PATH,
    given_to,
    keyed,
    manager,
    member,
    other,
    over,
    reason,
    search,
    stranger,
)
from tests.factories import PASSWORD, make_cluster, make_deployment, make_endpoint

__all__ = ["manager", "other", "search", "stranger"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]
CLUSTERS = "/_console/clusters"
TREE = {"model_type": "tree_ensemble", "definition": {}}


def test_a_model_belongs_to_the_team_of_who_puts_it(manager: Api, search: Team) -> None:
    assert manager("PUT", f"{MODELS}/m1", TREE).status_code == 200

    assert TrainedModel.objects.get().team == search
    assert told(manager("GET", "/_console/models/.rerank-v1"))["team"] is None


def test_who_is_in_two_teams_says_whose_a_model_is(manager: Api, search: Team, other: Team) -> None:
    member(other, "manager")

    assert refused(manager("PUT", f"{MODELS}/m1", TREE)) == (400, "illegal_argument_exception")
    assert manager("PUT", f"{MODELS}/m1?team=other", TREE).status_code == 200
    assert TrainedModel.objects.get().team == other


@pytest.mark.parametrize("role", ["superuser", "machine_learning_admin"])
def test_who_looks_after_the_models_of_the_site_works_without_a_team(role: str) -> None:
    create_user("eland", PASSWORD, [role])
    api = Api(basic("eland", PASSWORD))

    upload(api)
    model = TrainedModel.objects.get()
    assert model.team is not None
    assert model.team.name == "default"
    assert told(api("GET", f"{MODELS}/my-model"))["count"] == 1
    assert told(api("GET", f"{MODELS}/my-model/_stats"))["count"] == 1
    assert api("DELETE", f"{MODELS}/my-model").status_code == 200


def test_only_the_site_says_what_a_model_of_everybody_is(manager: Api, api: Api) -> None:
    path = f"{MODELS}/.elser_model_2"

    assert refused(manager("PUT", path, {"tags": ["ours"]})) == (403, "security_exception")
    assert not TrainedModel.objects.exists()
    assert manager("PUT", path, {"input": {"field_names": ["text_field"]}}).status_code == 200
    assert refused(manager("DELETE", f"{path}?force"))[0] == 403
    assert api("DELETE", f"{path}?force").status_code == 200


def test_a_deployment_belongs_to_the_team_that_starts_it(manager: Api, search: Team) -> None:
    make_endpoint("e9")  # so that the built-in model is known

    start = f"{MODELS}/{BUILTIN}/deployment/_start?deployment_id=d1"
    assert manager("POST", start).status_code == 200

    assert Deployment.objects.get(deployment_id="d1").team == search


def test_a_deployment_of_a_team_s_model_belongs_to_that_team(
    api: Api, search: Team, other: Team
) -> None:
    given_to(search)
    start = f"{MODELS}/my-model/deployment/_start"

    assert refused(api("POST", f"{start}?team=other")) == (400, "illegal_argument_exception")
    assert api("POST", start).status_code == 200
    assert Deployment.objects.get().team == search


def test_a_deployment_of_an_endpoint_is_seen_with_that(
    manager: Api, stranger: Api, search: Team, other: Team
) -> None:
    assert manager("PUT", PATH, over()).status_code == 200
    events, stats = "/_console/deployments/e1/events", f"{MODELS}/e1/_stats"
    assert (manager("GET", events).status_code, stranger("GET", events).status_code) == (200, 404)

    sharing.share(Endpoint.objects.get(), other, ShareLevel.USE)

    assert (stranger("GET", events).status_code, stranger("GET", stats).status_code) == (200, 200)
    assert stranger("POST", f"{MODELS}/e1/deployment/_stop?force").status_code == 403
    Endpoint.objects.update(team=other)
    assert stranger("POST", f"{MODELS}/e1/deployment/_stop?force").status_code == 200
    assert not Deployment.objects.exists()


def test_a_share_of_an_endpoint_shares_its_model_no_further(
    stranger: Api, search: Team, other: Team, api: Api
) -> None:
    given_to(search)
    assert api("PUT", f"{PATH}?team=search", over(model_id="my-model")).status_code == 200
    sharing.share(Endpoint.objects.get(), other, ShareLevel.USE)

    (seen,) = told(stranger("GET", f"{MODELS}/e1/_stats"))["trained_model_stats"]

    assert seen["deployment_stats"]["deployment_id"] == "e1"
    assert stranger("GET", f"{MODELS}/my-model").status_code == 404
    assert stranger("GET", f"{MODELS}/my-model/_stats").status_code == 404
    assert stranger("PUT", f"{PATH}-2", over(model_id="my-model")).status_code == 400


def test_who_uses_a_shared_endpoint_builds_nothing_on_what_runs_for_it(
    manager: Api, stranger: Api, other: Team
) -> None:
    """It would go on when the endpoint is no longer shared."""
    assert manager("PUT", PATH, over()).status_code == 200
    sharing.share(Endpoint.objects.get(), other, ShareLevel.MANAGE)
    attached = {"service": "elasticsearch", "service_settings": {"deployment_id": "e1"}}

    assert refused(stranger("PUT", f"{PATH}-2", attached)) == (403, "security_exception")
    assert manager("PUT", f"{PATH}-2", attached).status_code == 200


def test_everybody_builds_on_what_runs_for_everybody(stranger: Api, api: Api) -> None:
    ensure_preconfigured()
    always = ".rerank-v1-elasticsearch"
    call = {"input": ["a"], "query": "b"}
    assert api("POST", f"/_inference/rerank/{always}", call).status_code == 200
    attached = {"service": "elasticsearch", "service_settings": {"deployment_id": always}}

    assert stranger("PUT", "/_inference/rerank/e1", attached).status_code == 200


def test_an_endpoint_can_be_made_over_a_model_of_ones_own_team(manager: Api, search: Team) -> None:
    given_to(search)

    assert manager("PUT", PATH, over(model_id="my-model")).status_code == 200
    assert manager("POST", PATH, {"input": "a"}).status_code == 200


def test_a_model_that_the_shell_adds_is_everybody_s_to_use(manager: Api, stranger: Api) -> None:
    given_to(None)

    assert stranger("GET", f"{MODELS}/my-model").status_code == 200
    assert stranger("PUT", PATH, over(model_id="my-model")).status_code == 200
    assert refused(manager("DELETE", f"{MODELS}/my-model?force"))[0] == 403


def test_a_cluster_belongs_to_the_team_of_who_connects_it(
    manager: Api, stranger: Api, search: Team, other: Team
) -> None:
    body = {"url": "http://127.0.0.1:1"}
    assert told(manager("PUT", "/_console/clusters/prod", body))["team"] == "search"

    assert told(stranger("GET", "/_console/clusters")) == {"clusters": []}
    assert reason(stranger("PUT", "/_console/clusters/prod", body)) == (
        "A cluster with the [name] prod is connected already"
    )
    moved = manager("PUT", "/_console/clusters/prod?team=other", body)
    assert refused(moved) == (400, "illegal_argument_exception")
    assert Cluster.objects.get().team == search


def has(api: Api, *privileges: str) -> list[bool]:
    asked = {"cluster": list(privileges)}
    answer = told(api("POST", "/_security/user/_has_privileges", asked))
    return [answer["cluster"][name] for name in privileges]


def test_privileges_are_those_on_the_whole_site(manager: Api, api: Api) -> None:
    assert has(manager, "manage_inference", "monitor_inference", "manage") == [False, False, False]
    assert has(api, "manage_inference", "monitor_inference", "manage") == [True, True, True]


def test_privileges_of_a_key_of_a_team_are_those_in_the_team(manager: Api, search: Team) -> None:
    roles = {"manager": TEAM_ROLES["inference_admin"]}
    key = keyed(User.objects.get(username="manager"), roles, search)

    assert has(key, "manage_inference", "manage_ml", "manage") == [True, True, False]


@pytest.mark.parametrize("path", [MODELS, f"{MODELS}/_stats", "/_console/models", CLUSTERS])
def test_a_list_of_many_asks_the_database_no_more_than_one_of_few(
    manager: Api, search: Team, path: str
) -> None:
    counts = set()
    for number in range(4):
        make_deployment(f"d-{number}", given_to(search, f"model-{number}"), team=search)
        make_cluster(f"c-{number}", team=search)
        with CaptureQueriesContext(connection) as asked:
            assert manager("GET", path).status_code == 200
        if number:  # the first call of a process also prepares what it looks people up with
            counts.add(len(asked))

    assert len(counts) == 1
    assert counts.pop() <= 6


def test_what_was_there_before_the_teams_goes_to_the_first_of_them(search: Team) -> None:
    first = teams.create_team(DEFAULT_TEAM)
    make_endpoint("e1")
    make_deployment("d1")
    EndpointTombstone.objects.create(inference_id="gone", deleted_at=timezone.now())

    import_module("endpoints.migrations.0019_ownership").give_to_default_team(apps, None)

    owners = dict(Deployment.objects.values_list("deployment_id", "team"))
    assert owners == {"e1": None, "d1": first.pk}
    assert EndpointTombstone.objects.get().team == first


def test_an_endpoint_moves_with_what_was_started_for_it_and_was_left_of_it(
    search: Team, other: Team
) -> None:
    endpoint = make_endpoint("e1")
    Endpoint.objects.update(team=search)
    Deployment.objects.update(team=search)
    columns = {"inference_id": "e1", "task_type": "rerank", "deleted_at": timezone.now()}
    EndpointTombstone.objects.create(team=search, service="cohere", **columns)

    sharing.move_endpoint(Endpoint.objects.get(pk=endpoint.pk), other)

    assert Deployment.objects.get().team == other
    assert EndpointTombstone.objects.get().team == other


def test_an_endpoint_stays_where_what_it_runs_on_stays(
    manager: Api, search: Team, other: Team
) -> None:
    make_deployment("lone", team=search)
    settings = {"deployment_id": "lone", "model_id": ".all-minilm-l6-v2"}
    assert manager("PUT", PATH, over(**settings)).status_code == 200

    with pytest.raises(Conflict, match=r"deployment \[lone\], which team \[other\] does not have"):
        sharing.move_endpoint(Endpoint.objects.get(), other)

    assert Endpoint.objects.get().team == search


def test_an_endpoint_stays_while_others_run_on_what_was_started_for_it(
    search: Team, other: Team
) -> None:
    first, second = make_endpoint("e1"), make_endpoint("e2")
    Endpoint.objects.update(team=search)
    Endpoint.objects.filter(pk=second.pk).update(
        deployment="e1", service_settings={"deployment_id": "e1"}
    )

    with pytest.raises(Conflict, match="cannot go alone"):
        sharing.move_endpoint(Endpoint.objects.get(pk=first.pk), other)

    assert Endpoint.objects.get(pk=first.pk).team == search
