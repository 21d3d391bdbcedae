"""The bodies that create and update endpoints, as the services themselves describe them."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from endpoints.api.openapi.words import OBJECT, STRING, Schema, closed, ref
from inference.chunking.settings import LEAST_SIZE, MAX_SEPARATORS, SEPARATOR_GROUPS
from inference.services import SERVICES
from inference.services.base import Service
from inference.services.settings import names_marked
from inference.types import TaskType

REF = "#/components/schemas/{model}"
References: TypeAlias = Mapping[type[Any], Schema]
CATALOGUE_ONLY = ("suggested", "sensitive", "updatable")


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles that would only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schemas_of(*models: type[BaseModel]) -> dict[str, Schema]:
    """The schemas of these models and of everything in them, by their names."""
    return described(models)[1]


def described(models: Iterable[type[BaseModel]]) -> tuple[References, dict[str, Schema]]:
    """References to the schemas of these models, and the schemas by their names.

    A name is longer where two models of different modules share one.
    """
    references, found = models_json_schema(
        [(model, "validation") for model in models],
        ref_template=REF,
        schema_generator=_WithoutTitles,
    )
    schemas: dict[str, Schema] = found["$defs"]
    for schema in schemas.values():
        for setting in schema.get("properties", {}).values():
            if setting.get("sensitive"):
                setting["writeOnly"] = True
            for name in CATALOGUE_ONLY:
                setting.pop(name, None)
    return {model: schema for (model, _), schema in references.items()}, schemas


def require(schema: Schema, name: str) -> None:
    """Say that a field must be given which the model leaves to a check with words of its own."""
    field = schema["properties"][name]
    del field["default"]
    field["anyOf"] = [kind for kind in field["anyOf"] if kind != {"type": "null"}]
    schema["required"] = [*schema.get("required", ()), name]


def body_name(service: Service) -> str:
    return f"Create_{service.name}"


def create_body(service: Service, references: References) -> Schema:
    """What creates an endpoint of this service. references: to the schemas of its settings."""
    tasks = list(service.task_settings)
    of_tasks = [references[model] for model in dict.fromkeys(service.task_settings.values())]
    properties = {
        "service": {"const": service.name},
        "task_type": {"enum": tasks},
        "service_settings": references[service.settings],
        "task_settings": of_tasks[0] if len(of_tasks) == 1 else {"anyOf": of_tasks},
    }
    if any(task.is_chunked for task in tasks):
        properties["chunking_settings"] = ref("ChunkingSettings")
    return closed(
        {
            "type": "object",
            "title": service.label,
            "required": ["service", "service_settings"],
            "properties": properties,
        }
    )


def update_body() -> Schema:
    schemas = {service.settings for service in SERVICES.values()}
    updatable = sorted({name for one in schemas for name in names_marked("updatable", one)})
    return closed(
        {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "service": {"enum": sorted(SERVICES)},
                "task_type": {"enum": list(TaskType)},
                "service_settings": {
                    **OBJECT,
                    "description": "Those settings of the service that may change: "
                    + ", ".join(f"`{name}`" for name in updatable)
                    + ". What is not named stays.",
                },
                "task_settings": {**OBJECT, "description": "What is not named stays."},
                "chunking_settings": ref("ChunkingSettings"),
            },
        }
    )


def chunking(strategy: str, **properties: Schema) -> Schema:
    required = [name for name in ("max_chunk_size", "overlap") if name in properties]
    return closed(
        {
            "type": "object",
            "title": strategy,
            "required": ["strategy", *required],
            "properties": {"strategy": {"const": strategy}, **properties},
        }
    )


def size(strategy: str) -> Schema:
    return {
        "type": "integer",
        "minimum": LEAST_SIZE[strategy],
        "description": "In words. A service may set a limit.",
    }


CHUNKING: Schema = {
    "description": "How a text is cut before it is embedded. Left out, it is cut into sentences.",
    "oneOf": [
        chunking("none"),
        chunking(
            "word",
            max_chunk_size=size("word"),
            overlap={
                "type": "integer",
                "minimum": 1,
                "description": "In words, at most half of max_chunk_size.",
            },
        ),
        chunking(
            "sentence",
            max_chunk_size=size("sentence"),
            sentence_overlap={"enum": [0, 1], "default": 1},
        ),
        chunking(
            "recursive",
            max_chunk_size=size("recursive"),
            separator_group={"enum": list(SEPARATOR_GROUPS)},
            separators={
                "type": "array",
                "items": STRING,
                "minItems": 1,
                "maxItems": MAX_SEPARATORS,
                "description": "Regular expressions, in place of a separator_group.",
            },
        ),
    ],
}


def settings_schemas() -> dict[str, Schema]:
    """Every component that the bodies of endpoints are made of."""
    models: list[type[BaseModel]] = []
    for service in SERVICES.values():
        models += [service.settings, *service.task_settings.values()]
    references, settings = described(dict.fromkeys(models))
    bodies = {body_name(one): create_body(one, references) for one in SERVICES.values()}
    return {
        "CreateEndpoint": {
            "oneOf": [ref(name) for name in bodies],
            "discriminator": {
                "propertyName": "service",
                "mapping": {
                    service.name: ref(body_name(service))["$ref"] for service in SERVICES.values()
                },
            },
        },
        **bodies,
        "UpdateEndpoint": update_body(),
        "ChunkingSettings": CHUNKING,
        **settings,
    }
