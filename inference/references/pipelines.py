"""Ingest pipelines: what one may hold, and which models its processors name."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias

from inference.errors import InvalidArgument
from inference.references.errors import InvalidPipeline

Config: TypeAlias = Mapping[str, Any]

MAX_FOREACH_DEPTH = 10
MAX_VERSION = 2**31 - 1
INFERENCE, FOREACH = "inference", "foreach"
COMMON_OPTIONS = frozenset({"if", "tag", "description", "ignore_failure", "on_failure"})
# The processors that really run here: what each needs, and what it may have beside that.
REQUIRED: dict[str, tuple[str, ...]] = {
    INFERENCE: ("model_id",),
    "set": ("field",),
    "remove": (),
    "rename": ("field", "target_field"),
    FOREACH: ("field", "processor"),
}
OPTIONAL: dict[str, frozenset[str]] = {
    INFERENCE: frozenset(
        {"input_output", "target_field", "field_map", "inference_config", "ignore_missing"}
    ),
    "set": frozenset({"value", "copy_from", "override", "ignore_empty_value", "media_type"}),
    "remove": frozenset({"field", "keep", "ignore_missing"}),
    "rename": frozenset({"ignore_missing", "override"}),
    FOREACH: frozenset({"ignore_missing"}),
}
PROCESSOR_TYPES = frozenset(
    {
        *("append", "attachment", "bytes", "cef", "circle", "community_id", "convert", "csv"),
        *("date", "date_index_name", "dissect", "dot_expander", "drop", "enrich", "fail"),
        *("fingerprint", "geo_grid", "geoip", "grok", "gsub", "html_strip", "ip_location"),
        *("join", "json", "kv", "lowercase", "network_direction", "normalize_for_stream"),
        *("pipeline", "recover_failure_document", "redact", "registered_domain", "reroute"),
        *("script", "set_security_user", "sort", "split", "terminate", "trim", "uppercase"),
        *("uri_parts", "urldecode", "user_agent"),
        *REQUIRED,
    }
)
BOOLEANS = ("ignore_failure", "ignore_missing", "override", "ignore_empty_value")
STRINGS = ("tag", "description", "model_id", "target_field", "copy_from", "media_type")
JSON_TYPES = {dict: "map", list: "list", str: "string", int: "integer", bool: "boolean"}


def check_pipeline(config: Any) -> None:
    """Raises InvalidPipeline or InvalidArgument, naming the processor and the option."""
    if not isinstance(config, dict):
        raise InvalidPipeline("a pipeline must be an object")
    pipeline = _Options(config)
    pipeline.require("processors")
    pipeline.expect("processors", list)
    pipeline.expect("on_failure", list)
    pipeline.expect("description", str)
    pipeline.expect("version", int)
    if not -MAX_VERSION <= (config.get("version") or 0) <= MAX_VERSION:
        raise pipeline.refused("version", "property is out of the range of an integer")
    pipeline.expect("_meta", dict)
    pipeline.expect("deprecated", bool)
    known = ("processors", "on_failure", "description", "version", "_meta", "deprecated")
    if unknown := [name for name in config if name not in known]:
        raise InvalidPipeline(
            "pipeline doesn't support one or more provided configuration parameters "
            f"[{', '.join(unknown)}]"
        )
    _check_all(config["processors"])
    if config.get("on_failure") == []:
        raise pipeline.refused("on_failure", "processors list cannot be empty")
    _check_all(config.get("on_failure") or ())


def inference_processors(config: Config) -> Iterator[Config]:
    """Every inference processor: at the top, inside `foreach`, and in any `on_failure`.

    The pipeline may be of another system: what is not as it should be is passed over.
    """
    for processors in (config.get("processors"), config.get("on_failure")):
        yield from _inference_in(processors, 0)


def referenced_models(config: Config) -> frozenset[str]:
    models = (options.get("model_id") for options in inference_processors(config))
    return frozenset(model for model in models if model and isinstance(model, str))


def pointed_pipeline(config: Config, old: str, new: str) -> dict[str, Any]:
    """The same pipeline, whose inference processors name one model in the place of another."""
    pointed: dict[str, Any] = deepcopy(dict(config))
    for options in inference_processors(pointed):
        if options.get("model_id") == old:
            options["model_id"] = new  # type: ignore[index]  # a copy, which is ours
    return pointed


def split(processor: Config) -> tuple[str, Config]:
    """The type of a checked processor and its options."""
    ((kind, options),) = processor.items()
    return kind, options


def _inference_in(processors: Any, depth: int) -> Iterator[Config]:
    if depth > MAX_FOREACH_DEPTH or not isinstance(processors, list):
        return
    for processor in processors:
        for kind, options in processor.items() if isinstance(processor, dict) else ():
            if not isinstance(options, dict):
                continue
            if kind == INFERENCE:
                yield options
            elif kind == FOREACH:
                yield from _inference_in([options.get("processor")], depth + 1)
            yield from _inference_in(options.get("on_failure"), depth)


def _check_all(processors: Sequence[Any]) -> None:
    for processor in processors:
        _check(processor)


def _check(processor: Any) -> None:
    if not isinstance(processor, dict) or len(processor) != 1:
        raise InvalidPipeline("a processor must be an object with exactly one key, its type")
    ((kind, config),) = processor.items()
    if kind not in PROCESSOR_TYPES:
        raise InvalidPipeline(
            f"No processor type exists with name [{kind}]", {"processor_type": kind}
        )
    if not isinstance(config, dict):
        raise InvalidPipeline(
            f"[{kind}] property isn't a map, but of type [{json_type(config)}]",
            {"processor_type": kind},
        )
    options = _Options(config, kind)
    for name in STRINGS:
        if name in COMMON_OPTIONS or kind in REQUIRED:
            options.expect(name, str)
    options.expect("ignore_failure", bool)
    options.expect("on_failure", list)
    if config.get("on_failure") == []:
        raise options.refused("on_failure", "processors list cannot be empty")
    _check_all(config.get("on_failure") or ())
    if kind in REQUIRED:
        _check_own(kind, options)


def _check_own(kind: str, options: "_Options") -> None:
    config = options.config
    for name in REQUIRED[kind]:
        options.require(name)
    allowed = COMMON_OPTIONS | OPTIONAL[kind] | set(REQUIRED[kind])
    if unknown := [name for name in config if name not in allowed]:
        raise InvalidPipeline(
            f"processor [{kind}] doesn't support one or more provided configuration parameters "
            f"[{', '.join(unknown)}]",
            options.metadata(),
        )
    for name in BOOLEANS:
        options.expect(name, bool)
    if kind != "remove":
        options.expect("field", str)
    match kind:
        case "set":
            _check_set(options)
        case "remove":
            _check_remove(options)
        case "foreach":
            options.expect("processor", dict)
            if len(config["processor"]) != 1:
                raise options.refused("processor", "Must specify exactly one processor type")
            _check(config["processor"])
        case "inference":
            _check_inference(options)


def _check_set(options: "_Options") -> None:
    config = options.config
    if config.get("copy_from") is None:
        options.require("value")
    elif config.get("value") is not None:
        raise options.refused(
            "copy_from", "cannot set both `copy_from` and `value` in the same processor"
        )


def _check_remove(options: "_Options") -> None:
    config = options.config
    if config.get("keep") is None:
        options.require("field")
    elif config.get("field") is not None:
        raise options.refused("keep", "and [field] cannot both be used in the same processor")
    for name in ("field", "keep"):
        value = config.get(name, [])
        if not isinstance(value, str | list) or any(not isinstance(one, str) for one in value):
            raise options.refused(name, "property isn't a string or a list of strings")


def _check_inference(options: "_Options") -> None:
    config = options.config
    if "input_output" in config:
        for name in ("target_field", "field_map"):
            if name in config:
                raise options.refused(
                    name, f"cannot specify both [input_output] and [{name}] in the same processor"
                )
        pairs = input_outputs(config)
        if not pairs:
            raise options.refused("input_output", "property cannot be empty at least one is needed")
        for pair in pairs:
            _check_pair(options, pair)
        outputs = [pair.get("output_field") for pair in pairs]
        if len(set(outputs)) < len(outputs):
            raise options.refused("input_output", "output_field must be different for each input")
    elif config.get("ignore_missing") is not None:
        raise options.refused("ignore_missing", "can only be used with [input_output]")
    options.expect("field_map", dict)
    if any(not isinstance(name, str) for name in (config.get("field_map") or {}).values()):
        raise options.refused("field_map", "property isn't a map of strings")
    options.expect("inference_config", dict)
    kinds = config.get("inference_config")
    if kinds is not None and len(kinds) != 1:
        raise options.refused("inference_config", "must be an object with one inference type")
    if any(not isinstance(kind, dict) for kind in (kinds or {}).values()):
        raise options.refused("inference_config", "must hold an object")
    if any(not isinstance(kind.get("results_field", ""), str) for kind in (kinds or {}).values()):
        raise options.refused("results_field", "property isn't a string")


def _check_pair(options: "_Options", pair: Any) -> None:
    if not isinstance(pair, dict):
        raise options.refused("input_output", "property isn't a map or a list of maps")
    if pair.get("input_field") is None:
        raise options.refused("input_field", "required property is missing")
    for name in pair:
        if name not in ("input_field", "output_field"):
            raise options.refused("input_output", f"has an unknown field [{name}]")
        if not isinstance(pair[name], str):
            raise options.refused(name, "property isn't a string")


def input_outputs(config: Config) -> list[Any]:
    given = config["input_output"]
    return given if isinstance(given, list) else [given]


def json_type(value: Any) -> str:
    return JSON_TYPES.get(type(value), type(value).__name__)


class _Options:
    """Reads the options of a processor, or of a pipeline where kind is None."""

    def __init__(self, config: Config, kind: str | None = None) -> None:
        self.config, self._kind = config, kind

    def metadata(self, property_name: str | None = None) -> dict[str, Any]:
        tag = self.config.get("tag") if self._kind else None
        told = {
            "processor_type": self._kind,
            "processor_tag": tag,
            "property_name": property_name,
        }
        return {name: value for name, value in told.items() if value is not None}

    def refused(self, name: str, problem: str) -> InvalidPipeline:
        return InvalidPipeline(f"[{name}] {problem}", self.metadata(name))

    def require(self, name: str) -> None:
        if self.config.get(name) is None:
            raise self.refused(name, "required property is missing")

    def expect(self, name: str, kind: type) -> None:
        value = self.config.get(name)
        is_mistaken = kind is int and isinstance(value, bool)
        if value is not None and (is_mistaken or not isinstance(value, kind)):
            raise self.refused(
                name, f"property isn't a {JSON_TYPES[kind]}, but of type [{json_type(value)}]"
            )


def next_version(config: Config, current: Config | None, if_version: int) -> int:
    """The version a pipeline gets when it replaces just this one. Raises InvalidArgument."""
    if current is None:
        raise InvalidArgument(
            f"version conflict, required version [{if_version}] but no pipeline was found"
        )
    if current.get("version") != if_version:
        raise InvalidArgument(
            f"version conflict, required version [{if_version}] "
            f"but current version is [{current.get('version')}]"
        )
    wished = config.get("version")
    if wished == if_version:
        raise InvalidArgument(f"cannot update the pipeline with the same version [{if_version}]")
    return if_version + 1 if wished is None else int(wished)
