"""Which privileges include which, what the built-in roles may do, and what patterns cover."""

import time
from typing import Any

import pytest

from endpoints.permissions import Action
from endpoints.privileges import (
    BUILTIN_ROLES,
    CLUSTER_LATTICE,
    CLUSTER_PRIVILEGES,
    INDEX_LATTICE,
    INDEX_PRIVILEGES,
    TEAM_ROLES,
    Rights,
    builtin_roles,
    check_cluster_privileges,
    check_index_privileges,
    covers,
    includes,
    is_empty,
)
from inference.errors import InvalidArgument


def rights(*layers: dict[str, Any]) -> Rights:
    return Rights(tuple({"role": layer} for layer in layers))


@pytest.mark.parametrize("privilege", sorted(CLUSTER_PRIVILEGES))
def test_all_includes_every_privilege_of_the_cluster(privilege: str) -> None:
    assert includes(CLUSTER_LATTICE, "all", privilege)
    assert includes(CLUSTER_LATTICE, privilege, privilege)


@pytest.mark.parametrize("privilege", sorted(INDEX_PRIVILEGES))
def test_all_includes_every_privilege_of_an_index(privilege: str) -> None:
    assert includes(INDEX_LATTICE, "all", privilege)
    assert includes(INDEX_LATTICE, privilege, privilege)


@pytest.mark.parametrize(
    ("held", "privilege"),
    [
        ("manage", "manage_inference"),
        ("manage", "manage_ml"),
        ("manage", "manage_pipeline"),
        ("manage", "monitor"),
        ("manage", "monitor_inference"),
        ("manage_inference", "monitor_inference"),
        ("manage_ml", "monitor_ml"),
        ("manage_pipeline", "read_pipeline"),
        ("monitor", "monitor_inference"),
        ("monitor", "monitor_ml"),
        ("manage_security", "manage_api_key"),
        ("manage_security", "manage_own_api_key"),
        ("manage_api_key", "manage_own_api_key"),
    ],
)
def test_a_wider_privilege_includes_the_narrower_but_not_the_other_way(
    held: str, privilege: str
) -> None:
    assert includes(CLUSTER_LATTICE, held, privilege)
    assert not includes(CLUSTER_LATTICE, privilege, held)


@pytest.mark.parametrize(
    ("held", "privilege"),
    [
        ("manage", "manage_security"),
        ("manage", "manage_api_key"),
        ("manage", "manage_own_api_key"),
        ("manage", "all"),
        ("monitor", "manage_inference"),
        ("manage_inference", "monitor_ml"),
        ("manage_ml", "monitor_inference"),
        ("manage_inference", "monitor"),
    ],
)
def test_privileges_beside_each_other_do_not_include_each_other(held: str, privilege: str) -> None:
    assert not includes(CLUSTER_LATTICE, held, privilege)


@pytest.mark.parametrize("action", list(Action))
def test_what_grants_an_action_is_granted_by_everything_wider(action: Action) -> None:
    lattice = INDEX_LATTICE if action.is_on_indices else CLUSTER_LATTICE
    wider = {
        held
        for held in lattice
        if any(includes(lattice, held, privilege) for privilege in action.granted_by)
    }

    assert wider <= set(action.granted_by)


