"""The settings of the custom service: templates, values for them, and where results are."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError

from inference.errors import InvalidRequest, InvalidSettings, shown
from inference.services.json_paths import type_name
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.settings import (
    HIDDEN,
    PositiveInt,
    Settings,
    SettingsT,
    Similarity,
    Text,
    header_names,
    masked,
    parse_settings,
    revealed,
    setting,
)

NAME = "custom"
INPUT_TYPES = ("ingest", "search", "classification", "clustering")
SCALARS = {bool: "Boolean", float: "Double, Float", int: "Integer", str: "String"}


def entries_of(field: str, *kinds: type, is_secret: bool = False) -> BeforeValidator:
    """A mapping of values of these types; those that are null are left out."""
    allowed = ", ".join(SCALARS[kind] for kind in SCALARS if kind in kinds)

    def check(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        kept = {name: one for name, one in value.items() if one is not None}
        for name, one in kept.items():
            if type(one) not in kinds:
                told = HIDDEN if is_secret else shown(masked({name: one})[name])
                raise refused(
                    f"Map field [{field}] has an entry that is not valid, [{name} => {told}]. "
                    f"Value type of [{told}] is not one of [{allowed}]."
                )
        return kept or None

    return BeforeValidator(check)


def refused(text: str) -> PydanticCustomError:
    return PydanticCustomError("told", "{text}", {"text": text})


def checked_pairs(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    for pair in value:
        if not isinstance(pair, list) or [type(one) for one in pair] != [str, str]:
            raise ValueError(
                f"must be a list of [key, value] pairs of texts, not of [{shown(pair)}]"
            )
    return value or None


def content_of(value: Any) -> Any:
    """The text of a body; `{"content": ...}` is another way to write it."""
    is_wrapped = isinstance(value, Mapping) and set(value) == {"content"}
    return value["content"] if is_wrapped else value


def checked_translation(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    for name, word in value.items():
        if not isinstance(word, str) or not word:
            raise refused(
                f"Input type translation value for key [{name}] must be a String that is not null "
                f"and not empty, received: [{shown(word)}], type: [{type_name(word)}]."
            )
        if name.lower() not in INPUT_TYPES:
            raise refused(
                f"Invalid input type translation for key: [{name}], is not a valid value. Must be "
                f"one of [{', '.join(INPUT_TYPES)}]"
            )
    return {name.lower(): word for name, word in value.items()}


class InputTypes(Settings):
    """What `${input_type}` stands for."""

    translation: Annotated[dict[str, str], BeforeValidator(checked_translation)] = setting(
        "Translation", "The provider's word for each input type.", default_factory=dict
    )
    default: str = setting("Default", "The word for any other.", default="")


class Response(Settings):
    json_parser: dict[str, Any] = setting("JSON parser", "Where the results are.", min_length=1)


SecretTexts = Annotated[
    dict[str, SecretStr] | None, entries_of("secret_parameters", str, is_secret=True)
]
HeaderTexts = Annotated[
    Annotated[dict[str, str], AfterValidator(header_names)] | None, entries_of("headers", str)
]
Pairs = Annotated[list[list[str]] | None, BeforeValidator(checked_pairs)]


class CustomSettings(RemoteSettings):
    """url, the values of headers and query_parameters, and request are templates."""

    similarity: Similarity | None = similarity_setting()
    dimensions: PositiveInt | None = dimensions_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting(is_cut=False)
    secret_parameters: SecretTexts = setting(
        "Secret Parameters", "Values for the templates that nobody is shown.", sensitive=True,
        updatable=True, default=None,
    )  # fmt: skip
    url: Text = setting("URL", "The address; it may hold ${name} for values.")
    headers: HeaderTexts = setting(
        "Headers", "Sent with every request; values may hold ${name}.", default=None
    )
    query_parameters: Pairs = setting(
        "Query Parameters", "Pairs of a key and a value, which may hold ${name}.", default=None
    )
    request: Annotated[Text, BeforeValidator(content_of)] = setting(
        "Request", "The JSON to send, with ${name} for values, without quotes around them."
    )
    response: dict[str, Any] = setting(
        "Response", "Holds [json_parser]: the paths to the results.", min_length=1
    )
    input_type: dict[str, Any] = setting(
        "Input Type", "Translates the input type for ${input_type}.", default_factory=dict
    )
    batch_size: PositiveInt = setting("Batch Size", "How many chunks are sent at once.", default=10)

    @property
    def secret_texts(self) -> dict[str, str]:
        texts: dict[str, str] = revealed(self.secret_parameters or {})
        return texts


class CustomTaskSettings(Settings):
    parameters: Annotated[dict[str, Any] | None, entries_of("parameters", *SCALARS)] = setting(
        "Parameters", "Values for the templates.", updatable=True, default=None
    )


def parse_part(schema: type[SettingsT], raw: Any, scope: str) -> SettingsT:
    """An object within the service settings; null is as good as nothing.

    Raises InvalidSettings or InvalidRequest.
    """
    raw = {name: value for name, value in raw.items() if value is not None}
    if unknown := {name: raw[name] for name in raw if name not in schema.model_fields}:
        raise InvalidRequest(
            f"Configuration contains unknown settings [{shown(masked(unknown))}] while parsing "
            f"field [{scope.rpartition('.')[2]}] for settings [custom_service_settings]"
        )
    return parse_settings(schema, raw, scope=scope, service=NAME)


def check_names(settings: CustomSettings, task_settings: CustomTaskSettings) -> None:
    """A name has one value. Raises InvalidSettings."""
    twice = sorted(set(task_settings.parameters or {}) & set(settings.secret_parameters or {}))
    if twice:
        raise InvalidSettings(
            [
                f"[task_settings.parameters] and [service_settings.secret_parameters] must not "
                f"have the same names, but both have [{', '.join(twice)}]"
            ]
        )
