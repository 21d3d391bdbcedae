"""What a service's schema says of each setting, as somebody fills it in: text in, JSON out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

import orjson

from inference.services.settings import Settings, is_for
from inference.types import TaskType

WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,2})?", re.IGNORECASE)
# The type of a setting that a service does not have.
NOTHING = {"type": "null"}
SWITCHES = {"true": True, "false": False}


class Kind(StrEnum):
    """How a setting is written. LINES: a list, one to a line; PAIRS: names with their values."""

    TEXT = auto()
    LONG_TEXT = auto()
    INTEGER = auto()
    NUMBER = auto()
    SWITCH = auto()
    CHOICE = auto()
    LINES = auto()
    PAIRS = auto()
    JSON = auto()


@dataclass(frozen=True, eq=False)
class Entry:
    """One setting in a form.

    path: where it stands below its scope, two names long in a group of settings. default: what
    holds where nothing is written. least, most: the bounds of a number, both included.
    """

    scope: str
    path: tuple[str, ...]
    label: str
    description: str
    kind: Kind
    is_required: bool = False
    is_secret: bool = False
    is_updatable: bool = False
    is_listed: bool = True
    default: Any = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    example: str = ""

    @property
    def name(self) -> str:
        """What its field is called, unlike any other of the form."""
        return ".".join((self.scope, *self.path))

    @property
    def is_long(self) -> bool:
        return self.kind in (Kind.LONG_TEXT, Kind.LINES, Kind.PAIRS, Kind.JSON)

    def value_of(self, text: str) -> Any:
        """What was written, as JSON; None for nothing.

        What is no such value goes on as it was written, for the service to refuse in its own
        words. Raises ValueError where it cannot even be told to it.
        """
        if not text:
            return None
        match self.kind:
            case Kind.INTEGER if WHOLE.fullmatch(text):
                return int(text)
            case Kind.NUMBER if DECIMAL.fullmatch(text):
                return float(text)
            case Kind.SWITCH:
                return SWITCHES.get(text, text)
            case Kind.LINES:
                return [line for one in text.splitlines() if (line := one.strip())]
            case Kind.PAIRS:
                return pairs_in(text)
            case Kind.JSON:
                try:
                    return orjson.loads(text)
                except orjson.JSONDecodeError as exc:
                    raise ValueError(f"This is no JSON: {exc}.") from None
        return text

    def text_of(self, value: Any) -> str:
        """A value as it would be written."""
        if value is None:
            return ""
        match self.kind:
            case Kind.SWITCH:
                return "true" if value else "false"
            case Kind.LINES:
                return "\n".join(value)
            case Kind.PAIRS:
                return orjson.dumps(list(value.items())).decode()
            case Kind.JSON:
                return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        return str(value)


def pairs_in(text: str) -> dict[str, str]:
    """Names with their values, from a JSON list of both.

    Raises ValueError for a value without a name, and for a name that is there twice.
    """
    found: dict[str, str] = {}
    for name, value in rows_in(text):
        if not name:
            raise ValueError(f"Give [{value}] a name, or take it away.")
        if name in found:
            raise ValueError(f"[{name}] is there twice.")
        found[name] = value
    return found


def rows_in(text: str) -> list[list[str]]:
    """The names and values of PAIRS as they are written. Raises ValueError."""
    try:
        rows = orjson.loads(text)
    except orjson.JSONDecodeError:
        rows = None
    if not isinstance(rows, list) or not all(is_pair(row) for row in rows):
        raise ValueError("Write names with their values.")
    return rows


def is_pair(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 2 and all(isinstance(one, str) for one in row)


def entries_of(
    schema: type[Settings], scope: str, task_type: TaskType, defaults: Mapping[str, Any]
) -> tuple[Entry, ...]:
    """The settings that an endpoint of this task can have, in the order of their declaration.

    defaults: what the service puts where nothing is said, by name.
    """
    return tuple(_entries(schema, scope, task_type, defaults))


def _entries(
    schema: type[Settings], scope: str, task_type: TaskType, defaults: Mapping[str, Any]
) -> Iterator[Entry]:
    described = schema.model_json_schema(by_alias=False)
    required = described.get("required", [])
    for name, told in described.get("properties", {}).items():
        shape = shape_of(told)
        if shape == NOTHING or not is_for(schema, name, task_type):
            continue
        default = defaults.get(name)
        group = described["$defs"][shape["$ref"].rpartition("/")[2]] if "$ref" in shape else {}
        if group and is_flat(group):
            for inner, inner_told in group["properties"].items():
                own = found_at(default or {}, (inner,))
                if len(group["properties"]) > 1:
                    label = f"{told['title']}: {inner_told['title'].lower()}"
                    inner_told = {**inner_told, "title": label}
                yield _entry(scope, (name, inner), inner_told, told, False, own)
        else:
            yield _entry(scope, (name,), told, told, name in required, default)


def is_flat(group: Mapping[str, Any]) -> bool:
    """Whether each setting of a group can be a field of its own."""
    shapes = map(shape_of, group.get("properties", {}).values())
    return all(kind_of(shape) != Kind.JSON for shape in shapes)


def shape_of(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The type of a setting, without the null that stands for none; empty for several types."""
    options = [one for one in told.get("anyOf", [told]) if one.get("type") != "null"]
    if not options:
        return NOTHING
    return options[0] if len(options) == 1 else {}


