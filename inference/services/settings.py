"""Settings of services: declared with pydantic, refused in Elasticsearch's words."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from inference.errors import InvalidRequest, InvalidSettings, shown
from inference.types import TaskType


class Settings(BaseModel):
    """The base of every settings object: values keep their JSON types, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def to_response(self) -> dict[str, Any]:
        """What the API stores and shows: only what is set, in the order of declaration."""
        return self.model_dump(mode="json", exclude_none=True)


def setting(
    label: str,
    description: str = "",
    *,
    updatable: bool = False,
    sensitive: bool = False,
    required: bool = False,
    listed: bool = True,
    suggested: Any = None,
    **rules: Any,
) -> Any:
    """Declare a field with what the catalogue of services tells about it.

    required: told as such although the schema alone does not insist on it. listed: whether the
    catalogue shows it. suggested: what a form offers where the setting has no default of its own.
    rules: of pydantic.
    """
    shown = {
        "updatable": updatable,
        "sensitive": sensitive,
        "required": required,
        "listed": listed,
        "suggested": suggested,
    }
    return Field(title=label, description=description or None, json_schema_extra=shown, **rules)


PositiveInt = Annotated[int, Field(gt=0)]
SettingsT = TypeVar("SettingsT", bound=Settings)

JAVA_TYPES = {
    "int_type": "Integer",
    "string_type": "String",
    "bool_type": "Boolean",
    "float_type": "Double",
    "dict_type": "Map",
    "model_type": "Map",
    "list_type": "List",
}


TYPE_NAMES = {"integer": "int", "string": "str", "boolean": "bool", "array": "list"}


def configurations(schema: type[Settings], task_types: Sequence[TaskType]) -> dict[str, Any]:
    """The settings of a schema as the catalogue of services lists them."""
    described = schema.model_json_schema()
    required = described.get("required", [])
    return {
        name: _configuration(entry, name in required) | {"supported_task_types": list(task_types)}
        for name, entry in described["properties"].items()
        if entry["listed"]
    }


def names_marked(mark: str, schema: type[Settings]) -> set[str]:
    """The settings of a schema that are declared `updatable` or `sensitive`."""
    return {
        name
        for name, field in schema.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get(mark)
    }


def _configuration(entry: dict[str, Any], is_required: bool) -> dict[str, Any]:
    # A setting that may be left out is described as one of its type or null.
    kind, *_ = entry.get("anyOf", [entry])
    shown: dict[str, Any] = {}
    default = entry.get("default")
    if default is None:
        default = entry["suggested"]
    if default is not None:
        shown["default_value"] = default
    if "description" in entry:
        shown["description"] = entry["description"]
    return shown | {
        "label": entry["title"],
        "required": is_required or entry["required"],
        "sensitive": entry["sensitive"],
        "updatable": entry["updatable"],
        "type": TYPE_NAMES.get(kind.get("type", "object"), "map"),
    }


def parse_settings(schema: type[SettingsT], raw: Any, *, scope: str, service: str) -> SettingsT:
    """Read the settings found under `scope` (service_settings, task_settings, ...).

    Raises InvalidSettings with every bad value, or InvalidRequest that lists unknown settings.
    """
    try:
        return schema.model_validate(raw)
    except ValidationError as exc:
        details = exc.errors()
    unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
    problems = [_problem(detail, scope) for detail in details if detail not in unknown]
    if problems:
        raise InvalidSettings(problems)
    raise unknown_settings({detail["loc"][-1]: detail["input"] for detail in unknown}, service)


def unknown_settings(left_over: dict[Any, Any], service: str) -> InvalidRequest:
    return InvalidRequest(
        f"Configuration contains settings [{shown(left_over)}] unknown to the [{service}] service"
    )


def _problem(detail: ErrorDetails, scope: str) -> str:
    name, value = detail["loc"][-1] if detail["loc"] else scope, shown(detail["input"])
    limits = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"[{scope}] does not contain the required setting [{name}]"
        case "greater_than" if limits["gt"] == 0:
            return f"[{scope}] Invalid value [{value}]. [{name}] must be a positive integer"
        case "greater_than_equal":
            bound = f"greater than or equal to [{limits['ge']}]"
            return f"[{scope}] Invalid value [{value}]. [{name}] must be a {bound}"
        case "less_than_equal":
            bound = f"less than or equal to [{limits['le']}]"
            return f"[{scope}] Invalid value [{value}]. [{name}] must be a {bound}"
        case "literal_error":
            allowed = ", ".join(sorted(re.findall(r"'([^']+)'", limits["expected"])))
            return (
                f"[{scope}] Invalid value [{value}] received. [{name}] must be one of [{allowed}]"
            )
        case "string_too_short":
            return f"[{scope}] Invalid value empty string. [{name}] must be a non-empty string"
        case "value_error":
            return f"[{scope}] Invalid value [{value}]. [{name}] {limits['error']}"
        case kind if kind in JAVA_TYPES:
            expected = f"The value [{value}] cannot be converted to a [{JAVA_TYPES[kind]}]"
            return f"field [{name}] is not of the expected type. {expected}"
        case _:
            return f"[{scope}] Invalid value [{value}]. [{name}]: {detail['msg']}"
