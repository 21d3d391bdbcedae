"""Finding models: ids, wildcards, tags, pages, and what is shown."""

from typing import Any

import pytest

from tests.endpoints.api.trained_models.uploading import CONFIG, path, upload
from tests.endpoints.conftest import Api, refused, told


@pytest.fixture
def models(api: Api) -> None:
    for model_id, tags in (("zebra", ["red"]), ("ape", ["red", "blue"]), ("ant", [])):
        assert api("PUT", path(model_id), CONFIG | {"tags": tags}).status_code == 200


def found(api: Api, rest: str) -> list[str]:
    body = told(api("GET", f"/_ml/trained_models{rest}"))
    return [config["model_id"] for config in body["trained_model_configs"]]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", ["ant", "ape", "zebra"]),
        ("/_all", ["ant", "ape", "zebra"]),
        ("/*", ["ant", "ape", "zebra"]),
        ("/a*", ["ant", "ape"]),
        ("/zebra,ant", ["ant", "zebra"]),
        ("/z*,ant", ["ant", "zebra"]),
        ("/x*", []),
        ("?tags=red", ["ape", "zebra"]),
        ("?tags=red,blue", ["ape"]),
        ("?size=1", ["ant"]),
        ("?from=1&size=1", ["ape"]),
        ("?from=7", []),
    ],
)
def test_models_are_found_and_sorted_by_id(
    api: Api, models: None, rest: str, expected: list[str]
) -> None:
    assert found(api, rest) == expected


def test_the_count_is_that_of_all_pages(api: Api, models: None) -> None:
    assert told(api("GET", "/_ml/trained_models?size=1"))["count"] == 3


@pytest.mark.parametrize(
    "rest", ["/x", "/ant,x", "/x?allow_no_match=true", "/x*?allow_no_match=false"]
)
def test_what_is_not_there_is_not_found(api: Api, models: None, rest: str) -> None:
    response = api("GET", f"/_ml/trained_models{rest}")

    assert refused(response) == (404, "resource_not_found_exception")
    assert "No known trained model with model_id [x" in told(response)["error"]["reason"]


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ("?from=-1", "illegal_argument_exception"),
        ("?size=-1", "illegal_argument_exception"),
        ("?size=1001", "illegal_argument_exception"),
        ("?size=x", "illegal_argument_exception"),
        ("?allow_no_match=x", "illegal_argument_exception"),
        ("?colour=red", "illegal_argument_exception"),
        ("?include=feelings", "status_exception"),
        ("?include=definition_status", "action_request_validation_exception"),
        ("?include=definition", "action_request_validation_exception"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(
    api: Api, models: None, rest: str, kind: str
) -> None:
    assert refused(api("GET", f"/_ml/trained_models{rest}")) == (400, kind)


def shown(api: Api, query: str) -> Any:
    (config,) = told(api("GET", path("my-model", query)))["trained_model_configs"]
    return config


def test_a_definition_is_whole_once_all_its_parts_are_there(api: Api) -> None:
    api("PUT", path("my-model"), CONFIG)
    assert shown(api, "?include=definition_status")["fully_defined"] is False
    api("DELETE", path("my-model"))

    upload(api)
    assert shown(api, "?include=definition_status")["fully_defined"] is True
    assert "fully_defined" not in shown(api, "")


def test_what_is_generated_can_be_left_out(api: Api) -> None:
    api("PUT", path("my-model"), CONFIG)

    assert list(shown(api, "?exclude_generated=true")) == [
        "model_type",
        "description",
        "tags",
        "metadata",
        "input",
        "inference_config",
        "prefix_strings",
        "location",
    ]


def test_sizes_and_times_can_be_told_for_people(api: Api) -> None:
    upload(api)

    config = shown(api, "?human=true")

    assert config["model_size"].endswith("b")
    assert config["create_time_string"].endswith("Z")
