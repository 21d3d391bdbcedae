from typing import Any

import orjson
import pytest
from django.http import QueryDict

from endpoints.api.shape import Shape
from tests.endpoints.conftest import Api, told

SETTINGS = {"model_id": "e5", "num": 1}
ANSWER = {
    "endpoints": [
        {"inference_id": "a", "settings": SETTINGS},
        {"inference_id": "b", "settings": SETTINGS},
    ],
    "took": 3,
}
IDS = [{"inference_id": "a"}, {"inference_id": "b"}]


def shaped(filter_path: str, data: Any = ANSWER) -> Any:
    query = QueryDict(mutable=True)
    query["filter_path"] = filter_path
    return orjson.loads(Shape.of(query).write(data))


@pytest.mark.parametrize(
    ("filter_path", "expected"),
    [
        ("took", {"took": 3}),
        ("endpoints.inference_id", {"endpoints": IDS}),
        ("took,endpoints.settings.num", {"endpoints": [{"settings": {"num": 1}}] * 2, "took": 3}),
        ("t*", {"took": 3}),
        ("*.settings.m*_id", {"endpoints": [{"settings": {"model_id": "e5"}}] * 2}),
        ("**.model_id", {"endpoints": [{"settings": {"model_id": "e5"}}] * 2}),
        ("**", ANSWER),
        ("nothing", {}),
        ("endpoints.nothing", {}),
        ("-endpoints", {"took": 3}),
        (
            "-endpoints.settings,-took",
            {"endpoints": [{"inference_id": "a"}, {"inference_id": "b"}]},
        ),
        ("endpoints.settings,-**.num", {"endpoints": [{"settings": {"model_id": "e5"}}] * 2}),
        ("", ANSWER),
    ],
)
def test_filter_path_keeps_and_leaves_out(filter_path: str, expected: Any) -> None:
    assert shaped(filter_path) == expected


def test_the_client_gets_what_it_asked_for(api: Api) -> None:
    assert told(api("GET", "/?filter_path=version.n*")) == {"version": {"number": "9.4.0"}}


def test_errors_are_filtered_too(api: Api) -> None:
    response = api("GET", "/_inference/nobody?filter_path=error.type,status")

    assert told(response) == {"error": {"type": "resource_not_found_exception"}, "status": 404}


def test_a_trace_is_shown_to_those_who_ask(api: Api) -> None:
    assert "stack_trace" not in told(api("GET", "/_inference/nobody"))["error"]

    traced = told(api("GET", "/_inference/nobody?error_trace"))

    assert "NotFound" in traced["error"]["stack_trace"]
    assert traced["error"]["type"] == "resource_not_found_exception"


def test_who_did_not_sign_in_gets_no_trace(api: Api) -> None:
    refusal = told(Api("")("GET", "/_inference/nobody?error_trace"))

    assert "stack_trace" not in refusal["error"]