@pytest.mark.parametrize(
    ("action", "granted_by"),
    [
        (Action.PUT, "manage_inference,manage,all"),
        (Action.UPDATE, "manage_inference,manage,all"),
        (Action.DELETE, "manage_inference,manage,all"),
        (Action.DIAGNOSE, "manage_inference,manage,all"),
        (Action.RESTORE, "manage_inference,manage,all"),
        (Action.DELETED_GET, "manage_inference,manage,all"),
        (Action.DELETED_FORGET, "manage_inference,manage,all"),
        (Action.GET, "monitor_inference,manage_inference,monitor,manage,all"),
        (Action.INFER, "monitor_inference,manage_inference,monitor,manage,all"),
        (Action.SERVICES, "monitor_inference,manage_inference,monitor,manage,all"),
        (Action.CHUNK, "monitor_inference,manage_inference,monitor,manage,all"),
        (Action.MODEL_GET, "monitor_ml,manage_ml,monitor,manage,all"),
        (Action.MODEL_PUT, "manage_ml,manage,all"),
        (
            Action.PIPELINE_GET,
            "read_pipeline,manage_pipeline,manage_ingest_pipelines,manage,all",
        ),
        (Action.PIPELINE_PUT, "manage_pipeline,manage_ingest_pipelines,manage,all"),
        (Action.CLUSTER_GET, "monitor,manage,all"),
        (Action.CLUSTER_PUT, "manage,all"),
        (Action.CLUSTER_DELETE, "manage,all"),
        (Action.CLUSTER_SCAN, "manage,all"),
        (Action.PERSON_GET, "read_security,manage_security,all"),
        (Action.PERSON_INVITE, "manage_security,all"),
        (Action.PERSON_DEACTIVATE, "manage_security,all"),
        (Action.TEAM_PEOPLE, "manage_security,all"),
        (Action.TEAM_GET, "read_security,manage_security,all"),
        (Action.TEAM_UPDATE, "manage_security,all"),
        (Action.TEAM_CREATE, "manage_security,all"),
        (Action.TEAM_DELETE, "manage_security,all"),
        (Action.MEMBER_PUT, "manage_security,all"),
        (Action.MEMBER_REMOVE, "manage_security,all"),
        (Action.SHARE_GET, "read_security,manage_security,all"),
        (Action.SHARE_PUT, "manage_security,all"),
        (Action.SHARE_DELETE, "manage_security,all"),
        (Action.ENDPOINT_MOVE, "manage_security,all"),
        (Action.PERSON_SESSIONS, "manage_security,all"),
        (Action.PERSON_FACTORS, "manage_security,all"),
        (Action.API_KEY_CREATE, "manage_own_api_key,manage_api_key,manage_security,all"),
        (Action.API_KEY_ROTATE, "manage_own_api_key,manage_api_key,manage_security,all"),
        (
            Action.ACCOUNT_GET,
            "read_security,manage_service_account,manage_security,all",
        ),
        (Action.ACCOUNT_PUT, "manage_service_account,manage_security,all"),
        (Action.ACCOUNT_DELETE, "manage_service_account,manage_security,all"),
        (Action.AUDIT_GET, "read_security,manage_security,all"),
        (Action.INDEX_CREATE, "create_index,manage,all"),
        (Action.INDEX_GET, "view_index_metadata,manage,all"),
    ],
)
def test_an_action_names_what_grants_it_the_narrowest_first(
    action: Action, granted_by: str
) -> None:
    assert ",".join(action.granted_by) == granted_by


READS = {
    Action.GET,
    Action.INFER,
    Action.SERVICES,
    Action.CHUNK,
    Action.CACHE_GET,
    Action.REGION_POLICY_GET,
}
WRITES = {
    Action.PUT,
    Action.UPDATE,
    Action.DELETE,
    Action.RESTORE,
    Action.DELETED_GET,
    Action.DELETED_FORGET,
    Action.DIAGNOSE,
    Action.CACHE_PUT,
    Action.CACHE_PURGE,
    Action.REGION_POLICY_PUT,
    Action.REGION_POLICY_DELETE,
}
MODEL_READS = {
    Action.MODEL_GET,
    Action.MODEL_STATS,
    Action.MODEL_INFER,
    Action.DEPLOYMENT_EVENTS,
}
ALLOWED = {
    "superuser": set(Action),
    "inference_admin": {*READS, *WRITES, Action.MODEL_INFER, Action.DEPLOYMENT_EVENTS},
    "inference_user": {*READS, Action.MODEL_INFER, Action.DEPLOYMENT_EVENTS},
    "machine_learning_admin": {
        *MODEL_READS,
        Action.MODEL_PUT,
        Action.MODEL_DELETE,
        Action.MODEL_PART_PUT,
        Action.MODEL_VOCABULARY_PUT,
        Action.DEPLOYMENT_START,
        Action.DEPLOYMENT_UPDATE,
        Action.DEPLOYMENT_STOP,
    },
    "machine_learning_user": MODEL_READS,
}


@pytest.mark.parametrize("role", sorted(BUILTIN_ROLES))
@pytest.mark.parametrize("action", list(Action))
def test_a_builtin_role_may_do_this_and_nothing_else(role: str, action: Action) -> None:
    held = Rights((builtin_roles([role]),))
    if action.is_on_indices:
        may = held.allow_on("my-index", action, action.granted_by)
    else:
        may = held.allow(action, action.granted_by)

    assert may == (action in ALLOWED[role])


@pytest.mark.parametrize("role", sorted(BUILTIN_ROLES))
def test_a_builtin_role_names_only_privileges_that_exist(role: str) -> None:
    check_cluster_privileges(BUILTIN_ROLES[role]["cluster"])
    for grant in BUILTIN_ROLES[role]["indices"]:
        check_index_privileges(grant["privileges"])


PEOPLE = {
    Action.PERSON_GET,
    Action.PERSON_INVITE,
    Action.PERSON_ROLES,
    Action.PERSON_RESET,
    Action.PERSON_FACTORS,
    Action.PERSON_DEACTIVATE,
}


