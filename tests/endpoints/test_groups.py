"""What the groups of a directory are worth."""

from typing import Any

import pytest

from endpoints.groups import NOTHING, granted, groups_in, read_mapping

MAPPING = read_mapping(
    """{
        "users": {"team": "search", "role": "inference_user"},
        "leads": [
            {"team": "search", "role": "team_admin"},
            {"team": "ranking", "role": "inference_admin", "roles": ["machine_learning_user"]}
        ],
        "ops": {"roles": ["superuser"]}
    }"""
)


def test_a_group_gives_what_it_is_mapped_to() -> None:
    given = granted({"users"}, MAPPING)

    assert given.teams == {"search": "inference_user"}
    assert not given.roles


@pytest.mark.parametrize("groups", [["users", "leads"], ["leads", "users"]])
def test_of_two_roles_in_a_team_the_higher_one_counts(groups: list[str]) -> None:
    given = granted(groups, MAPPING)

    assert given.teams == {"search": "team_admin", "ranking": "inference_admin"}
    assert given.roles == {"machine_learning_user"}


@pytest.mark.parametrize("group", ["Ops", "ops ", "OPS", "op", "ops/x", "", "*", "\u043eps"])
def test_a_group_counts_by_its_exact_name_alone(group: str) -> None:
    assert granted({group}, MAPPING) == NOTHING


def test_a_great_many_groups_are_no_trouble() -> None:
    claims = {"groups": [f"group-{n}" for n in range(100_000)] + ["ops"]}

    assert granted(groups_in(claims, "groups"), MAPPING).roles == {"superuser"}


@pytest.mark.parametrize(
    "said",
    [None, 7, True, {"ops": True}, {"groups": ["ops"]}, [["ops"], {"ops": 1}, None, 7], []],
    ids=repr,
)
def test_a_claim_that_is_no_list_of_names_names_no_group(said: Any) -> None:
    assert groups_in({"groups": said}, "groups") == frozenset()


@pytest.mark.parametrize(
    ("claims", "claim"),
    [
        ({"groups": ["ops", 7]}, "groups"),
        ({"groups": "ops"}, "groups"),
        ({"https://acme.test/groups": ["ops"]}, "https://acme.test/groups"),
        ({"realm_access": {"roles": ["ops"]}}, "realm_access.roles"),
    ],
)
def test_groups_are_found_where_providers_put_them(claims: dict[str, Any], claim: str) -> None:
    assert groups_in(claims, claim) == {"ops"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Invalid JSON"),
        ("[]", "should be an object"),
        ('{"a": 7}', r"\[a\]: Input should be an object"),
        ('{"a": []}', r"\[a\]"),
        ('{"a": {}}', r"\[a\]: it grants nothing"),
        ('{"a": {"team": "search"}}', r"\[a\]: team and role come together"),
        ('{"a": {"role": "team_admin"}}', r"\[a\]: team and role come together"),
        ('{"a": {"team": "", "role": "team_admin"}}', r"\[a, team\]"),
        ('{"a": {"team": "x", "role": "superuser"}}', r"\[a, role\]: there are the roles"),
        ('{"a": {"roles": ["team_admin"]}}', r"\[a, roles\]: there are the roles"),
        ('{"a": {"roles": "superuser"}}', r"\[a, roles\]"),
        ('{"a": {"rolles": ["superuser"]}}', r"\[a, rolles\]"),
    ],
)
def test_a_mapping_that_means_nothing_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_mapping(text)
