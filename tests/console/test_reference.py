"""The API reference: everything that the OpenAPI document says, on one page."""

import re

import pytest
from django.test import Client

from console.pages.reference import Reader, areas, kind_of
from endpoints.api.openapi import document
from inference.services import SERVICES
from tests.console.conftest import HTMX, text

PATH = "/console/api"
DOCUMENT = "/console/api/openapi.json"


@pytest.mark.parametrize("path", [PATH, DOCUMENT])
def test_strangers_are_asked_to_sign_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"].startswith("/console/sign-in")


def test_whoever_is_signed_in_may_read_it(plain: Client) -> None:
    assert plain.get(PATH).status_code == 200
    assert plain.get(DOCUMENT).json() == document()


def test_every_operation_is_shown_with_all_its_forms(console: Client) -> None:
    page = text(console.get(PATH))

    shown = re.findall(r'<span class="method [\w-]+">(\w+)</span> <code>(.+?)</code>', page)
    there = [(m.upper(), path) for path, methods in document()["paths"].items() for m in methods]
    assert sorted(shown) == sorted(there)


def test_what_is_shown_together_takes_the_same_body() -> None:
    bodies = {
        (method.upper(), path): operation.get("requestBody")
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }

    for area in areas():
        for entry in area.entries.values():
            first, *others = (bodies[form] for form in entry.forms)
            assert all(body == first for body in others), entry.name


def test_the_settings_of_every_service_are_shown(console: Client) -> None:
    page = text(console.get(PATH))

    for service in SERVICES.values():
        assert f"<strong>{service.label}</strong>" in page
        for name in service.settings.model_fields:
            assert f"<code>{name}</code>" in page


def test_the_navigation_leads_there(console: Client) -> None:
    assert f'<a href="{PATH}"' in text(console.get("/console/"))


def test_a_field_tells_what_it_takes() -> None:
    size = {"type": "integer", "minimum": 1, "maximum": 9, "default": 2}
    schema = {"type": "object", "required": ["size"], "properties": {"size": size}}

    (field,) = Reader().fields(schema)

    assert (field.name, field.kind) == ("size", "integer, from 1, to 9, 2 unless given, required")


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": ["string", "null"]}, "string"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string"),
        ({"type": "array", "items": {"type": "number"}}, "list of number"),
        ({"enum": ["a", "b"]}, "one of a, b"),
        ({"enum": list("abcdefghi")}, "one of a, b, c, d, e, f, g, h, …"),
        ({"const": "elser"}, '"elser"'),
    ],
)
def test_a_kind_is_told_in_words(schema: dict[str, object], kind: str) -> None:
    assert kind_of(schema) == kind


def test_a_component_that_holds_itself_is_shown_once() -> None:
    (processors, *_) = Reader().fields({"$ref": "#/components/schemas/Pipeline"})

    assert processors.name == "processors"
    assert all(not inner.fields for inner in processors.fields)


def test_a_call_is_found_by_what_it_does_and_by_its_path(console: Client) -> None:
    def found(words: str) -> list[str]:
        page = text(console.get(PATH, {"q": words}, headers=HTMX))
        return re.findall(r'<details class="fold entry" id="(.+?)"', page)

    assert "inference.put" in found("create endpoint")
    assert found("put _ingest/pipeline") == ["ingest.put_pipeline"]
    assert found("no such call") == []
    assert "No such call" in text(console.get(PATH, {"q": "no such call"}))


def test_the_palette_leads_to_a_call(console: Client) -> None:
    assert f'href="{PATH}#ingest.put_pipeline"' in text(
        console.get("/console/find", {"q": "put pipeline"})
    )
