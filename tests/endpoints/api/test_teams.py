"""Teams and their members, by the API."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import PROTECT

from endpoints import accounts, teams
from endpoints.models import (
    ApiKey,
    AuditEntry,
    Endpoint,
    EndpointTombstone,
    Membership,
    Team,
    TeamRole,
    User,
)
from endpoints.teams import HELD
from inference.errors import Conflict
from tests.endpoints.conftest import PASSWORD, Api, basic, member, refused, told
from tests.factories import (
    make_added_model,
    make_cluster,
    make_deployment,
    make_endpoint,
    make_user,
)

TEAMS = "/_console/teams"
SEARCH = f"{TEAMS}/search"
MEMBERS = f"{SEARCH}/members"


def entries() -> list[tuple[str, str, str, Any, Any]]:
    """What was written down, the oldest first."""
    rows = AuditEntry.objects.exclude(verb="person.create").order_by("number")
    return [(one.verb, one.subject, one.team_name, one.before, one.after) for one in rows]


def test_a_team_is_created_described_and_deleted(api: Api) -> None:
    made = told(api("PUT", SEARCH, {"description": "All about search."}))

    nothing = dict.fromkeys(HELD, 0)
    assert made == {
        "name": "search",
        "description": "All about search.",
        "members": 0,
        "created_at": made["created_at"],
        "holds": nothing,
    }
    assert told(api("GET", SEARCH)) == made
    del made["holds"]
    assert made in told(api("GET", TEAMS))["teams"]

    assert told(api("PUT", SEARCH, {"description": "Other."}))["description"] == "Other."
    assert told(api("PUT", SEARCH))["description"] == "Other."

    assert told(api("DELETE", SEARCH)) == {"acknowledged": True}
    assert refused(api("GET", SEARCH)) == (404, "resource_not_found_exception")
    assert entries() == [
        ("team.create", "search", "search", None, {"description": "All about search."}),
        (
            "team.update",
            "search",
            "search",
            {"description": "All about search."},
            {"description": "Other."},
        ),
        ("team.delete", "search", "", {"description": "Other.", "members": {}}, None),
    ]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Search", "must be lowercase"),
        ("_search", "must not start with '_', '-', or '+'"),
        ("a%20b", "must not contain the following characters"),
        ("a:b", "must not contain ':'"),
        ("a%00b", "must not contain the following characters"),
        ("a" * 65, "must not be longer than 64 characters"),
        ("a%0Ab", "must not contain the following characters"),
    ],
)
def test_a_team_is_called_by_the_rules_for_an_index(api: Api, name: str, problem: str) -> None:
    answer = api("PUT", f"{TEAMS}/{name}", {})

    assert refused(answer) == (400, "illegal_argument_exception")
    assert problem in told(answer)["error"]["reason"]
    assert not Team.objects.filter(name__startswith="a").exists()


@pytest.mark.parametrize(
    "body", [{"name": "x"}, {"description": 1}, {"pk": 1}, [], {"description": "a" * 1001}]
)
def test_a_body_that_says_something_else_changes_nothing(api: Api, search: Team, body: Any) -> None:
    assert api("PUT", SEARCH, body).status_code == 400
    search.refresh_from_db()
    assert search.description == ""


def test_a_member_sees_the_team_and_who_is_in_it(search: Team) -> None:
    member(search, TeamRole.TEAM_ADMIN, "boss")
    api = member(search, TeamRole.INFERENCE_USER, "plain")

    listed = told(api("GET", MEMBERS))

    assert [(one["username"], one["role"]) for one in listed["members"]] == [
        ("boss", "team_admin"),
        ("plain", "inference_user"),
    ]
    assert told(api("GET", SEARCH))["role"] == "inference_user"


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("role", list(TeamRole))
def test_other_teams_do_not_exist(search: Team, role: TeamRole) -> None:
    api = member(search, role)
    there, nowhere = f"{TEAMS}/other", f"{TEAMS}/nowhere"

    assert [team["name"] for team in told(api("GET", TEAMS))["teams"]] == ["search"]
    for method, tail, body in (
        ("GET", "", None),
        ("PUT", "", {"description": "x"}),
        ("DELETE", "", None),
        ("GET", "/members", None),
        ("PUT", "/members/elastic", {"role": "inference_user"}),
        ("DELETE", "/members/elastic", None),
    ):
        answers = [api(method, f"{path}{tail}", body) for path in (there, nowhere)]
        assert refused(answers[0])[0] in (403, 404)
        seen, unseen = (answer.content.decode() for answer in answers)
        assert seen.replace("other", "nowhere") == unseen


@pytest.mark.django_db
def test_who_is_in_no_team_sees_none(search: Team) -> None:
    make_user("nobody")
    api = Api(basic("nobody", PASSWORD))

    for path in (TEAMS, SEARCH, f"{TEAMS}/nowhere", MEMBERS):
        assert refused(api("GET", path)) == (403, "security_exception")


@pytest.mark.parametrize("role", [TeamRole.INFERENCE_USER, TeamRole.INFERENCE_ADMIN])
def test_only_an_administrator_says_who_is_in_the_team(search: Team, role: TeamRole) -> None:
    member(search, TeamRole.TEAM_ADMIN, "boss")
    api = member(search, role, "plain")
    make_user("new")

    for method, tail, body in (
        ("PUT", "/members/new", {"role": "inference_user"}),
        ("PUT", "/members/plain", {"role": "team_admin"}),
        ("DELETE", "/members/boss", None),
        ("PUT", "", {"description": "x"}),
    ):
        answer = api(method, f"{SEARCH}{tail}", body)
        assert refused(answer) == (403, "security_exception")
        assert "its administrators are [boss]" in told(answer)["error"]["reason"]
    assert teams.roles_in(search) == {"boss": "team_admin", "plain": role}


def test_an_administrator_of_a_team_adds_changes_and_removes_members(search: Team) -> None:
    api = member(search, TeamRole.TEAM_ADMIN, "boss")
    make_user("new")

    added = told(api("PUT", f"{MEMBERS}/new", {"role": "inference_user"}))
    assert (added["username"], added["role"]) == ("new", "inference_user")
    assert told(api("PUT", f"{MEMBERS}/new", {"role": "team_admin"}))["role"] == "team_admin"
    assert told(api("DELETE", f"{MEMBERS}/new")) == {"acknowledged": True}
    assert refused(api("DELETE", f"{MEMBERS}/new"))[0] == 404
    assert teams.roles_in(search) == {"boss": "team_admin"}
    user, admin = {"role": "inference_user"}, {"role": "team_admin"}
    assert entries()[-3:] == [
        ("member.put", "new", "search", None, user),
        ("member.put", "new", "search", user, admin),
        ("member.remove", "new", "search", admin, None),
    ]


def test_the_same_role_again_leaves_no_entry(api: Api, search: Team) -> None:
    make_user("new")
    for _ in range(2):
        api("PUT", f"{MEMBERS}/new", {"role": "inference_user"})

    assert [verb for verb, *_ in entries()].count("member.put") == 1


@pytest.mark.parametrize("role", ["superuser", "machine_learning_admin", "", "TEAM_ADMIN", None])
def test_a_team_gives_no_role_but_its_own(search: Team, role: Any) -> None:
    api = member(search, TeamRole.TEAM_ADMIN, "boss")

    make_user("new")
    for name in ("boss", "new"):
        assert api("PUT", f"{MEMBERS}/{name}", {"role": role}).status_code == 400
    more = {"role": "team_admin", "roles": ["superuser"], "is_superuser": True}
    assert api("PUT", f"{MEMBERS}/boss", more).status_code == 400
    assert teams.roles_in(search) == {"boss": "team_admin"}
    boss = User.objects.get(username="boss")
    assert (boss.roles, boss.is_superuser) == ([], False)


def test_an_administrator_of_a_team_is_none_of_the_site(search: Team) -> None:
    api = member(search, TeamRole.TEAM_ADMIN, "boss")

    assert refused(api("PUT", f"{TEAMS}/mine", {})) == (403, "security_exception")
    answer = api("DELETE", SEARCH)
    assert refused(answer) == (403, "security_exception")
    assert "[manage_security,all]" in told(answer)["error"]["reason"]


def test_who_is_not_there_cannot_be_added(search: Team) -> None:
    api = member(search, TeamRole.TEAM_ADMIN, "boss")
    gone = make_user("gone")
    gone.is_active = False
    gone.save()

    reasons = set()
    for name in ("gone", "nobody", "a%00b"):
        answer = api("PUT", f"{MEMBERS}/{name}", {"role": "inference_user"})
        assert refused(answer) == (404, "resource_not_found_exception")
        reasons.add(told(answer)["error"]["reason"].partition(" [")[0])
    assert reasons == {"There is no user"}


def test_anybody_leaves_a_team_by_themselves(search: Team) -> None:
    member(search, TeamRole.TEAM_ADMIN, "boss")
    api = member(search, TeamRole.INFERENCE_USER, "leaver")

    assert told(api("DELETE", f"{MEMBERS}/leaver")) == {"acknowledged": True}
    assert api("GET", SEARCH).status_code == 403
    assert teams.roles_in(search) == {"boss": "team_admin"}


def key_of(team: Team, owner: str, *privileges: str) -> Api:
    user = User.objects.get(username=owner)
    key, secret = ApiKey.issue(
        user,
        "k",
        limited_by={"r": {"cluster": list(privileges), "indices": []}},
        role_descriptors={},
        metadata={},
        expires_at=None,
    )
    ApiKey.objects.filter(pk=key.pk).update(team=team)
    return Api(basic(key.key_id, secret).replace("Basic", "ApiKey"))


def test_a_key_takes_nobody_out_of_a_team(search: Team) -> None:
    member(search, TeamRole.INFERENCE_USER, "owner")
    api = key_of(search, "owner", "monitor_inference", "cluster:monitor/console/*")

    assert refused(api("DELETE", f"{MEMBERS}/owner")) == (403, "security_exception")
    assert teams.roles_in(search) == {"owner": "inference_user"}


def test_the_last_administrator_stays(search: Team) -> None:
    api = member(search, TeamRole.TEAM_ADMIN, "boss")

    assert refused(api("DELETE", f"{MEMBERS}/boss")) == (409, "status_exception")
    lower = {"role": "inference_user"}
    assert refused(api("PUT", f"{MEMBERS}/boss", lower)) == (409, "status_exception")


def test_an_administrator_who_was_deactivated_counts_for_nothing(search: Team) -> None:
    member(search, TeamRole.TEAM_ADMIN, "gone")
    User.objects.update(is_active=False)
    api = member(search, TeamRole.TEAM_ADMIN, "boss")

    assert refused(api("DELETE", f"{MEMBERS}/boss")) == (409, "status_exception")
    assert told(api("DELETE", f"{MEMBERS}/gone")) == {"acknowledged": True}


@pytest.fixture
def full(search: Team, endpoint: Endpoint) -> Team:
    """A team with one thing of each kind."""
    make_cluster("prod", team=search)
    model = make_added_model("my-e5")
    model.team = search
    model.save()
    make_deployment("lone", team=search)
    member(search, TeamRole.TEAM_ADMIN, "boss")
    key_of(search, "boss", "monitor_inference")
    return search


def test_a_team_that_has_something_stays_and_the_refusal_says_what(api: Api, full: Team) -> None:
    ended = ApiKey.objects.create(key_id="old", user=User.objects.get(username="boss"), team=full)
    ApiKey.objects.filter(pk=ended.pk).update(invalidated_at=ended.created_at)

    answer = api("DELETE", SEARCH)

    assert refused(answer) == (409, "status_exception")
    holds = {
        "endpoints": ["my-endpoint"],
        "models": ["my-e5"],
        "deployments": ["lone"],
        "clusters": ["prod"],
        "api_keys": ["k"],
    }
    error = told(answer)["error"]
    assert error["holds"] == holds
    assert (
        "endpoints [my-endpoint]; models [my-e5]; deployments [lone]; clusters [prod]"
        in error["reason"]
    )
    assert told(api("GET", SEARCH))["holds"] == dict.fromkeys(HELD, 1)


@pytest.mark.usefixtures("full")
def test_what_a_team_has_can_go_to_another(api: Api, other: Team) -> None:
    assert told(api("DELETE", f"{SEARCH}?move_to=other")) == {"acknowledged": True}

    assert teams.counts_of(other) == dict.fromkeys(HELD, 1)
    assert not Team.objects.filter(name="search").exists()
    assert not Membership.objects.exists()
    *moved, last = entries()[-6:]
    key_id = ApiKey.objects.get().key_id
    things = [
        ("endpoint", "my-endpoint"),
        ("model", "my-e5"),
        ("deployment", "lone"),
        ("cluster", "prod"),
        ("key", key_id),
    ]
    assert moved == [
        (f"{kind}.move", name, "other", {"team": "search"}, {"team": "other"})
        for kind, name in things
    ]
    assert last == (
        "team.delete",
        "search",
        "",
        {"description": "", "members": {"boss": "team_admin"}},
        {"moved_to": "other"},
    )


def test_what_is_left_of_deleted_endpoints_goes_along(api: Api, full: Team, other: Team) -> None:
    gone = make_endpoint("gone")
    Endpoint.objects.filter(pk=gone.pk).update(team=full)
    assert api("DELETE", "/_inference/gone?force").status_code == 200

    api("DELETE", f"{SEARCH}?move_to=other")

    assert EndpointTombstone.objects.get().team == other


def test_keys_end_with_a_membership_and_each_tells_so(api: Api, search: Team) -> None:
    member(search, TeamRole.INFERENCE_USER, "new")
    for _ in range(2):
        key_of(search, "new", "monitor_inference")

    api("DELETE", f"{MEMBERS}/new")

    keys = [one.key_id for one in ApiKey.objects.all()]
    told_of = [(verb, subject, team) for verb, subject, team, *_ in entries()[-3:]]
    assert told_of == [
        *(("key.revoke", key_id, "search") for key_id in keys),
        ("member.remove", "new", "search"),
    ]


@pytest.mark.usefixtures("full", "other")
@pytest.mark.parametrize(("name", "status"), [("search", 400), ("nowhere", 404), ("", 404)])
def test_what_can_go_nowhere_stays(api: Api, name: str, status: int) -> None:
    assert api("DELETE", f"{SEARCH}?move_to={name}").status_code == status
    assert Endpoint.objects.get().team == Team.objects.get(name="search")


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("query", ["", "?move_to=other"])
def test_a_team_goes_after_its_service_accounts(
    api: Api, admin: User, search: Team, query: str
) -> None:
    accounts.create_account(admin, "robot", "inference_user", team="search")

    answer = api("DELETE", f"{SEARCH}{query}")

    assert answer.status_code == 409
    assert told(answer)["error"]["holds"] == {"service_accounts": ["search/robot"]}
    assert Team.objects.filter(name="search").exists()


def test_everything_that_keeps_a_team_is_known() -> None:
    """Add a new record that belongs to a team to HELD, with the column that names it."""
    keeping = {
        relation.get_accessor_name()
        for relation in Team._meta.related_objects
        if relation.on_delete is PROTECT
    }

    assert keeping <= set(HELD)


def patiently(change: Callable[[], object]) -> None:
    """SQLite in memory, as tests have it, refuses a second writer at once; a file makes it wait."""
    for _ in range(10_000):
        with suppress(OperationalError):
            change()
            return
        threading.Event().wait(0.001)
    raise AssertionError("the other writer never ends")


@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_who_demote_each_other_at_once_one_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each waits behind the look at who is left, where the other must not be before it is done."""
    team = teams.create_team("pair")
    pair = [make_user(name) for name in ("a", "b")]
    for user in pair:
        teams.put_member(team, user, TeamRole.TEAM_ADMIN)
    both_looked, look = threading.Barrier(2), teams.check_keeps_administrator
    looked_at_once: list[User] = []

    def look_and_wait(team: Team, without: User) -> None:
        look(team, without)
        with suppress(threading.BrokenBarrierError):
            both_looked.wait(0.2)
            looked_at_once.append(without)

    monkeypatch.setattr(teams, "check_keeps_administrator", look_and_wait)
    both_are_here = threading.Barrier(2)
    refusals: list[str] = []

    def demote(user: User) -> None:
        try:
            both_are_here.wait(10)
            patiently(lambda: teams.put_member(team, user, TeamRole.INFERENCE_USER))
        except Conflict as exc:
            refusals.append(str(exc))
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=(user,)) for user in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert looked_at_once == []
    assert len(refusals) == 1
    assert "last administrator of team [pair]" in refusals[0]
    assert sorted(teams.roles_in(team).values()) == ["inference_user", "team_admin"]


def test_a_team_is_asked_for_in_as_many_queries_as_ever(
    api: Api, search: Team, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        teams.put_member(search, make_user(f"u{number}"), TeamRole.INFERENCE_USER)
        teams.create_team(f"t{number}")

    api("GET", "/")  # the first password is looked at more closely
    with django_assert_max_num_queries(5):  # who calls, the teams, members, endpoints, roles
        api("GET", TEAMS)
    with django_assert_max_num_queries(3):  # who calls, the team, its members
        api("GET", MEMBERS)
