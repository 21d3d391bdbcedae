"""The API reference: what the OpenAPI document says, for people."""

import json
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeAlias

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from console.http import HtmxRequest, page, wants_fragment
from console.pages.samples import base_url
from console.pages.wanted import Wanted
from endpoints.api.media import JSON
from endpoints.api.openapi import document

Schema: TypeAlias = dict[str, Any]

MOST_WORDS = 8
ANY_NAME = "*"
BOUNDS = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"))


@dataclass(frozen=True)
class Field:
    """A parameter, a field of a body, or one of the forms that a body may have."""

    name: str
    kind: str
    description: str = ""
    fields: tuple["Field", ...] = ()


@dataclass(frozen=True)
class Answer:
    status: str
    description: str
    kind: str
    fields: tuple[Field, ...]


@dataclass
class Entry:
    """One operation. forms: the methods and paths that it goes by."""

    name: str
    summary: str
    description: str
    parameters: list[Field]
    body: tuple[Field, ...]
    example: str
    answers: list[Answer]
    forms: list[tuple[str, str]] = field(default_factory=list)

    @property
    def gist(self) -> str:
        """How it is called first of all, as in PUT /_inference/{inference_id}."""
        return " ".join(self.forms[0])

    @property
    def words(self) -> str:
        """By what it is found."""
        paths = " ".join(" ".join(form) for form in self.forms)
        return f"{self.name} {self.summary} {paths}"


@dataclass
class Area:
    name: str
    description: str
    entries: dict[str, Entry] = field(default_factory=dict)


@page("GET", "HEAD")
def api_reference(request: HtmxRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    found = areas_about(Wanted(tuple(query.lower().split())))
    calls = shown(found) if query else all_shown()
    context = {"calls": calls if found else "", "query": query, "base_url": base_url(request)}
    template = "reference/_found.html" if wants_fragment(request) else "reference/reference.html"
    return render(request, template, context)


@page("GET", "HEAD")
def api_document(request: HtmxRequest) -> HttpResponse:
    """The same document as the API's own, for who is signed in and holds no key."""
    return JsonResponse(document())


@cache
def all_shown() -> SafeString:
    """The same for everybody until another version runs, and long: hundreds of fields."""
    return shown(areas())


def shown(some: list[Area]) -> SafeString:
    return render_to_string("reference/_areas.html", {"areas": some})


def areas_about(wanted: Wanted) -> list[Area]:
    """With the operations alone that have the words in their names or paths."""
    found = (
        replace(
            area, entries={n: one for n, one in area.entries.items() if wanted.finds(one.words)}
        )
        for area in areas()
    )
    return [area for area in found if area.entries]


@cache
def areas() -> list[Area]:
    found = {tag["name"]: Area(tag["name"], tag["description"]) for tag in document()["tags"]}
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            entries = found[operation["tags"][0]].entries
            name = ".".join(operation["operationId"].split(".")[:2])
            if name not in entries:
                entries[name] = entry_of(name, operation)
            entries[name].forms.append((method.upper(), path))
    return list(found.values())


def entry_of(name: str, operation: Schema) -> Entry:
    content = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
    return Entry(
        name=name,
        summary=operation["summary"],
        description=operation.get("description", ""),
        parameters=[
            Field(one["name"], kind_of(one["schema"]), one["description"])
            for one in map(resolved, operation["parameters"])
            if one["in"] == "query"
        ],
        body=Reader().fields(content.get("schema", {})),
        example=json.dumps(content["example"], indent=2) if "example" in content else "",
        answers=[answer_of(status, one) for status, one in operation["responses"].items()],
    )


def answer_of(status: str, response: Schema) -> Answer:
    response = resolved(response)
    schema = response.get("content", {}).get(JSON, {}).get("schema", {})
    is_failure = not status.startswith("2")
    return Answer(
        status,
        response["description"],
        "" if is_failure else kind_of(schema),
        () if is_failure else Reader().fields(schema),
    )


def resolved(schema: Schema) -> Schema:
    """What a reference leads to; anything else is itself."""
    if "$ref" not in schema:
        return schema
    found: Any = document()
    for step in schema["$ref"].split("/")[1:]:
        found = found[step]
    return dict(found)


def forms_of(schema: Schema) -> list[Schema]:
    """What a value may be, null left out."""
    forms = schema.get("oneOf") or schema.get("anyOf") or ()
    return [one for one in forms if one != {"type": "null"}]


def kind_of(schema: Schema) -> str:
    schema = resolved(schema)
    if forms := forms_of(schema):
        return " or ".join(dict.fromkeys(filter(None, map(kind_of, forms))))
    if "const" in schema:
        return json.dumps(schema["const"])
    if words := schema.get("enum"):
        shown = [word if isinstance(word, str) else json.dumps(word) for word in words]
        more = ", …" if len(shown) > MOST_WORDS else ""
        return f"one of {', '.join(shown[:MOST_WORDS])}{more}"
    kind = schema.get("type", "")
    if isinstance(kind, list):
        kind = " or ".join(one for one in kind if one != "null")
    if kind == "array" and "items" in schema:
        return f"list of {kind_of(schema['items'])}"
    return ", ".join([kind, *(f"{words} {schema[key]}" for key, words in BOUNDS if key in schema)])


class Reader:
    """Reads the fields of one schema. A component that comes up again is not shown again."""

    def __init__(self) -> None:
        self._shown: set[str] = set()

    def fields(self, schema: Schema) -> tuple[Field, ...]:
        """The fields of an object, or of the objects in a list, or the forms it may have."""
        if name := schema.get("$ref"):
            if name in self._shown:
                return ()
            self._shown.add(name)
            schema = resolved(schema)
        if schema.get("type") == "array":
            return self.fields(schema.get("items", {}))
        if forms := forms_of(schema):
            return self.forms(forms)
        found = [one for part in schema.get("allOf", ()) for one in self.fields(part)]
        required = schema.get("required", ())
        for name, inner in schema.get("properties", {}).items():
            found.append(self.field(name, inner, is_required=name in required))
        if isinstance(rest := schema.get("additionalProperties"), dict):
            found.append(self.field(ANY_NAME, rest))
        return tuple(found)

    def forms(self, forms: list[Schema]) -> tuple[Field, ...]:
        named = [Field(form_name(form), "", fields=self.fields(form)) for form in forms]
        with_fields = [one for one in named if one.fields]
        return with_fields[0].fields if len(with_fields) == 1 else tuple(with_fields)

    def field(self, name: str, schema: Schema, *, is_required: bool = False) -> Field:
        is_known = schema.get("$ref") in self._shown
        told = [kind_of(schema)]
        if schema.get("default") not in (None, [], {}):
            told.append(f"{json.dumps(schema['default'])} unless given")
        if is_required:
            told.append("required")
        if is_known:
            told.append("as above")
        return Field(name, ", ".join(told), schema.get("description", ""), self.fields(schema))


def form_name(schema: Schema) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    return str(resolved(schema).get("title", name))
