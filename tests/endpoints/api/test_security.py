"""The `_security` routes: who calls, what they may do, and the keys they make and revoke."""

import base64
import time
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone
from elasticsearch import (
    AuthenticationException,
    AuthorizationException,
    Elasticsearch,
    NotFoundError,
)
from pytest_django import DjangoAssertNumQueries
from pytest_django.live_server_helper import LiveServer

from endpoints import actions, keys
from endpoints.access import Forbidden, require
from endpoints.models import ApiKey, User
from endpoints.permissions import Action
from endpoints.privileges import BUILTIN_ROLES
from tests.endpoints.conftest import PASSWORD, Api, World, basic, refused, told

KEYS = "/_security/api_key"
HAS = "/_security/user/_has_privileges"
INVALID = (400, "action_request_validation_exception")
BAD_ARGUMENT = (400, "illegal_argument_exception")
MALFORMED = (400, "x_content_parse_exception")
FORBIDDEN = (403, "security_exception")

MONITOR = {"r": {"cluster": ["monitor_inference"]}}
OWN_KEYS = {"r": {"cluster": ["manage_own_api_key"]}}
NOTHING: dict[str, Any] = {"r": {}}

Person = Callable[..., Api]


@pytest.fixture
def person(db: None, world: World) -> Person:
    """Somebody with these roles, who calls with a password."""

    def make(name: str, *roles: str) -> Api:
        User.objects.create_user(name, password=PASSWORD, roles=list(roles))
        return Api(basic(name, PASSWORD))

    return make


