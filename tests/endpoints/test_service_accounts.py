"""Accounts of programs: only keys act for them, and only in their team."""

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError

from endpoints import keys, people, teams
from endpoints.accounts import create_account
from endpoints.models import ApiKey, AuditEntry, Endpoint, Team, TeamRole, User
from inference.errors import InvalidArgument, NotFound
from tests.endpoints.conftest import Api, basic, refused, told
from tests.endpoints.having_keys import KEYS, call, change, made_here, member, using
from tests.factories import PASSWORD, make_endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]

PATH = "/_console/service_accounts/search/robot"
FORBIDDEN = (403, "security_exception")
UNKNOWN = (404, "resource_not_found_exception")
BAD_ARGUMENT = (400, "illegal_argument_exception")
ROBOT = {
    "username": "search/robot",
    "team": "search",
    "role": "inference_user",
    "description": "",
    "enabled": True,
}


@pytest.fixture
def search() -> Team:
    return teams.create_team("search")


@pytest.fixture
def boss(search: Team) -> Api:
    return member(search, TeamRole.TEAM_ADMIN, "boss")


@pytest.fixture
def robot(boss: Api) -> User:
    assert boss("PUT", PATH, {"role": "inference_user"}).status_code == 200
    return User.objects.get(username="search/robot")


@pytest.fixture
def endpoint(search: Team) -> Endpoint:
    made = make_endpoint()
    Endpoint.objects.filter(pk=made.pk).update(team=search)
    return made


def key_of_robot(api: Api) -> Api:
    return using(made_here(api, service_account="search/robot"))


def test_an_administrator_of_the_team_makes_changes_and_deletes_one(boss: Api) -> None:
    assert told(boss("PUT", PATH, {"role": "inference_user"})) == ROBOT
    told_of = {"role": "inference_admin", "description": "Deploys."}
    assert told(boss("PUT", PATH, told_of)) == ROBOT | told_of
    assert told(boss("PUT", PATH, {"role": "inference_user"})) == ROBOT | {
        "description": "Deploys."
    }
    assert told(boss("GET", PATH))["username"] == "search/robot"
    listed = told(boss("GET", "/_console/service_accounts?team=search"))["service_accounts"]
    assert [one["username"] for one in listed] == ["search/robot"]

    assert told(boss("DELETE", PATH)) == {"acknowledged": True}

    assert refused(boss("GET", PATH)) == UNKNOWN
    verbs = AuditEntry.objects.filter(subject="search/robot").values_list("verb", flat=True)
    assert sorted(verbs) == ["account.create", "account.delete", *["account.update"] * 2]


@pytest.mark.parametrize(
    ("name", "role"),
    [("robot", "team_admin"), ("robot", "superuser"), ("Robot", "inference_user"), ("_r", "x")],
)
def test_a_name_or_a_role_that_cannot_be_is_refused(boss: Api, name: str, role: str) -> None:
    answer = boss("PUT", f"/_console/service_accounts/search/{name}", {"role": role})

    assert refused(answer) == BAD_ARGUMENT
    assert not User.objects.exclude(service_team=None).exists()


@pytest.mark.usefixtures("robot")
def test_who_does_not_administer_the_team_makes_and_uses_none(search: Team) -> None:
    manager = member(search, TeamRole.INFERENCE_ADMIN, "manager")
    foreign = member(teams.create_team("other"), TeamRole.TEAM_ADMIN, "foreign")
    asked = {"name": "k", "metadata": {"console": {"service_account": "search/robot"}}}
    new = "/_console/service_accounts/search/new"

    assert manager("GET", PATH).status_code == 200
    for api, refusal in ((manager, FORBIDDEN), (foreign, UNKNOWN)):
        assert refused(api("PUT", new, {"role": "inference_user"})) == refusal
        assert refused(api("PUT", PATH, {"role": "inference_admin"})) == refusal
        assert refused(api("DELETE", PATH)) == refusal
        assert refused(api("POST", KEYS, asked)) == refusal
    assert refused(foreign("GET", PATH)) == UNKNOWN
    strange = "/_console/service_accounts?team=a%00b"
    assert told(manager("GET", strange)) == {"service_accounts": []}
    assert told(foreign("GET", "/_console/service_accounts")) == {"service_accounts": []}
    assert not ApiKey.objects.exists()


@pytest.mark.usefixtures("endpoint", "robot")
def test_its_key_does_what_its_role_allows_now(boss: Api) -> None:
    key = key_of_robot(boss)
    assert (call(key), change(key)) == (200, 403)

    boss("PUT", PATH, {"role": "inference_admin"})
    assert (call(key), change(key)) == (200, 403)  # the key cannot grow
    manager = key_of_robot(boss)
    assert change(manager) == 200
    boss("PUT", PATH, {"role": "inference_user"})
    assert (call(manager), change(manager)) == (200, 403)


