"""The description of the API: whole, valid, and made of what the code itself says."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.urls import URLResolver
from drf_spectacular.validation import validate_schema

from endpoints.api import urls
from endpoints.api.openapi import document
from endpoints.api.openapi.failures import MEANINGS
from endpoints.api.openapi.generator import OPERATIONS, PARTS, Generator
from inference import errors
from inference.services import SERVICES
from tests.endpoints.conftest import Api, refused, told

PATH = "/_console/openapi.json"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def views(patterns: Iterable[Any]) -> Iterator[Any]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns)
        else:
            yield pattern.callback.cls


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = document()["components"]["schemas"][name]
    return found


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(name := node.get("$ref"), str):
            yield name
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def test_the_document_is_served_to_who_may_call(api: Api) -> None:
    assert told(api("GET", PATH)) == document()
    assert refused(api("GET", PATH, headers={"Authorization": ""})) == (401, "security_exception")


def test_the_document_is_valid_and_made_without_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = Generator().get_schema()

    assert capsys.readouterr().err == ""
    validate_schema(made)


def test_every_method_of_every_route_is_described() -> None:
    """Describe a new route beside the others of its area, in endpoints/api/openapi/."""
    there = {
        (view, method)
        for view in views(urls.urlpatterns)
        if view.schema is not None
        for method in view.http_method_names
        if hasattr(view, method) and method != "options"
    }

    assert there == {(view, method) for view in OPERATIONS for method in OPERATIONS[view]}


def test_paths_name_what_they_leave_open() -> None:
    paths = document()["paths"]

    assert {"/", "/{index}", "/{index}/_mapping", "/_mapping"} <= set(paths)
    assert set(paths["/_inference/{task_type}/{inference_id}"]) == {"get", "put", "post", "delete"}
    assert set(paths["/_inference/{inference_id}"]) == {"get", "put", "post", "delete"}
    assert not [path for path in paths if set("^$?()<>|") & set(path)]


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(set(names)) == len(names)
    assert {"inference.put", "inference.put.task_type", "security.create_api_key"} <= set(names)


def test_every_reference_leads_somewhere() -> None:
    for name in set(references(document())):
        _, *way = name.split("/")
        node = document()
        for step in way:
            node = node[step]


def test_no_two_components_share_a_name() -> None:
    names = [name for part in PARTS for name in part.SCHEMAS]

    assert len(set(names)) == len(names)


def test_every_operation_may_be_refused_and_says_so() -> None:
    for method, path, operation in operations():
        assert {"200", "400", "401", "403"} <= set(operation["responses"]), (method, path)
        assert ("406" in operation["responses"]) == ("requestBody" in operation), (method, path)


def test_every_status_of_a_failure_has_a_meaning() -> None:
    kinds: list[type[errors.InferenceError]] = [errors.InferenceError]
    for kind in kinds:
        kinds += kind.__subclasses__()

    assert {kind.status for kind in kinds} <= set(MEANINGS)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_describes_what_creates_its_endpoints(name: str) -> None:
    service = SERVICES[name]
    body = schema(f"Create_{name}")
    settings = schema(body["properties"]["service_settings"]["$ref"].rpartition("/")[2])

    assert schema("CreateEndpoint")["discriminator"]["mapping"][name]
    assert body["properties"]["service"] == {"const": name}
    assert body["properties"]["task_type"]["enum"] == list(service.task_settings)
    assert set(settings["properties"]) == set(service.settings.model_fields)
    assert settings["additionalProperties"] is False
    for setting, field in service.settings.model_fields.items():
        assert settings["properties"][setting]["title"] == field.title
        assert (setting in settings.get("required", ())) == field.is_required()


def test_the_examples_of_endpoints_are_accepted(api: Api) -> None:
    paths = document()["paths"]
    path = "/_inference/text_embedding/my-vectors"
    template = paths["/_inference/{task_type}/{inference_id}"]

    for method in ("put", "post"):
        content = template[method]["requestBody"]["content"]["application/json"]
        assert api(method.upper(), path, content["example"]).status_code == 200
