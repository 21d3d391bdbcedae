from typing import Any

import pytest

from tests.endpoints.conftest import Api, refused, told

PATH = "/_inference/_region_policy"
Policy = dict[str, dict[str, Any]]
EUROPE: Policy = {"region_policy": {"allowed_geos": ["eu"]}}
REGION: dict[str, dict[str, Any]] = {
    "region_policy": {"allowed_regions": [{"csp": "aws", "region": "us-east-1"}]}
}


def test_without_a_policy_there_is_nothing_to_read_or_remove(api: Api) -> None:
    for method in ("GET", "DELETE"):
        assert refused(api(method, PATH)) == (404, "resource_not_found_exception")


def test_a_policy_is_answered_as_it_was_stored(api: Api) -> None:
    stored = told(api("PUT", PATH, EUROPE))

    assert stored["region_policy"] == {"allowed_geos": ["eu"]}
    assert stored["created_by"] == "elastic"
    assert stored["created_at"].endswith("Z")
    assert "updated_at" not in stored
    assert told(api("GET", PATH)) == stored


def test_a_second_policy_replaces_the_first_and_keeps_its_beginning(api: Api) -> None:
    first = told(api("PUT", PATH, EUROPE))

    second = told(api("PUT", PATH, REGION))

    assert second["region_policy"] == REGION["region_policy"]
    assert second["created_at"] == first["created_at"]
    assert second["updated_by"] == "elastic"
    assert list(second) == [
        "region_policy",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
    ]


def test_a_removed_policy_is_gone(api: Api) -> None:
    api("PUT", PATH, EUROPE)

    assert told(api("DELETE", PATH)) == {"acknowledged": True}
    assert api("GET", PATH).status_code == 404


def test_a_fallback_is_kept(api: Api) -> None:
    policy = EUROPE["region_policy"] | {"fallback_region": "eu-west-1"}

    assert told(api("PUT", PATH, {"region_policy": policy}))["region_policy"] == policy


PARSE, ACTION = "x_content_parse_exception", "action_request_validation_exception"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "parse_exception"),
        ({}, PARSE),
        ({"region_policy": {}}, ACTION),
        ({"region_policy": {**EUROPE["region_policy"], **REGION["region_policy"]}}, ACTION),
        ({"region_policy": {"allowed_geos": []}}, ACTION),
        ({"region_policy": {"allowed_regions": []}}, ACTION),
        ({"region_policy": {"allowed_planets": ["mars"]}}, PARSE),
        ({"region_policy": {"allowed_regions": [{"csp": "aws"}]}}, PARSE),
    ],
)
def test_a_bad_policy_is_refused(api: Api, body: Any, kind: str) -> None:
    assert refused(api("PUT", PATH, body)) == (400, kind)
    assert api("GET", PATH).status_code == 404
