"""Who sees, uses and changes what of which team."""

import base64
from typing import Any

import pytest
from django.http import HttpResponse

from endpoints import sharing, teams
from endpoints.models import (
    ApiKey,
    Endpoint,
    Membership,
    ShareLevel,
    Team,
    TeamRole,
    User,
)
from endpoints.preconfigured import ensure_preconfigured
from inference.errors import Conflict
from tests.endpoints.conftest import SETTINGS, Api, member, refused, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]
PATH = "/_inference/text_embedding/my-endpoint"


def act(api: Api, what: str) -> HttpResponse:
    match what:
        case "see":
            return api("GET", PATH)
        case "call":
            return api("POST", PATH, {"input": "a"})
        case "change":
            return api("PUT", f"{PATH}/_update", {"service_settings": {"num_allocations": 1}})
        case "cache":
            return api("DELETE", "/_console/endpoints/my-endpoint/cache")
        case "delete":
            return api("DELETE", PATH)
    raise ValueError(what)


MATRIX = {
    # see, call, change, cache, delete
    TeamRole.INFERENCE_USER: (200, 200, 403, 403, 403),
    TeamRole.INFERENCE_ADMIN: (200, 200, 200, 200, 200),
    TeamRole.TEAM_ADMIN: (200, 200, 200, 200, 200),
}
ACTS = ("see", "call", "change", "cache", "delete")


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize("role", MATRIX)
def test_a_member_may_do_what_the_role_allows(search: Team, role: TeamRole) -> None:
    api = member(search, role)

    assert tuple(act(api, what).status_code for what in ACTS) == MATRIX[role]


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize("what", ACTS)
def test_what_belongs_to_another_team_does_not_exist(other: Team, what: str) -> None:
    api = member(other, TeamRole.TEAM_ADMIN)

    assert act(api, what).status_code == 404


@pytest.mark.usefixtures("endpoint")
def test_a_list_holds_what_somebody_may_see_and_nothing_else(search: Team, other: Team) -> None:
    ensure_preconfigured()

    def listed(api: Api) -> list[str]:
        return [one["inference_id"] for one in told(api("GET", "/_inference"))["endpoints"]]

    assert "my-endpoint" in listed(member(search, TeamRole.INFERENCE_USER))
    assert "my-endpoint" not in listed(member(other, TeamRole.INFERENCE_USER))
    assert ".rerank-v1-elasticsearch" in listed(member(other, TeamRole.TEAM_ADMIN, "third"))


@pytest.mark.parametrize("with_everybody", [False, True])
@pytest.mark.parametrize(
    ("level", "expected"),
    [(ShareLevel.USE, (200, 200, 403, 403, 403)), (ShareLevel.MANAGE, (200, 200, 200, 200, 403))],
)
def test_a_share_allows_as_much_as_it_says(
    endpoint: Endpoint,
    other: Team,
    level: ShareLevel,
    expected: tuple[int, ...],
    with_everybody: bool,
) -> None:
    sharing.share(endpoint, None if with_everybody else other, level)
    api = member(other, TeamRole.INFERENCE_ADMIN)

    assert tuple(act(api, what).status_code for what in ACTS) == expected

    sharing.unshare(endpoint, None if with_everybody else other)
    assert act(api, "see").status_code == 404


def test_a_share_gives_nobody_more_than_their_role(endpoint: Endpoint, other: Team) -> None:
    sharing.share(endpoint, other, ShareLevel.MANAGE)

    assert act(member(other, TeamRole.INFERENCE_USER), "change").status_code == 403


@pytest.mark.usefixtures("endpoint")
def test_a_refusal_tells_who_can_allow_it(search: Team) -> None:
    member(search, TeamRole.TEAM_ADMIN, "boss")
    answer = act(member(search, TeamRole.INFERENCE_USER), "delete")

    assert refused(answer) == (403, "security_exception")
    assert "[manage_inference,manage,all]" in told(answer)["error"]["reason"]