@pytest.fixture
def key_manager(person: Person, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Somebody who may handle their own keys and nothing else; no built-in role is so narrow."""
    role = {"cluster": ["manage_own_api_key"], "indices": []}
    monkeypatch.setitem(BUILTIN_ROLES, "own_keys", role)
    return person("kim", "own_keys")


def made(api: Api, **body: Any) -> dict[str, Any]:
    response = api("POST", KEYS, {"name": "k"} | body)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = told(response)
    return answer


def using(key: dict[str, Any]) -> Api:
    return Api("ApiKey " + key["encoded"])


def reason(response: Any) -> str:
    return str(told(response)["error"]["reason"])


# --- who calls


def test_the_builtin_user_is_told_who_it_is(api: Api) -> None:
    reserved = {"name": "reserved", "type": "reserved"}

    assert told(api("GET", "/_security/_authenticate")) == {
        "username": "elastic",
        "roles": ["superuser"],
        "full_name": None,
        "email": None,
        "metadata": {"_reserved": True},
        "enabled": True,
        "authentication_realm": reserved,
        "lookup_realm": reserved,
        "authentication_type": "realm",
    }


def test_everyone_else_is_of_the_native_realm(person: Person) -> None:
    answer = told(person("bob", "inference_user", "editor")("GET", "/_security/_authenticate"))

    assert answer["roles"] == ["editor", "inference_user"]
    assert answer["metadata"] == {}
    assert answer["authentication_realm"] == {"name": "default_native", "type": "native"}


def test_a_key_is_told_whose_it_is(api: Api) -> None:
    key = made(api, name="deploy")

    answer = told(using(key)("GET", "/_security/_authenticate"))

    assert answer["username"] == "elastic"
    assert answer["roles"] == []
    assert answer["authentication_type"] == "api_key"
    assert answer["authentication_realm"] == {"name": "_es_api_key", "type": "_es_api_key"}
    assert answer["lookup_realm"] == {"name": "_es_api_key", "type": "_es_api_key"}
    assert answer["api_key"] == {
        "id": key["id"],
        "name": "deploy",
        "managed_by": "elasticsearch",
        "internal": False,
    }


@pytest.mark.parametrize("path", ["/_security/_authenticate", KEYS, HAS])
def test_nobody_is_let_in_without_credentials(db: None, path: str) -> None:
    assert refused(Api("")("GET", path)) == (401, "security_exception")


@pytest.mark.parametrize("path", ["/", "/_security/_authenticate"])
def test_to_be_known_is_enough_for_some_routes(person: Person, path: str) -> None:
    assert person("bob")("GET", path).status_code == 200


# --- roles at work


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("superuser", {"GET", "POST", "PUT", "DELETE"}),
        ("inference_admin", {"GET", "POST", "PUT", "DELETE"}),
        ("inference_user", {"GET", "POST"}),
        ("machine_learning_admin", set()),
        ("machine_learning_user", set()),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_role_opens_these_routes(
    person: Person, role: str, allowed: set[str], method: str
) -> None:
    response = person("bob", role)(method, "/_inference/nothing-here", {})

    assert (response.status_code != 403) == (method in allowed)


def test_a_refusal_names_the_roles_and_what_would_help(person: Person) -> None:
    response = person("bob", "machine_learning_user", "inference_user")("PUT", "/_inference/a", {})

    assert refused(response) == FORBIDDEN
    assert reason(response) == (
        "action [cluster:admin/xpack/inference/put] is unauthorized for user [bob] with effective "
        "roles [inference_user,machine_learning_user], this action is granted by the cluster "
        "privileges [manage_inference,manage,all]"
    )
    assert "WWW-Authenticate" not in response


def test_a_refusal_names_the_key(api: Api) -> None:
    key = made(api, role_descriptors=MONITOR)

    response = using(key)("PUT", "/_inference/a", {})

    assert refused(response) == FORBIDDEN
    assert f"is unauthorized for API key id [{key['id']}] of user [elastic], " in reason(response)


def test_a_role_that_is_taken_away_is_gone_at_once(person: Person) -> None:
    call = person("bob", "inference_user")
    assert call("GET", "/_inference").status_code == 200

    User.objects.update(roles=[])

    assert call("GET", "/_inference").status_code == 403


def test_a_key_that_is_refused_is_told_why_if_its_secret_is_right(api: Api) -> None:
    def why(call: Api) -> str:
        response = call("GET", "/")
        assert refused(response) == (401, "security_exception")
        return str(told(response)["error"]["additional_unsuccessful_credentials"])

    key = made(api)
    guess = base64.b64encode(f"{key['id']}:guess".encode()).decode()
    nobody = base64.b64encode(b"nobody:guess").decode()

    for encoded in (guess, nobody):
        assert "API key: invalid credentials for" in why(Api(f"ApiKey {encoded}"))
    ApiKey.objects.update(expires_at=timezone.now())
    assert "is expired" in why(using(key))
    ApiKey.objects.update(invalidated_at=timezone.now())
    assert "has been invalidated" in why(using(key))
    assert "invalid credentials" in why(Api(f"ApiKey {guess}"))


# --- what a key may do


def test_keys_from_before_there_were_roles_keep_their_rights(api: Api) -> None:
    call = using(made(api))
    ApiKey.objects.update(limited_by={})
    assert call("GET", "/_inference").status_code == 403

    migration = import_module("endpoints.migrations.0003_security")
    migration.keep_rights_of_keys(apps, None)

    assert call("GET", "/_inference").status_code == 200
    assert ApiKey.objects.get().limited_by == {"superuser": BUILTIN_ROLES["superuser"]}


def test_a_key_without_roles_may_do_what_its_owner_may(api: Api) -> None:
    for key in (made(api), made(api, role_descriptors={})):
        call = using(key)
        assert call("GET", "/_inference").status_code == 200
        assert call("PUT", "/_inference/a", {}).status_code == 400


def test_a_key_may_do_no_more_than_its_roles_say(api: Api) -> None:
    call = using(made(api, role_descriptors=MONITOR))

    assert call("GET", "/_inference").status_code == 200
    assert call("DELETE", "/_inference/a").status_code == 403
    assert call("POST", KEYS, {"name": "x"}).status_code == 403


def test_a_key_may_do_no_more_than_its_owner(person: Person, api: Api) -> None:
    bob = person("bob", "inference_user")
    owner = User.objects.get(username="bob")
    roles = {"r": {"cluster": ["all"]}}
    key, secret = keys.create_api_key(owner, "k", role_descriptors=roles)
    call = Api("ApiKey " + base64.b64encode(f"{key.key_id}:{secret}".encode()).decode())

    for may in (bob, call):
        assert may("GET", "/_inference").status_code == 200
        assert may("PUT", "/_inference/a", {}).status_code == 403


def test_a_key_keeps_what_its_owner_could_do_when_it_was_made(api: Api, admin: User) -> None:
    call = using(made(api))

    User.objects.filter(pk=admin.pk).update(is_superuser=False, roles=["inference_user"])

    assert api("PUT", "/_inference/a", {}).status_code == 403
    assert call("PUT", "/_inference/a", {}).status_code == 400


def test_a_key_gains_nothing_when_its_owner_does(person: Person) -> None:
    person("bob", "inference_user")
    owner = User.objects.get(username="bob")
    key, secret = keys.create_api_key(owner, "k")
    call = Api("ApiKey " + base64.b64encode(f"{key.key_id}:{secret}".encode()).decode())

    owner.roles = ["superuser"]
    owner.save()

    assert call("GET", "/_inference").status_code == 200
    assert call("PUT", "/_inference/a", {}).status_code == 403


def test_a_key_may_make_only_keys_that_can_do_nothing(api: Api) -> None:
    call = using(made(api))

    for roles in (None, {}, MONITOR, {"a": {}, **MONITOR}, {"r": {"run_as": ["bob"]}}):
        response = call("POST", KEYS, {"name": "k", "role_descriptors": roles})
        assert refused(response) == BAD_ARGUMENT, roles

    derived = using(made(call, role_descriptors=NOTHING))
    assert derived("GET", "/_security/_authenticate").status_code == 200
    assert derived("GET", "/_inference").status_code == 403


def test_a_key_of_a_key_is_limited_like_the_key_that_made_it(api: Api, admin: User) -> None:
    call = using(made(api))
    User.objects.filter(pk=admin.pk).update(is_superuser=False)

    derived = made(call, role_descriptors=NOTHING)

    limited_by = ApiKey.objects.get(key_id=derived["id"]).limited_by
    assert limited_by == {"superuser": BUILTIN_ROLES["superuser"]}


def test_an_action_on_indices_needs_the_privilege_on_each(admin: User) -> None:
    grant = {"names": ["logs-*"], "privileges": ["create_index"]}
    key, _ = keys.create_api_key(admin, "k", role_descriptors={"r": {"indices": [grant]}})
    caller = User(username="elastic")
    caller.acting_key = key

    require(caller, Action.INDEX_CREATE, "logs-a", "logs-b")
    with pytest.raises(Forbidden) as refusal:
        require(caller, Action.INDEX_CREATE, "logs-a", "other")
    assert str(refusal.value) == (
        f"action [indices:admin/create] is unauthorized for API key id [{key.key_id}] of user "
        "[elastic] on indices [other], this action is granted by the index privileges "
        "[create_index,manage,all]"
    )
    for names in ([], ["*"], ["log*"]):
        with pytest.raises(Forbidden):
            require(caller, Action.INDEX_CREATE, *names)
    with pytest.raises(Forbidden):
        require(caller, Action.INDEX_GET, "logs-a")


# --- making keys


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_new_key_is_shown_once(api: Api, method: str) -> None:
    answer = told(api(method, f"{KEYS}?refresh=wait_for", {"name": "k"}))

    assert list(answer) == ["id", "name", "api_key", "encoded"]
    assert len(answer["id"]) == 20
    assert len(answer["api_key"]) == 22
    pair = base64.b64decode(answer["encoded"]).decode()
    assert pair == f"{answer['id']}:{answer['api_key']}"
    assert answer["api_key"] not in api("GET", KEYS).content.decode()


def test_names_need_not_be_unique(api: Api) -> None:
    assert made(api)["id"] != made(api)["id"]


def test_a_key_expires_when_it_was_told_to(api: Api) -> None:
    before = time.time()
    key = made(api, expiration="1d")

    assert (before + 86400) * 1000 - 1 <= key["expiration"] <= (time.time() + 86400) * 1000
    assert using(key)("GET", "/").status_code == 200
    assert using(made(api, expiration="0"))("GET", "/").status_code == 401
    assert "expiration" not in made(api, expiration="-1")


@pytest.mark.parametrize("expiration", ["1", "soon", "1w", "", "99999999999d", "9" * 500 + "d"])
def test_an_expiration_that_is_no_duration_is_refused(api: Api, expiration: str) -> None:
    response = api("POST", KEYS, {"name": "k", "expiration": expiration})

    assert refused(response) == BAD_ARGUMENT
    assert "[expiration]" in reason(response)


@pytest.mark.parametrize("name", [None, "", " ", " k", "k ", "_k", "k" * 257])
def test_a_bad_name_is_refused(api: Api, name: str | None) -> None:
    assert refused(api("POST", KEYS, {"name": name})) == INVALID
    assert not ApiKey.objects.exists()


def test_a_name_is_required_and_may_be_long(api: Api) -> None:
    assert refused(api("POST", KEYS, {})) == INVALID
    assert made(api, name="k" * 256)["name"] == "k" * 256


@pytest.mark.parametrize(
    "roles",
    [
        {"r": {"cluster": ["fly"]}},
        {"r": {"cluster": ["monitor", "read"]}},
        {"r": {"indices": [{"names": ["a"], "privileges": ["monitor_ml"]}]}},
        {"r": {"cluster": ["monitor"], "description": "\0"}},
    ],
)
def test_a_privilege_that_does_not_exist_is_refused(api: Api, roles: Any) -> None:
    response = api("POST", KEYS, {"name": "k", "role_descriptors": roles})

    assert refused(response) == BAD_ARGUMENT
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"colour": "red"},
        {"name": 1},
        {"metadata": "x"},
        {"role_descriptors": {"r": {"wings": []}}},
        {"role_descriptors": {"r": {"cluster": "monitor"}}},
        {"role_descriptors": {"r": {"indices": [{"names": ["a"]}]}}},
        {"role_descriptors": {"r": {"indices": [{"names": ["a"], "privileges": [], "x": 1}]}}},
    ],
)
def test_a_body_that_says_something_unknown_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert refused(api("POST", KEYS, {"name": "k"} | body)) == MALFORMED


def test_an_unknown_field_deep_inside_is_named(api: Api) -> None:
    response = api("POST", KEYS, {"name": "k", "role_descriptors": {"r": {"wings": []}}})

    assert "unknown field [role_descriptors.r.wings]" in reason(response)


def test_metadata_may_not_begin_like_ours(api: Api) -> None:
    assert refused(api("POST", KEYS, {"name": "k", "metadata": {"_x": 1}})) == INVALID
    made(api, metadata={"team": {"_inner": 1}})


@pytest.mark.parametrize(
    "role",
    ["inference_admin", "inference_user", "machine_learning_admin", "machine_learning_user"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_keys_need_a_privilege_before_anything_is_read(
    person: Person, role: str, method: str
) -> None:
    response = person("bob", role)(method, KEYS, b"not json")

    assert refused(response) == FORBIDDEN
    assert "[manage_own_api_key,manage_api_key,manage_security,all]" in reason(response)


# --- reading keys


def test_a_key_is_shown_with_everything_but_its_secret(api: Api) -> None:
    grant = {"names": "logs-*", "privileges": ["read"]}
    roles = {"r": {"cluster": ["monitor_inference"], "index": [grant]}}
    key = made(api, role_descriptors=roles, metadata={"team": "a"}, expiration="1h")

    (shown,) = told(api("GET", f"{KEYS}?id={key['id']}&with_limited_by=true"))["api_keys"]

    assert abs(shown.pop("creation") / 1000 - time.time()) < 60
    assert shown.pop("limited_by") == [{"superuser": BUILTIN_ROLES["superuser"]}]
    assert shown == {
        "id": key["id"],
        "name": "k",
        "type": "rest",
        "expiration": key["expiration"],
        "invalidated": False,
        "username": "elastic",
        "realm": "reserved",
        "realm_type": "reserved",
        "metadata": {"team": "a"},
        "role_descriptors": {
            "r": {
                "cluster": ["monitor_inference"],
                "indices": [
                    {
                        "names": ["logs-*"],
                        "privileges": ["read"],
                        "allow_restricted_indices": False,
                    }
                ],
                "applications": [],
                "run_as": [],
                "metadata": {},
                "transient_metadata": {"enabled": True},
            }
        },
    }


def names(api: Api, query: str) -> list[str]:
    return sorted(key["name"] for key in told(api("GET", f"{KEYS}?{query}"))["api_keys"])


def test_keys_are_found_by_what_is_known_of_them(api: Api, key_manager: Api) -> None:
    first, _, old = made(api, name="app-1"), made(api, name="app-2"), made(api, name="App")
    made(key_manager, name="kims")
    ApiKey.objects.filter(key_id=old["id"]).update(invalidated_at=timezone.now())

    assert names(api, "") == names(api, "name=*") == ["App", "app-1", "app-2", "kims"]
    assert names(api, f"id={first['id']}") == ["app-1"]
    assert names(api, "name=app-1") == ["app-1"]
    assert names(api, "name=app*") == ["app-1", "app-2"]
    assert names(api, "owner=true") == ["App", "app-1", "app-2"]
    assert names(api, "active_only=true") == ["app-1", "app-2", "kims"]
    assert names(api, "username=kim") == names(api, "realm_name=default_native") == ["kims"]
    assert names(api, "username=kim&realm_name=reserved") == []
    assert names(api, "realm_name=elsewhere") == names(api, "name=a") == []


def test_an_expired_key_is_not_active(api: Api) -> None:
    made(api)
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert names(api, "") == ["k"]
    assert names(api, "active_only=true") == []


@pytest.mark.parametrize("key_id", ["nobody", "a%00b"])
def test_an_id_that_nobody_knows_is_told_with_an_empty_list(api: Api, key_id: str) -> None:
    response = api("GET", f"{KEYS}?id={key_id}")

    assert response.status_code == 404
    assert told(response) == {"api_keys": []}


@pytest.mark.parametrize(
    "query",
    [
        "id=a&name=b",
        "id=a&username=b",
        "id=a&realm_name=b",
        "name=a&username=b",
        "name=a&realm_name=b",
        "owner=true&username=b",
        "owner=true&realm_name=b",
    ],
)
def test_selectors_that_exclude_each_other_are_refused(api: Api, query: str) -> None:
    assert refused(api("GET", f"{KEYS}?{query}")) == INVALID


def test_an_unknown_parameter_is_refused(api: Api) -> None:
    assert refused(api("GET", f"{KEYS}?colour=red")) == BAD_ARGUMENT


def test_all_keys_take_one_query(
    api: Api, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        made(api)
    api("GET", KEYS)  # the SQL of authentication is made once, and not counted

    with django_assert_num_queries(1):
        assert len(told(api("GET", KEYS))["api_keys"]) == 3


def test_some_people_see_and_revoke_only_their_own(api: Api, key_manager: Api) -> None:
    mine, others = made(key_manager, name="mine"), made(api, name="others")

    for query in ("owner=true", f"id={mine['id']}", "username=kim", "owner=true&name=*"):
        assert names(key_manager, query) == ["mine"], query
    for query in ("", "name=mine", f"id={others['id']}", "id=nobody", "username=elastic"):
        assert refused(key_manager("GET", f"{KEYS}?{query}")) == FORBIDDEN, query
    for body in ({"ids": [mine["id"], others["id"]]}, {"name": "*"}, {"username": "elastic"}):
        assert refused(key_manager("DELETE", KEYS, body)) == FORBIDDEN, body
    assert told(key_manager("DELETE", KEYS, {"name": "*", "owner": True}))[
        "invalidated_api_keys"
    ] == [mine["id"]]


def test_a_key_sees_and_revokes_only_itself(api: Api) -> None:
    key, other = made(api, role_descriptors=OWN_KEYS), made(api)
    call = using(key)

    assert told(call("GET", f"{KEYS}?id={key['id']}"))["api_keys"][0]["id"] == key["id"]
    for query in ("", "owner=true", f"id={other['id']}"):
        assert refused(call("GET", f"{KEYS}?{query}")) == FORBIDDEN
    assert refused(call("DELETE", KEYS, {"ids": [other["id"]]})) == FORBIDDEN
    assert call("DELETE", KEYS, {"ids": [key["id"]]}).status_code == 200
    assert call("GET", "/").status_code == 401


def test_a_key_that_may_do_nothing_may_look_at_itself(api: Api) -> None:
    key = made(api, role_descriptors=NOTHING)
    itself = f"{KEYS}?id={key['id']}"

    assert using(key)("GET", itself).status_code == 200
    assert refused(using(key)("GET", f"{itself}&with_limited_by=true")) == FORBIDDEN


# --- revoking keys


def test_a_revoked_key_stops_working_at_once(api: Api) -> None:
    key, other = made(api), made(api)
    call = using(key)
    assert call("GET", "/").status_code == 200

    response = api("DELETE", KEYS, {"ids": [key["id"]]})

    assert told(response) == {
        "invalidated_api_keys": [key["id"]],
        "previously_invalidated_api_keys": [],
        "error_count": 0,
    }
    assert refused(call("GET", "/")) == (401, "security_exception")
    assert using(other)("GET", "/").status_code == 200
    (shown,) = told(api("GET", f"{KEYS}?id={key['id']}"))["api_keys"]
    assert shown["invalidated"] is True
    assert abs(shown["invalidation"] / 1000 - time.time()) < 60


def test_revoking_twice_is_told(api: Api) -> None:
    key = made(api)
    api("DELETE", KEYS, {"id": key["id"]})
    then = ApiKey.objects.get().invalidated_at

    response = api("DELETE", KEYS, {"ids": [key["id"], "nobody"]})

    assert response.status_code == 200
    assert told(response)["previously_invalidated_api_keys"] == [key["id"]]
    assert told(response)["invalidated_api_keys"] == []
    assert ApiKey.objects.get().invalidated_at == then


@pytest.mark.parametrize(
    "body",
    [{"name": "k"}, {"name": "k*"}, {"owner": True}, {"username": "elastic"}],
)
def test_keys_are_revoked_by_what_is_known_of_them(
    api: Api, key_manager: Api, body: dict[str, Any]
) -> None:
    key, kims = made(api), made(key_manager, name="other")

    answer = told(api("DELETE", KEYS, body))

    assert answer["invalidated_api_keys"] == [key["id"]]
    assert using(kims)("GET", "/").status_code == 200
    assert told(api("DELETE", KEYS, body))["previously_invalidated_api_keys"] == []


def test_ids_that_nobody_knows_are_not_found(api: Api) -> None:
    response = api("DELETE", KEYS, {"ids": ["nobody"]})

    assert response.status_code == 404
    assert told(response) == {
        "invalidated_api_keys": [],
        "previously_invalidated_api_keys": [],
        "error_count": 0,
    }
    assert api("DELETE", KEYS, {"name": "nobody"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"owner": False},
        {"ids": []},
        {"ids": [""]},
        {"ids": ["a"], "name": "b"},
        {"ids": ["a"], "username": "b"},
        {"name": "a", "realm_name": "b"},
        {"owner": True, "username": "b"},
    ],
)
def test_it_must_be_clear_which_keys_are_meant(api: Api, body: dict[str, Any]) -> None:
    made(api)

    assert refused(api("DELETE", KEYS, body)) == INVALID
    assert ApiKey.objects.not_invalidated().count() == 1


# --- what the caller may do


def test_privileges_are_told_one_by_one(person: Person) -> None:
    body = {
        "cluster": ["monitor_inference", "manage_inference"],
        "index": [{"names": ["a*", "b"], "privileges": ["read"]}],
        "application": [{"application": "x", "privileges": ["read"], "resources": ["*"]}],
    }
    expected = {
        "username": "bob",
        "has_all_requested": False,
        "cluster": {"monitor_inference": True, "manage_inference": False},
        "index": {"a*": {"read": False}, "b": {"read": False}},
        "application": {"x": {"*": {"read": False}}},
    }
    bob = person("bob", "inference_user")

    for method in ("GET", "POST"):
        for path in (HAS, "/_security/user/bob/_has_privileges"):
            assert told(bob(method, path, body)) == expected


def test_the_superuser_has_them_all(api: Api) -> None:
    body = {
        "cluster": ["all", "manage_security", "cluster:admin/*"],
        "index": [{"names": ["*"], "privileges": ["all", "create_index"]}],
        "application": [{"application": "x", "privileges": ["read"], "resources": ["*"]}],
    }

    answer = told(api("POST", HAS, body))

    assert answer["has_all_requested"] is True
    assert answer["index"] == {"*": {"all": True, "create_index": True}}


def test_a_key_has_what_both_it_and_its_owner_have(api: Api) -> None:
    call = using(made(api, role_descriptors=MONITOR))

    answer = told(call("POST", HAS, {"cluster": ["monitor_inference", "monitor"]}))

    assert answer["username"] == "elastic"
    assert answer["cluster"] == {"monitor_inference": True, "monitor": False}


def test_an_action_is_held_by_who_may_do_it(person: Person) -> None:
    get, put = "cluster:monitor/xpack/inference/get", "cluster:admin/xpack/inference/put"

    answer = told(person("bob", "inference_user")("POST", HAS, {"cluster": [get, put]}))

    assert answer["cluster"] == {get: True, put: False}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, INVALID),
        ({"cluster": [], "index": []}, INVALID),
        ({"cluster": ["fly"]}, BAD_ARGUMENT),
        ({"index": [{"names": ["a"], "privileges": ["fly"]}]}, BAD_ARGUMENT),
        ({"clusters": ["all"]}, MALFORMED),
        ({"index": [{"names": ["a"] * 101, "privileges": ["read"] * 100}]}, INVALID),
        ({"index": [{"names": ["a" * 2000], "privileges": ["read"]}]}, MALFORMED),
        (None, (400, "parse_exception")),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    api: Api, body: Any, error: tuple[int, str]
) -> None:
    assert refused(api("POST", HAS, body)) == error


def test_nobody_asks_for_another(api: Api, person: Person) -> None:
    body = {"cluster": ["all"]}
    elastic = "/_security/user/elastic/_has_privileges"

    assert refused(person("bob", "inference_admin")("POST", elastic, body)) == FORBIDDEN
    other = "/_security/user/bob/_has_privileges"
    assert refused(api("POST", other, body)) == BAD_ARGUMENT


# --- the real client


def test_the_client_makes_uses_and_revokes_keys(
    transactional_db: None, live_server: LiveServer
) -> None:
    actions.create_administrator("elastic", PASSWORD)
    with Elasticsearch(live_server.url, basic_auth=("elastic", PASSWORD)) as client:
        made = client.security.create_api_key(
            name="k", role_descriptors=MONITOR, expiration="1d", metadata={"a": 1}, refresh=True
        )
        with Elasticsearch(live_server.url, api_key=(made["id"], made["api_key"])) as other:
            assert other.security.authenticate()["authentication_type"] == "api_key"
            asked = other.security.has_privileges(cluster=["monitor_inference", "all"])
            assert asked["cluster"] == {"monitor_inference": True, "all": False}
            with pytest.raises(AuthorizationException, match="is unauthorized for API key id"):
                other.inference.delete(inference_id="a")
            found = client.security.get_api_key(owner=True, with_limited_by=True)
            assert [key["id"] for key in found["api_keys"]] == [made["id"]]
            client.security.invalidate_api_key(ids=[made["id"]])
            with pytest.raises(AuthenticationException):
                other.inference.get()
        with pytest.raises(NotFoundError):
            client.security.get_api_key(id="nobody")
