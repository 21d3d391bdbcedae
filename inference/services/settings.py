"""Settings of services: declared with pydantic, refused in Elasticsearch's words."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictStr,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from inference.errors import InvalidRequest, InvalidSettings, shown
from inference.types import TaskType
from inference.upstream.places import certificate_problem, proxy_problem, url_problem


class Settings(BaseModel):
    """The base of every settings object: values keep their JSON types, nothing unknown."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, populate_by_name=True
    )

    def to_response(self) -> dict[str, Any]:
        """What the API stores and shows: only what is set, in the order of declaration."""
        hidden = set(names_marked("sensitive", type(self)))
        return self.model_dump(mode="json", exclude_none=True, exclude=hidden)

    @property
    def secrets(self) -> dict[str, Any]:
        """What is stored apart and encrypted, and never shown: plain JSON values, by name."""
        return {
            name: revealed(value)
            for name in sorted(names_marked("sensitive", type(self)))
            if (value := getattr(self, name)) is not None
        }


def revealed(value: Any) -> Any:
    """A secret, or a mapping of secrets, as plain JSON."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {name: revealed(one) for name, one in value.items()}
    return value


def setting(
    label: str,
    description: str = "",
    *,
    updatable: bool = False,
    sensitive: bool = False,
    required: bool = False,
    listed: bool = True,
    suggested: Any = None,
    tasks: Collection[TaskType] | None = None,
    **rules: Any,
) -> Any:
    """Declare a field with what the catalogue of services tells about it.

    required: told as such although the schema alone does not insist on it. listed: whether the
    catalogue shows it. suggested: what a form offers where the setting has no default of its own.
    tasks: those that know it; for any other it is an unknown setting. rules: of pydantic.
    """
    shown = {
        "updatable": updatable,
        "sensitive": sensitive,
        "required": required,
        "listed": listed,
        "suggested": suggested,
        "tasks": None if tasks is None else [task.value for task in tasks],
    }
    return Field(title=label, description=description or None, json_schema_extra=shown, **rules)


def folded(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def http_url(value: str) -> str:
    """An address on the web, as it was given. Raises PydanticCustomError with why it is none."""
    if why := url_problem(value):
        raise PydanticCustomError("url", "{why}", {"why": why})
    return value


def proxy_url(value: SecretStr) -> SecretStr:
    """The address of a proxy, as it was given. Raises PydanticCustomError with why it is none."""
    if why := proxy_problem(value.get_secret_value()):
        raise PydanticCustomError("url", "{why}", {"why": why})
    return value


def certificates(value: str) -> str:
    """Raises PydanticCustomError."""
    if problem := certificate_problem(value):
        raise PydanticCustomError("certificate", "{problem}", {"problem": problem})
    return value


# What a header can carry, and what is not for anybody but us to say.
HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
OWN_HEADERS = re.compile(
    r"host|connection|content-length|transfer-encoding|te|upgrade|proxy-.*|x-forwarded-.*",
    re.IGNORECASE,
)


def header_value(value: str) -> str:
    """Raises ValueError."""
    if not HEADER_VALUE.fullmatch(value):
        raise ValueError("must be a non-empty string of printable ASCII characters")
    return value


def header_names(headers: dict[str, str]) -> dict[str, str]:
    """Raises ValueError."""
    for name in headers:
        if not HEADER_NAME.fullmatch(name) or OWN_HEADERS.fullmatch(name):
            raise ValueError(f"cannot set the header [{name}]")
    return headers


def without_nulls(headers: Any) -> Any:
    if not isinstance(headers, dict):
        return headers
    return {name: value for name, value in headers.items() if value is not None}


def host_label(value: str) -> str:
    """One of the names between the dots of a host. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", value):
        raise ValueError("must be made of letters, digits and hyphens, as a part of a host's name")
    return value


PositiveInt = Annotated[int, Field(gt=0)]
Text: TypeAlias = Annotated[StrictStr, Field(min_length=1)]
Url: TypeAlias = Annotated[StrictStr, Field(min_length=1), AfterValidator(http_url)]
HeaderText: TypeAlias = Annotated[StrictStr, AfterValidator(header_value)]
Headers: TypeAlias = Annotated[
    dict[str, HeaderText], BeforeValidator(without_nulls), AfterValidator(header_names)
]
HostLabel: TypeAlias = Annotated[StrictStr, AfterValidator(host_label)]
Secret: TypeAlias = Annotated[SecretStr, Field(min_length=1)]
Proxy: TypeAlias = Annotated[Secret, AfterValidator(proxy_url)]
Certificates: TypeAlias = Annotated[Text, AfterValidator(certificates)]
# Before a Literal of lower-case words: case and blanks around it do not matter.
FOLDED = BeforeValidator(folded)
Similarity: TypeAlias = Annotated[Literal["cosine", "dot_product", "l2_norm"], FOLDED]
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


# A value that must not be told, and names of settings whose values may be such.
HIDDEN = "***"
SOUNDS_SECRET = re.compile(r"key|secret|token|passw|credential|auth|account", re.IGNORECASE)

TYPE_NAMES = {"integer": "int", "string": "str", "boolean": "bool", "array": "list"}