def create(api: Api, inference_id: str = "new", **query: str) -> HttpResponse:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    body = {"service": "elasticsearch", "service_settings": SETTINGS}
    return api("PUT", f"/_inference/text_embedding/{inference_id}?{asked}", body)


def test_what_somebody_makes_belongs_to_their_team(search: Team) -> None:
    assert create(member(search, TeamRole.INFERENCE_ADMIN)).status_code == 200
    assert Endpoint.objects.get(inference_id="new").team == search


def test_a_plain_member_makes_nothing(search: Team) -> None:
    assert refused(create(member(search, TeamRole.INFERENCE_USER))) == (403, "security_exception")
    assert not Endpoint.objects.filter(inference_id="new").exists()


def test_who_is_in_several_teams_says_which(search: Team, other: Team) -> None:
    api = member(search, TeamRole.INFERENCE_ADMIN, "both")
    teams.put_member(other, User.objects.get(username="both"), TeamRole.INFERENCE_ADMIN)

    assert refused(create(api)) == (400, "illegal_argument_exception")
    assert create(api, team="other").status_code == 200
    assert Endpoint.objects.get(inference_id="new").team == other


def test_nobody_makes_something_for_a_team_that_is_not_theirs(search: Team, other: Team) -> None:
    api = member(search, TeamRole.TEAM_ADMIN)

    assert refused(create(api, team="other")) == (404, "resource_not_found_exception")
    assert refused(create(api, team="nobody")) == (404, "resource_not_found_exception")


@pytest.mark.usefixtures("endpoint", "other")
def test_the_administrator_of_the_site_may_do_everything(api: Api) -> None:
    assert tuple(act(api, what).status_code for what in ACTS) == (200,) * 5
    assert create(api, team="other").status_code == 200


def test_a_role_in_a_team_is_no_role_on_the_site(search: Team) -> None:
    api = member(search, TeamRole.TEAM_ADMIN)
    policy = {"region_policy": {"allowed_geos": ["eu"]}}

    assert refused(api("PUT", "/_inference/_region_policy", policy))[0] == 403
    assert refused(api("PUT", "/_ingest/pipeline/p1", {"processors": []}))[0] == 403


@pytest.mark.usefixtures("endpoint")
def test_who_leaves_a_team_loses_it_at_once(search: Team) -> None:
    api = member(search, TeamRole.INFERENCE_USER, "leaver")
    assert act(api, "call").status_code == 200

    teams.remove_member(search, User.objects.get(username="leaver"))

    assert act(api, "call").status_code == 403


def test_a_team_keeps_its_last_administrator(search: Team) -> None:
    member(search, TeamRole.TEAM_ADMIN, "boss")
    boss = User.objects.get(username="boss")

    with pytest.raises(Conflict, match="last administrator"):
        teams.remove_member(search, boss)
    with pytest.raises(Conflict, match="last administrator"):
        teams.put_member(search, boss, TeamRole.INFERENCE_USER)
    assert Membership.objects.get().role == TeamRole.TEAM_ADMIN


def test_the_way_of_a_call_asks_no_more_of_the_database_for_who_may_do_everything(
    api: Api, endpoint: Endpoint, django_assert_num_queries: Any
) -> None:
    act(api, "call")
    with django_assert_num_queries(1):  # by the fake host, which looks at the deployment
        assert act(api, "call").status_code == 200


def test_a_key_of_a_team_ends_with_the_membership(search: Team, endpoint: Endpoint) -> None:
    member(search, TeamRole.INFERENCE_USER, "leaver")
    leaver = User.objects.get(username="leaver")
    key, secret = ApiKey.issue(
        leaver,
        "k",
        limited_by={"r": {"cluster": ["monitor_inference"], "indices": []}},
        role_descriptors={},
        metadata={},
        expires_at=None,
    )
    ApiKey.objects.filter(pk=key.pk).update(team=search)
    encoded = base64.b64encode(f"{key.key_id}:{secret}".encode()).decode()
    api = Api(f"ApiKey {encoded}")
    assert act(api, "call").status_code == 200

    teams.remove_member(search, leaver)

    assert act(api, "call").status_code == 401
