"""What keys of teams can do, what narrowed ones see, and how often limited ones call."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone
from elasticsearch import ApiError, Elasticsearch
from pytest_django.live_server_helper import LiveServer

from endpoints import key_limits, key_use, keys, teams
from endpoints.models import ApiKey, AuditEntry, Endpoint, Team, TeamRole, User
from inference.errors import InvalidArgument
from inference.upstream.limiting import MemoryTurns
from tests.endpoints.conftest import Api, refused, told
from tests.endpoints.having_keys import KEYS, call, change, made, made_here, member, shown, using
from tests.factories import PASSWORD, make_admin, make_endpoint, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]

PATH = "/_inference/text_embedding/my-endpoint"
FORBIDDEN = (403, "security_exception")
UNKNOWN = (404, "resource_not_found_exception")
BAD_ARGUMENT = (400, "illegal_argument_exception")


@pytest.fixture
def search() -> Team:
    return teams.create_team("search")


@pytest.fixture
def other() -> Team:
    return teams.create_team("other")


@pytest.fixture
def endpoint(search: Team) -> Endpoint:
    """An endpoint of the team [search]."""
    made = make_endpoint()
    Endpoint.objects.filter(pk=made.pk).update(team=search)
    return made


# --- whose a key is, and where it works


def test_a_member_makes_a_key_for_the_team_they_are_in(search: Team) -> None:
    key = made(member(search, TeamRole.INFERENCE_USER, "bob"))

    stored = ApiKey.objects.get(key_id=key["id"])
    assert (stored.user.username, stored.team) == ("bob", search)
    assert stored.made_by == stored.user


def test_who_is_in_several_teams_says_which(search: Team, other: Team) -> None:
    bob = member(search, TeamRole.INFERENCE_USER, "bob")
    teams.put_member(other, User.objects.get(username="bob"), TeamRole.INFERENCE_USER)

    assert refused(bob("POST", KEYS, {"name": "k"})) == BAD_ARGUMENT
    assert refused(bob("POST", f"{KEYS}?team=nobody", {"name": "k"})) == UNKNOWN
    assert bob("POST", f"{KEYS}?team=other", {"name": "k"}).status_code == 200
    made_here(bob, team="search")
    assert sorted(key.team.name for key in ApiKey.objects.all() if key.team) == ["other", "search"]
    both = {"name": "k", "metadata": {"console": {"team": "search"}}}
    assert refused(bob("POST", f"{KEYS}?team=other", both)) == BAD_ARGUMENT


def test_nobody_makes_a_key_for_a_team_that_is_not_theirs(search: Team, other: Team) -> None:
    boss = member(search, TeamRole.TEAM_ADMIN, "boss")

    assert refused(boss("POST", f"{KEYS}?team=other", {"name": "k"})) == UNKNOWN
    assert not ApiKey.objects.exists()


@pytest.mark.usefixtures("endpoint")
def test_a_key_of_a_team_works_in_no_other(api: Api, search: Team, other: Team) -> None:
    assert call(using(made_here(api, team="search"))) == 200
    assert call(using(made_here(api, team="other"))) == 404
    everywhere = made(api)
    assert ApiKey.objects.get(key_id=everywhere["id"]).team is None
    assert call(using(everywhere)) == 200


@pytest.mark.usefixtures("endpoint")
def test_a_key_of_a_team_falls_with_the_role_of_its_owner(search: Team) -> None:
    bob = member(search, TeamRole.INFERENCE_ADMIN, "bob")
    key = using(made(bob))
    assert (call(key), change(key)) == (200, 200)

    owner = User.objects.get(username="bob")
    teams.put_member(search, owner, TeamRole.INFERENCE_USER)

    assert (call(key), change(key)) == (200, 403)
    teams.remove_member(search, owner)
    assert call(key) == 401


@pytest.mark.usefixtures("endpoint")
def test_a_key_of_a_team_does_not_rise_with_its_owner(search: Team) -> None:
    bob = member(search, TeamRole.INFERENCE_USER, "bob")
    key = using(made(bob, role_descriptors={"r": {"cluster": ["all"]}}))

    teams.put_member(search, User.objects.get(username="bob"), TeamRole.TEAM_ADMIN)

    assert (call(key), change(key)) == (200, 403)


# --- whose keys somebody sees


def test_a_member_sees_their_keys_and_an_administrator_those_of_the_team(
    api: Api, search: Team, other: Team
) -> None:
    bob = member(search, TeamRole.INFERENCE_USER, "bob")
    boss = member(search, TeamRole.TEAM_ADMIN, "boss")
    foreign = member(other, TeamRole.TEAM_ADMIN, "foreign")
    bobs, sites = made(bob, name="bobs"), made(api, name="sites")

    def listed(call: Api, query: str = "") -> Any:
        answer = call("GET", f"{KEYS}{query}")
        if answer.status_code != 200:
            return answer.status_code
        return [key["name"] for key in told(answer)["api_keys"]]

    assert listed(bob) == 403
    assert listed(bob, "?owner=true") == listed(boss) == ["bobs"]
    assert listed(api) == ["bobs", "sites"]
    assert listed(api, "?team=search") == ["bobs"]
    assert listed(api, "?team=other") == listed(api, "?team=a%00b") == []
    assert listed(foreign) == []
    for stranger, key in ((foreign, bobs), (boss, sites)):
        by_id = f"?id={key['id']}"
        assert told(stranger("GET", f"{KEYS}{by_id}")) == {"api_keys": []}
        assert refused(stranger("GET", f"/_console/api_keys/{key['id']}")) == UNKNOWN
        assert stranger("DELETE", KEYS, {"ids": [key["id"]]}).status_code == 404
    assert [key["name"] for key in told(bob("GET", "/_console/api_keys"))["api_keys"]] == ["bobs"]
    assert using(bobs)("GET", "/").status_code == 200


def test_an_administrator_revokes_a_key_of_the_team_and_it_is_written_down(search: Team) -> None:
    bob = member(search, TeamRole.INFERENCE_USER, "bob")
    boss = member(search, TeamRole.TEAM_ADMIN, "boss")
    key = made(bob)

    assert boss("DELETE", KEYS, {"ids": [key["id"]]}).status_code == 200

    assert using(key)("GET", "/").status_code == 401
    verbs = AuditEntry.objects.filter(subject=key["id"]).values_list("verb", "team_name")
    assert set(verbs) == {("key.create", "search"), ("key.revoke", "search")}
    assert key["api_key"] not in str(list(AuditEntry.objects.values()))


@pytest.mark.usefixtures("endpoint")
def test_a_revocation_elsewhere_holds_from_the_next_call_on(api: Api) -> None:
    """Every call reads the row of its key: what any process wrote there holds at once."""
    key = using(made(api))
    assert call(key) == 200

    with connection.cursor() as cursor:
        cursor.execute("UPDATE endpoints_apikey SET invalidated_at = %s", [timezone.now()])

    assert call(key) == 401


def test_many_keys_are_listed_with_as_many_queries_as_one(
    api: Api, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        api("POST", f"/_console/api_keys/{made(api)['id']}/_rotate")
    api("GET", "/_console/api_keys")

    with django_assert_num_queries(1):
        listed = told(api("GET", "/_console/api_keys"))["api_keys"]
    assert sum("replaced_by" in key for key in listed) == 3


# --- how often


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Moves the time of the limits."""
    now = {"s": 1000.0}
    turns = MemoryTurns(lambda: now["s"])
    monkeypatch.setattr(key_limits, "turns", lambda: turns)
    return now