def configurations(
    schema: type[Settings],
    task_types: Sequence[TaskType],
    defaults: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The settings of a schema as the catalogue of services lists them.

    A group of settings is listed by each of its own, as `group.name`. defaults: those that the
    schema does not know, by name.
    """
    return dict(_listed(schema, task_types, defaults or {}))


def _listed(
    schema: type[Settings], task_types: Sequence[TaskType], defaults: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    described = schema.model_json_schema(by_alias=False)
    required = described.get("required", [])
    for name, entry in described["properties"].items():
        if not entry["listed"]:
            continue
        tasks = [task for task in task_types if is_for(schema, name, task)]
        # A setting that may be left out is described as one of its type or null.
        kind, *_ = entry.get("anyOf", [entry])
        if "$ref" in kind:
            group = described["$defs"][kind["$ref"].rpartition("/")[2]]
            for inner, inner_entry in group["properties"].items():
                shown = {**inner_entry, "updatable": entry["updatable"]}
                default = (defaults.get(name) or {}).get(inner)
                configuration = _configuration(shown, inner_entry, False, default)
                yield f"{name}.{inner}", configuration | {"supported_task_types": tasks}
            continue
        configuration = _configuration(entry, kind, name in required, defaults.get(name))
        yield name, configuration | {"supported_task_types": tasks}


def is_for(schema: type[Settings], name: str, task_type: TaskType) -> bool:
    """Whether a setting of a schema is known to endpoints of this task."""
    extra = schema.model_fields[name].json_schema_extra
    tasks = extra.get("tasks") if isinstance(extra, dict) else None
    return not isinstance(tasks, list) or task_type.value in tasks


@cache
def names_marked(mark: str, schema: type[Settings]) -> frozenset[str]:
    """The settings of a schema that are declared `updatable` or `sensitive`."""
    return frozenset(
        name
        for name, field in schema.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get(mark)
    )


def _configuration(
    entry: dict[str, Any], kind: dict[str, Any], is_required: bool, default: Any
) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for known in (entry.get("default"), entry["suggested"]):
        default = known if default is None else default
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


def parse_settings(
    schema: type[SettingsT],
    raw: Any,
    *,
    scope: str,
    service: str,
    task_type: TaskType | None = None,
) -> SettingsT:
    """Read the settings found under `scope` (service_settings, task_settings, ...).

    Raises InvalidSettings with every bad value, or InvalidRequest that lists unknown settings;
    one that is for other tasks is unknown.
    """
    foreign: dict[Any, Any] = {}
    if task_type and isinstance(raw, dict):
        known = schema.model_fields
        foreign = {
            name: value
            for name, value in raw.items()
            if name in known and not is_for(schema, name, task_type)
        }
        raw = {name: value for name, value in raw.items() if name not in foreign}
    try:
        parsed = schema.model_validate(raw)
        details = []
    except ValidationError as exc:
        details = exc.errors()
    unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
    problems = [_problem(detail, scope, schema) for detail in details if detail not in unknown]
    if problems:
        raise InvalidSettings(problems)
    foreign |= {detail["loc"][-1]: detail["input"] for detail in unknown}
    if foreign:
        raise unknown_settings(foreign, service)
    return parsed


def unknown_settings(left_over: dict[Any, Any], service: str) -> InvalidRequest:
    told = shown(masked(left_over))
    return InvalidRequest(
        f"Configuration contains settings [{told}] unknown to the [{service}] service"
    )


def masked(settings: Any) -> Any:
    """Settings as they may be told: without the values of names that sound secret."""
    if not isinstance(settings, dict):
        return settings
    return {
        name: HIDDEN if SOUNDS_SECRET.search(str(name)) else masked(value)
        for name, value in settings.items()
    }


def _problem(detail: ErrorDetails, scope: str, schema: type[Settings]) -> str:
    name = detail["loc"][-1] if detail["loc"] else scope
    is_secret = bool(set(detail["loc"]) & names_marked("sensitive", schema))
    # Within a map, headers for example, anything may be a secret.
    is_secret |= len(detail["loc"]) > 1 and bool(SOUNDS_SECRET.search(str(name)))
    value = HIDDEN if is_secret else shown(masked(detail["input"]))
    limits = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"[{scope}] does not contain the required setting [{name}]"
        case "told":
            text: str = limits["text"]
            return text
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
        case "string_too_short" | "too_short" if limits.get("field_type", "Value") == "Value":
            return f"[{scope}] Invalid value empty string. [{name}] must be a non-empty string"
        case "too_short":
            kind = "map" if limits["field_type"] == "Dictionary" else "list"
            return f"[{scope}] Invalid value empty {kind}. [{name}] must be a non-empty {kind}"
        case "url":
            # What stands before an @ may be a password.
            told = HIDDEN if "@" in value else value
            return (
                f"[{scope}] Invalid url [{told}] received for field [{name}]. "
                f"Error: unable to parse url [{told}]. Reason: {limits['why']}"
            )
        case "certificate":
            # Not what was given: it may be a key by mistake.
            return f"[{scope}] Invalid value. [{name}] {limits['problem']}"
        case "value_error":
            return f"[{scope}] Invalid value [{value}]. [{name}] {limits['error']}"
        case kind if kind in JAVA_TYPES:
            expected = f"The value [{value}] cannot be converted to a [{JAVA_TYPES[kind]}]"
            return f"field [{name}] is not of the expected type. {expected}"
        case _:
            return f"[{scope}] Invalid value [{value}]. [{name}]: {detail['msg']}"
