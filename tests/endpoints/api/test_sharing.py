"""With whom an endpoint is shared, and to whom it goes, by the API."""

from typing import Any

import pytest

from endpoints import sharing, teams
from endpoints.models import (
    AuditEntry,
    Endpoint,
    EndpointShare,
    ShareLevel,
    Team,
    TeamRole,
    TrainedModel,
    User,
)
from endpoints.preconfigured import ensure_preconfigured
from inference.errors import Conflict
from tests.endpoints.conftest import Api, member, refused, told

pytestmark = pytest.mark.usefixtures("world")
HERE = "/_console/endpoints/my-endpoint"
SHARES, MOVE = f"{HERE}/shares", f"{HERE}/_move"
CALL = "/_inference/text_embedding/my-endpoint"


@pytest.fixture
def boss(search: Team, endpoint: Endpoint) -> Api:
    """The administrator of the team that the endpoint belongs to."""
    return member(search, TeamRole.TEAM_ADMIN, "boss")


def entries() -> list[tuple[str, str, str, Any, Any]]:
    rows = AuditEntry.objects.filter(verb__startswith="endpoint.").order_by("number")
    return [(one.verb, one.subject, one.team_name, one.before, one.after) for one in rows]


def test_what_is_shared_is_listed_changed_and_taken_back(boss: Api, other: Team) -> None:
    theirs = member(other, TeamRole.INFERENCE_USER)
    assert theirs("POST", CALL, {"input": "a"}).status_code == 404

    assert told(boss("PUT", f"{SHARES}/other", {"level": "use"})) == {
        "team": "other",
        "level": "use",
    }
    assert theirs("POST", CALL, {"input": "a"}).status_code == 200
    boss("PUT", f"{SHARES}/other", {"level": "manage"})
    boss("PUT", f"{SHARES}/_everyone", {"level": "use"})

    everyone = {"team": "_everyone", "level": "use"}
    of_other = {"team": "other", "level": "manage"}
    listed = {"owner": "search", "count": 2, "shares": [everyone, of_other]}
    assert told(boss("GET", SHARES)) == listed
    assert told(boss("GET", f"{SHARES}/other")) == of_other
    assert told(boss("GET", f"{SHARES}/_everyone")) == everyone

    for name in ("other", "_everyone"):
        assert told(boss("DELETE", f"{SHARES}/{name}")) == {"acknowledged": True}
        assert refused(boss("DELETE", f"{SHARES}/{name}"))[0] == 404
    assert theirs("POST", CALL, {"input": "a"}).status_code == 404
    assert entries() == [
        ("endpoint.share", "my-endpoint", "search", None, {"other": "use"}),
        ("endpoint.share", "my-endpoint", "search", {"other": "use"}, {"other": "manage"}),
        ("endpoint.share", "my-endpoint", "search", None, {"_everyone": "use"}),
        ("endpoint.unshare", "my-endpoint", "search", {"other": "manage"}, None),
        ("endpoint.unshare", "my-endpoint", "search", {"_everyone": "use"}, None),
    ]


@pytest.mark.parametrize("body", [{}, {"level": "own"}, {"level": 1}, {"level": "use", "team": 1}])
def test_a_share_without_a_level_is_refused(boss: Api, other: Team, body: Any) -> None:
    assert boss("PUT", f"{SHARES}/other", body).status_code == 400
    assert not EndpointShare.objects.exists()


def test_a_team_is_shared_with_by_its_name_and_never_listed(boss: Api, other: Team) -> None:
    assert [team["name"] for team in told(boss("GET", "/_console/teams"))["teams"]] == ["search"]
    assert refused(boss("GET", "/_console/teams/other"))[0] == 404
    assert refused(boss("PUT", f"{SHARES}/nobody", {"level": "use"}))[0] == 404
    assert boss("PUT", f"{SHARES}/other", {"level": "use"}).status_code == 200


@pytest.mark.usefixtures("boss", "other")
@pytest.mark.parametrize("role", [TeamRole.INFERENCE_USER, TeamRole.INFERENCE_ADMIN])
def test_only_an_administrator_of_the_team_shares(search: Team, role: TeamRole) -> None:
    api = member(search, role)

    assert told(api("GET", SHARES))["shares"] == []
    for method, path, body in (
        ("PUT", f"{SHARES}/other", {"level": "use"}),
        ("PUT", f"{SHARES}/nobody", {"level": "use"}),  # who may not share learns no names
        ("DELETE", f"{SHARES}/other", None),
        ("POST", MOVE, {"team": "other"}),
    ):
        answer = api(method, path, body)
        assert refused(answer) == (403, "security_exception")
        assert "its administrators are [boss]" in told(answer)["error"]["reason"]
    assert not EndpointShare.objects.exists()