@pytest.mark.usefixtures("endpoint")
def test_who_calls_too_often_is_told_when_to_come_again(api: Api, clock: dict[str, float]) -> None:
    key = using(made_here(api, requests_per_minute=12))  # two at once, then one in five seconds
    assert [call(key) for _ in range(2)] == [200, 200]

    answer = key("POST", PATH, b"no JSON at all, which nobody reads")

    assert refused(answer) == (429, "es_rejected_execution_exception")
    assert answer["Retry-After"] == "5"
    clock["s"] += 4.9
    assert call(key) == 429
    clock["s"] += 0.2
    assert call(key) == 200


@pytest.mark.usefixtures("endpoint")
def test_a_limit_is_that_of_one_key(api: Api, clock: dict[str, float]) -> None:
    limited = [using(made_here(api, requests_per_minute=1)) for _ in range(2)]

    assert [call(key) for key in limited] == [200, 200]
    assert [call(key) for key in limited] == [429, 429]
    free = using(made(api))
    assert [call(free) for _ in range(50)] == [200] * 50


def test_limits_are_not_looked_at_for_a_wrong_secret(api: Api, clock: dict[str, float]) -> None:
    key = made_here(api, requests_per_minute=1)
    wrong = using(key | {"encoded": "bm9ib2R5Omd1ZXNz"})

    assert [wrong("GET", "/").status_code for _ in range(5)] == [401] * 5
    assert using(key)("GET", "/").status_code == 200