@pytest.mark.parametrize("role", sorted(TEAM_ROLES))
def test_a_role_in_a_team_includes_those_before_it(role: str) -> None:
    held, names = Rights(({role: TEAM_ROLES[role]},)), list(TEAM_ROLES)

    for less in names[: names.index(role) + 1]:
        assert all(held.include(privilege) for privilege in TEAM_ROLES[less]["cluster"])


def test_only_administrators_of_a_team_see_its_people_and_none_those_of_the_site() -> None:
    action = Action.TEAM_PEOPLE
    allowed = {
        role
        for role, one in TEAM_ROLES.items()
        if Rights(({role: one},)).allow(action, action.granted_by)
    }

    assert allowed == {"team_admin"}
    assert not any(action.is_of_teams for action in PEOPLE)


def test_a_role_that_nobody_knows_grants_nothing() -> None:
    held = Rights((builtin_roles(["editor"]),))

    assert not held.allow(Action.GET, Action.GET.granted_by)


def test_every_layer_must_allow_what_is_done() -> None:
    held = rights({"cluster": ["manage_inference"]}, {"cluster": ["monitor", "manage_security"]})

    assert held.allow(Action.GET, Action.GET.granted_by)
    assert held.include("monitor_inference")
    assert not held.allow(Action.PUT, Action.PUT.granted_by)
    assert not held.include("manage_inference")
    assert not held.include("manage_security")


def test_an_index_must_be_named_by_every_layer() -> None:
    grant = {"names": ["logs-*"], "privileges": ["all"]}
    less = {"names": ["logs-a*", "b"], "privileges": ["create_index"]}
    held = rights({"indices": [grant]}, {"indices": [less]})

    create = Action.INDEX_CREATE
    assert held.allow_on("logs-a", create, create.granted_by)
    assert held.include_on("logs-a*", "create_index")
    for elsewhere in ("logs-b", "b", "logs-*", "*"):
        assert not held.allow_on(elsewhere, create, create.granted_by)
    assert not held.include_on("logs-a", "read")


def test_a_privilege_may_be_a_pattern_over_actions() -> None:
    held = rights({"cluster": ["cluster:monitor/xpack/inference*"]})

    assert held.allow(Action.INFER, Action.INFER.granted_by)
    assert not held.allow(Action.PUT, Action.PUT.granted_by)


def test_a_role_for_workflows_grants_nothing_here() -> None:
    held = rights({"cluster": ["all"], "restriction": {"workflows": ["search_application_query"]}})

    assert not held.allow(Action.GET, Action.GET.granted_by)


def test_applications_are_granted_by_resource() -> None:
    grant = {"application": "kibana-*", "privileges": ["read"], "resources": ["space:*"]}
    held = rights({"applications": [grant]})

    assert held.include_in("kibana-.kibana", "space:a", "read")
    assert not held.include_in("kibana-.kibana", "space:a", "write")
    assert not held.include_in("kibana-.kibana", "*", "read")
    assert not held.include_in("other", "space:a", "read")


@pytest.mark.parametrize("kind", ["cluster", "indices", "applications", "run_as"])
def test_a_role_is_empty_when_it_grants_nothing_of_any_kind(kind: str) -> None:
    assert is_empty({"cluster": [], "metadata": {"a": 1}})
    assert not is_empty({kind: ["x"]})


def test_an_unknown_privilege_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidArgument, match=r"unknown cluster privilege \[fly\].*monitor_ml"):
        check_cluster_privileges(["monitor", "fly"])
    with pytest.raises(InvalidArgument, match=r"unknown index privilege \[monitor_ml\].*read"):
        check_index_privileges(["monitor_ml"])
    check_cluster_privileges(["cluster:monitor/*"])
    check_index_privileges(["indices:data/read/*"])


@pytest.mark.parametrize(
    ("held", "asked", "is_covered"),
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("a", "a*", False),
        ("*", "", True),
        ("*", "a*", True),
        ("a*", "a", True),
        ("a*", "a*", True),
        ("a*", "ab*", True),
        ("ab*", "a*", False),
        ("*a", "b*a", True),
        ("*a*b", "xaxbxb", True),
        ("*a*b", "xbxa", False),
        ("a?", "ab", True),
        ("a?", "a*", False),
        ("a?", "a?", True),
        ("a*", "a?", True),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_a_pattern_covers_what_fits_it_wholly(held: str, asked: str, is_covered: bool) -> None:
    assert covers(held, asked) == is_covered


def test_no_pattern_takes_long() -> None:
    start = time.perf_counter()

    assert not covers("*a" * 200 + "b", "a" * 2000)

    assert time.perf_counter() - start < 2