def _entry(
    scope: str,
    path: tuple[str, ...],
    told: Mapping[str, Any],
    marks: Mapping[str, Any],
    is_required: bool,
    default: Any,
) -> Entry:
    """told: what the schema says of the setting. marks: of it, or of the group around it."""
    shape = shape_of(told)
    for known in (told.get("default"), told.get("suggested")):
        default = known if default is None else default
    example = next(iter(told.get("examples", ())), "")
    kind = kind_of(shape)
    choices = shape.get("enum", [shape["const"]] if "const" in shape else [])
    return Entry(
        scope,
        path,
        label=in_sentence_case(told["title"]),
        description=told.get("description", ""),
        kind=Kind.LONG_TEXT if kind == Kind.TEXT and "\n" in example else kind,
        is_required=is_required or marks.get("required", False),
        is_secret=marks.get("sensitive", False),
        is_updatable=marks.get("updatable", False),
        is_listed=marks.get("listed", True),
        default=default,
        choices=tuple(map(str, choices)),
        least=_bound(shape, "minimum", "exclusiveMinimum", 1),
        most=_bound(shape, "maximum", "exclusiveMaximum", -1),
        example=example,
    )


def in_sentence_case(title: str) -> str:
    """A title as people read it here; what is spelled in capitals stays so: API key, Model ID."""
    first, *others = title.replace("Number ", "Number of ").split()
    return " ".join((first, *map(lowered, others)))


def lowered(word: str) -> str:
    """A word as it stands within a sentence."""
    return word if word.isupper() else word.lower()


def kind_of(shape: Mapping[str, Any]) -> Kind:
    """How a value of this JSON type is written; JSON for whatever has no better way."""
    match shape:
        case {"enum": _} | {"const": _}:
            return Kind.CHOICE
        case {"type": "string"}:
            return Kind.TEXT
        case {"type": "integer"}:
            return Kind.INTEGER
        case {"type": "number"}:
            return Kind.NUMBER
        case {"type": "boolean"}:
            return Kind.SWITCH
        case {"type": "array", "items": {"type": "string"}}:
            return Kind.LINES
        case {"type": "object", "additionalProperties": {"type": "string"}}:
            return Kind.PAIRS
    return Kind.JSON


def _bound(shape: Mapping[str, Any], included: str, excluded: str, step: int) -> float | None:
    """A bound that is itself allowed, where there is one."""
    if included in shape:
        bound: float = shape[included]
        return bound
    if excluded in shape and shape.get("type") == "integer":
        beside: float = shape[excluded] + step
        return beside
    return None


def nested(values: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """Values by their paths as one object; those that are None are left out."""
    made: dict[str, Any] = {}
    for path, value in values.items():
        if value is None:
            continue
        place = made
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value
    return made


def found_at(settings: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """What stands at a path; None where nothing does."""
    value: Any = settings
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