# --- when it was last used


def test_the_last_use_is_written_off_the_way(
    api: Api, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = made(api)
    using(key)("GET", "/")
    assert "last_used" not in shown(api, key)

    with django_assert_num_queries(0):
        using(key)("GET", "/")
    monkeypatch.setattr(key_use, "time", lambda: 1_800_000_000.0)
    using(key)("GET", "/")
    key_use.last_uses.flush()

    told = shown(api, key)
    assert (told["last_used"], told["last_used_from"]) == (1_800_000_000_000, "127.0.0.1")
    assert told["made_by"] == "elastic"


def test_an_older_use_does_not_hide_a_newer_one(api: Api) -> None:
    key = ApiKey.objects.get(key_id=made(api)["id"])

    key_use.write({key.pk: (2_000_000_000.0, "10.0.0.1")})
    key_use.write({key.pk: (1_000_000_000.0, "10.0.0.2"), key.pk + 1: (1.0, "gone")})

    key.refresh_from_db()
    assert key.last_used_from == "10.0.0.1"


def test_uses_wait_for_a_database_that_fails(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key = made(api)
    using(key)("GET", "/")

    def fails(uses: object) -> None:
        raise OperationalError("locked")

    with monkeypatch.context() as broken:
        broken.setattr(key_use, "write", fails)
        with pytest.raises(OperationalError):
            key_use.last_uses.flush()
    key_use.last_uses.flush()

    assert shown(api, key)["last_used_from"] == "127.0.0.1"


def test_a_use_is_at_most_a_minute_late() -> None:
    assert key_use.INTERVAL_S < 60


def test_the_shell_makes_a_key_for_a_team(search: Team, other: Team) -> None:
    member(search, TeamRole.INFERENCE_USER, "bob")
    teams.put_member(other, User.objects.get(username="bob"), TeamRole.INFERENCE_USER)
    printed = StringIO()

    with pytest.raises(CommandError, match=r"\[other, search\]"):
        call_command("issue_key", "bob", "--name=k")
    call_command("issue_key", "bob", "--name=k", "--team=search", "--json", stdout=printed)

    encoded = json.loads(printed.getvalue())["encoded"]
    assert Api(f"ApiKey {encoded}")("GET", "/_inference").status_code == 200
    assert ApiKey.objects.get().team == search


def test_a_person_without_any_right_gets_a_key_that_has_none(api: Api) -> None:
    key, _ = keys.create_api_key(make_user("idle"), "k")

    assert (key.team, key.limited_by) == (None, {})
    with pytest.raises(InvalidArgument, match="tasks"):
        keys.Narrowing(tasks=("x",)).check()


# --- the real client


def test_the_client_makes_keys_of_a_team_and_hears_of_their_limits(
    transactional_db: None, live_server: LiveServer
) -> None:
    teams.create_team("search")
    make_admin()
    console = {"team": "search", "tasks": ["rerank"], "requests_per_minute": 1}
    with Elasticsearch(live_server.url, basic_auth=("elastic", PASSWORD)) as client:
        made = client.security.create_api_key(name="k", metadata={"a": 1, "console": console})
        (found,) = client.security.get_api_key(id=made["id"])["api_keys"]
        assert found["metadata"] == {"a": 1, "console": console}
    with Elasticsearch(live_server.url, api_key=made["encoded"], max_retries=0) as client:
        assert client.security.authenticate()["username"] == "elastic"
        with pytest.raises(ApiError) as refusal:
            client.inference.get()
    assert refusal.value.status_code == 429
    assert refusal.value.meta.headers["retry-after"] == "60"
