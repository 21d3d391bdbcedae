from typing import Any

import pytest

from endpoints.models import IngestPipeline, User
from tests.endpoints.conftest import PASSWORD, Api, basic, refused, told

PATH = "/_ingest/pipeline"
EMPTY: dict[str, Any] = {"processors": []}


def infer(model_id: str = "m") -> dict[str, Any]:
    return {"inference": {"model_id": model_id}}


def ids(api: Api, path: str) -> list[str]:
    return sorted(told(api("GET", path)))


@pytest.fixture
def two_pipelines(api: Api) -> None:
    for name in ("zebra", "ape"):
        body = {"description": name, "processors": [infer(name)]}
        assert told(api("PUT", f"{PATH}/{name}", body)) == {"acknowledged": True}


def test_a_pipeline_is_told_as_it_was_put_with_its_dates(api: Api) -> None:
    config = {
        "description": "d",
        "processors": [infer(), {"script": {"source": "x"}}],
        "on_failure": [{"set": {"field": "a", "value": 1}}],
        "version": 3,
        "_meta": {"x": [1]},
    }
    api("PUT", f"{PATH}/p?timeout=1s&master_timeout=1s", config)

    stored = IngestPipeline.objects.get()
    created = int(stored.created_at.timestamp() * 1000)
    modified = int(stored.updated_at.timestamp() * 1000)
    dates = {"created_date_millis": created, "modified_date_millis": modified}
    assert told(api("GET", f"{PATH}/p")) == {"p": config | dates}
    assert stored.version == 3


def test_a_summary_leaves_the_definitions_out(api: Api, two_pipelines: None) -> None:
    assert told(api("GET", f"{PATH}?summary=true")) == {"ape": {}, "zebra": {}}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", ["ape", "zebra"]),
        ("/*", ["ape", "zebra"]),
        ("/a*", ["ape"]),
        ("/ape,zebra", ["ape", "zebra"]),
        ("/ape,nobody", ["ape"]),
        ("/x*", []),
    ],
)
def test_pipelines_are_found_by_ids_and_wildcards(
    api: Api, two_pipelines: None, path: str, expected: list[str]
) -> None:
    response = api("GET", PATH + path)

    assert response.status_code == 200
    assert sorted(told(response)) == expected


def test_a_pipeline_that_is_not_there_is_an_empty_404(api: Api) -> None:
    response = api("GET", f"{PATH}/nobody")

    assert (response.status_code, told(response)) == (404, {})
    assert told(api("GET", PATH)) == {}


def test_put_overwrites(api: Api, two_pipelines: None) -> None:
    before = IngestPipeline.objects.get(pipeline_id="ape").created_at

    api("PUT", f"{PATH}/ape", EMPTY)

    shown = told(api("GET", f"{PATH}/ape"))["ape"]
    assert shown["processors"] == []
    assert "description" not in shown
    assert shown["created_date_millis"] == int(before.timestamp() * 1000)


def test_one_version_can_be_replaced(api: Api) -> None:
    api("PUT", f"{PATH}/p", EMPTY | {"version": 3})

    for version in ("2", "x"):
        response = api("PUT", f"{PATH}/p?if_version={version}", EMPTY)
        assert refused(response) == (400, "illegal_argument_exception")
    expected = (400, "illegal_argument_exception")
    assert refused(api("PUT", f"{PATH}/new?if_version=1", EMPTY)) == expected

    assert api("PUT", f"{PATH}/p?if_version=3", EMPTY).status_code == 200
    assert told(api("GET", f"{PATH}/p"))["p"]["version"] == 4


def test_pipelines_are_deleted(api: Api, two_pipelines: None) -> None:
    assert told(api("DELETE", f"{PATH}/ape")) == {"acknowledged": True}
    assert ids(api, PATH) == ["zebra"]
    assert told(api("DELETE", f"{PATH}/*")) == {"acknowledged": True}
    assert ids(api, PATH) == []
    assert api("DELETE", f"{PATH}/*").status_code == 200


def test_what_is_missing_is_not_deleted_and_nothing_else_is(api: Api, two_pipelines: None) -> None:
    for path in ("nobody", "ape,nobody", "x*"):
        response = api("DELETE", f"{PATH}/{path}")
        assert refused(response) == (404, "resource_not_found_exception")
    assert (
        told(api("DELETE", f"{PATH}/nobody"))["error"]["reason"] == "pipeline [nobody] is missing"
    )
    assert ids(api, PATH) == ["ape", "zebra"]


def test_a_refusal_names_the_processor_and_the_property(api: Api) -> None:
    response = api("PUT", f"{PATH}/p", {"processors": [{"inference": {"tag": "t"}}]})

    assert refused(response) == (400, "parse_exception")
    assert told(response)["error"]["root_cause"] == [
        {
            "type": "parse_exception",
            "reason": "[model_id] required property is missing",
            "processor_type": "inference",
            "processor_tag": "t",
            "property_name": "model_id",
        }
    ]
    response = api("PUT", f"{PATH}/p", {"processors": [{"poem": {}}]})
    assert told(response)["error"]["processor_type"] == "poem"
    response = api("PUT", f"{PATH}/p", {})
    assert told(response)["error"]["property_name"] == "processors"
    assert not IngestPipeline.objects.exists()


@pytest.mark.parametrize("body", [None, [], b"{", {"processors": [], "colour": 1}])
def test_what_is_no_pipeline_is_not_stored(api: Api, body: Any) -> None:
    assert api("PUT", f"{PATH}/p", body).status_code == 400
    assert not IngestPipeline.objects.exists()


@pytest.mark.parametrize("pipeline_id", ["a*", "a,b", "a%00b", "a" * 257])
def test_an_id_that_could_not_be_found_again_is_refused(api: Api, pipeline_id: str) -> None:
    response = api("PUT", f"{PATH}/{pipeline_id}", EMPTY)

    assert refused(response) == (400, "illegal_argument_exception")


def test_there_are_fifty_inference_processors_at_most(api: Api) -> None:
    assert api("PUT", f"{PATH}/many", {"processors": [infer()] * 49}).status_code == 200
    assert api("PUT", f"{PATH}/many", {"processors": [infer()] * 50}).status_code == 200

    response = api("PUT", f"{PATH}/more", {"processors": [infer()]})

    assert refused(response) == (409, "status_exception")
    assert "xpack.ml.max_inference_processors" in told(response)["error"]["reason"]
    assert ids(api, PATH) == ["many"]
    assert api("PUT", f"{PATH}/more", EMPTY).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PATH),
        ("GET", f"{PATH}/nobody"),
        ("PUT", f"{PATH}/ape"),
        ("DELETE", f"{PATH}/ape"),
        ("POST", f"{PATH}/_simulate"),
        ("GET", f"{PATH}/ape/_simulate"),
    ],
)
def test_without_the_right_nothing_else_is_looked_at(
    api: Api, two_pipelines: None, method: str, path: str
) -> None:
    User.objects.create_user("nobody", password=PASSWORD)

    assert refused(Api(basic("nobody", PASSWORD))(method, path))[0] == 403
    assert refused(Api("")(method, path))[0] == 401
    assert IngestPipeline.objects.count() == 2