@pytest.mark.parametrize("level", list(ShareLevel))
def test_who_it_is_shared_with_neither_shares_nor_moves_it(
    endpoint: Endpoint, other: Team, level: ShareLevel
) -> None:
    api = member(other, TeamRole.TEAM_ADMIN)
    for method, path, body in (
        ("GET", SHARES, None),
        ("GET", f"{SHARES}/other", None),
        ("PUT", f"{SHARES}/other", {"level": "manage"}),
        ("DELETE", f"{SHARES}/other", None),
        ("POST", MOVE, {"team": "other"}),
    ):
        assert refused(api(method, path, body)) == (404, "resource_not_found_exception")
        share = sharing.share(endpoint, other, level)
        assert refused(api(method, path, body)) == (403, "security_exception")
        share.delete()


def test_what_is_everybodys_or_the_teams_own_needs_no_share(api: Api, endpoint: Endpoint) -> None:
    ensure_preconfigured()
    own = api("PUT", f"{SHARES}/search", {"level": "use"})
    assert refused(own) == (400, "illegal_argument_exception")
    for path in ("shares/_everyone", "shares/search"):
        answer = api(
            "PUT", f"/_console/endpoints/.rerank-v1-elasticsearch/{path}", {"level": "use"}
        )
        assert refused(answer) == (400, "illegal_argument_exception")


def test_an_endpoint_goes_to_another_team_of_its_administrator(boss: Api, other: Team) -> None:
    teams.put_member(other, User.objects.get(username="boss"), TeamRole.INFERENCE_ADMIN)
    theirs = member(other, TeamRole.INFERENCE_ADMIN)
    boss("PUT", f"{SHARES}/other", {"level": "use"})
    boss("PUT", f"{SHARES}/_everyone", {"level": "use"})

    assert told(boss("POST", MOVE, {"team": "other"})) == {"acknowledged": True, "team": "other"}

    assert told(theirs("GET", SHARES)) == {
        "owner": "other",
        "count": 1,
        "shares": [{"team": "_everyone", "level": "use"}],
    }
    assert theirs("DELETE", CALL).status_code == 200
    move = ("endpoint.move", "my-endpoint", "other", {"team": "search"}, {"team": "other"})
    assert move in entries()


def test_an_endpoint_goes_to_no_team_that_did_not_ask_for_it(
    boss: Api, other: Team, endpoint: Endpoint
) -> None:
    """Else anybody could have others pay for it, or answer for it."""
    for name in ("other", "nobody"):
        assert refused(boss("POST", MOVE, {"team": name})) == (404, "resource_not_found_exception")
    teams.put_member(other, User.objects.get(username="boss"), TeamRole.INFERENCE_USER)
    assert refused(boss("POST", MOVE, {"team": "other"})) == (403, "security_exception")
    endpoint.refresh_from_db()
    assert endpoint.team == Team.objects.get(name="search")


@pytest.mark.usefixtures("endpoint", "other")
def test_the_administrator_of_the_site_moves_what_there_is(api: Api) -> None:
    assert api("POST", MOVE, {"team": "other"}).status_code == 200
    assert api("POST", MOVE, {"team": "other"}).status_code == 200
    assert len(entries()) == 1
    ensure_preconfigured()
    always_there = "/_console/endpoints/.rerank-v1-elasticsearch/_move"
    assert refused(api("POST", always_there, {"team": "other"}))[0] == 400


@pytest.mark.usefixtures("endpoint")
def test_an_endpoint_does_not_go_without_its_model(api: Api, search: Team, other: Team) -> None:
    TrainedModel.objects.update(team=search)

    answer = api("POST", MOVE, {"team": "other"})

    assert refused(answer) == (409, "status_exception")
    assert "which team [other] does not have" in told(answer)["error"]["reason"]


def test_of_two_who_move_it_one_is_told(search: Team, other: Team, endpoint: Endpoint) -> None:
    third = teams.create_team("third")
    stale = Endpoint.objects.get(pk=endpoint.pk)
    sharing.move_endpoint(endpoint, other)

    with pytest.raises(Conflict, match="changed by somebody else"):
        sharing.move_endpoint(stale, third)


def test_the_share_of_a_team_ends_with_it(api: Api, endpoint: Endpoint, other: Team) -> None:
    sharing.share(endpoint, other, ShareLevel.USE)

    assert api("DELETE", "/_console/teams/other").status_code == 200
    assert not EndpointShare.objects.exists()