@pytest.mark.usefixtures("endpoint", "robot")
def test_its_role_costs_a_call_no_look_into_the_database(
    boss: Api, django_assert_num_queries: Any
) -> None:
    key = key_of_robot(boss)
    call(key)

    with django_assert_num_queries(1):  # by the fake host, which looks at the deployment
        assert call(key) == 200


@pytest.mark.usefixtures("endpoint", "robot")
def test_its_keys_outlive_who_made_them_and_end_with_it(boss: Api, search: Team) -> None:
    key, maker = key_of_robot(boss), User.objects.get(username="boss")
    member(search, TeamRole.TEAM_ADMIN, "second")
    teams.remove_member(search, maker)
    assert call(key) == 200
    maker.delete()
    assert call(key) == 200
    assert ApiKey.objects.get().made_by is None

    User.objects.filter(username="search/robot").update(is_active=False)
    assert call(key) == 401
    User.objects.filter(username="search/robot").delete()
    assert call(key) == 401


@pytest.mark.usefixtures("robot")
def test_its_key_is_told_whose_it_is(boss: Api) -> None:
    answer = told(key_of_robot(boss)("GET", "/_security/_authenticate"))

    key = ApiKey.objects.get()
    realm = {"name": "_es_api_key", "type": "_es_api_key"}
    assert answer == {
        "username": "search/robot",
        "roles": [],
        "full_name": None,
        "email": None,
        "metadata": {},
        "enabled": True,
        "authentication_realm": realm,
        "lookup_realm": realm,
        "authentication_type": "api_key",
        "api_key": {
            "id": key.key_id,
            "name": "k",
            "managed_by": "elasticsearch",
            "internal": False,
        },
    }
    (shown,) = told(boss("GET", f"{KEYS}?realm_name=_service_account"))["api_keys"]
    assert shown["username"] == "search/robot"
    assert shown["metadata"]["console"] == {"team": "search", "service_account": "search/robot"}


@pytest.mark.usefixtures("robot")
def test_an_administrator_of_the_team_rotates_its_keys(boss: Api) -> None:
    old = made_here(boss, service_account="search/robot")

    new = told(boss("POST", f"/_console/api_keys/{old['id']}/_rotate", {"overlap": "0"}))

    assert using(old)("GET", "/").status_code == 401
    assert using(new)("GET", "/").status_code == 200


def test_nobody_signs_in_as_one(robot: User) -> None:
    for password in ("", PASSWORD, robot.password):
        answer = Api(basic("search/robot", password))("GET", "/")
        assert refused(answer) == (401, "security_exception")
        assert authenticate(username="search/robot", password=password) is None


@pytest.mark.parametrize("what", ["password", "email", "is_superuser"])
def test_the_database_lets_it_have_no_way_to_sign_in(robot: User, what: str) -> None:
    robot.set_password(PASSWORD) if what == "password" else None
    robot.email = "robot@example.org" if what == "email" else ""
    robot.is_superuser = what == "is_superuser"

    with pytest.raises(IntegrityError, match="service_accounts_cannot_sign_in"):
        robot.save()


def test_it_is_in_no_other_team_and_has_no_role_on_the_site(robot: User) -> None:
    other = teams.create_team("other")

    with pytest.raises(InvalidArgument, match="service account"):
        teams.put_member(other, robot, TeamRole.INFERENCE_USER)
    with pytest.raises(NotFound):
        people.set_roles("search/robot", ["inference_admin"])
    with pytest.raises(InvalidArgument, match="in team"):
        keys.create_api_key(
            User.objects.get(username="boss"), "k", account="search/robot", team="other"
        )


def test_it_ends_with_its_team(robot: User, search: Team, admin: User) -> None:
    keys.create_api_key(admin, "k", account="search/robot")

    search.delete()

    assert not User.objects.filter(username="search/robot").exists()
    again = teams.create_team("search")
    assert create_account(admin, "robot", "inference_user", team="search").service_team == again


def test_what_it_made_stays(robot: User, endpoint: Endpoint, boss: Api) -> None:
    Endpoint.objects.update(created_by=robot)

    assert boss("DELETE", PATH).status_code == 200

    endpoint.refresh_from_db()
    assert endpoint.created_by is None


def test_with_security_off_there_are_none(settings: Any, admin: User) -> None:
    settings.SECURITY = False

    for path in ("/_console/service_accounts", "/_console/api_keys", KEYS):
        assert refused(Api("")("GET", path))[0] == 400
