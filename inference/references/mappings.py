"""Index mappings: which fields there are, how they may change, and which endpoints they name."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from inference.chunking.settings import parse_chunking
from inference.errors import InferenceError, InvalidArgument
from inference.references.errors import MapperParsing

Fields: TypeAlias = Mapping[str, Any]
# The model settings of an endpoint, or None where it is not known.
ModelSettingsOf: TypeAlias = Callable[[str], Mapping[str, Any] | None]

SEMANTIC_TEXT = "semantic_text"
DEFAULT_INFERENCE_ID = ".elser-2-elasticsearch"
MAX_DEPTH = 20

FIELD_TYPES = frozenset(
    {
        *("aggregate_metric_double", "alias", "annotated_text", "binary", "boolean", "byte"),
        *("completion", "constant_keyword", "counted_keyword", "date", "date_nanos", "date_range"),
        *("dense_vector", "double", "double_range", "exponential_histogram", "flattened", "float"),
        *("float_range", "geo_point", "geo_shape", "half_float", "histogram", "icu_collation"),
        *("integer", "integer_range", "ip", "ip_range", "join", "keyword", "long", "long_range"),
        *("match_only_text", "murmur3", "nested", "object", "passthrough", "pattern_text"),
        *("percolator", "point", "rank_feature", "rank_features", "rank_vectors", "scaled_float"),
        *("search_as_you_type", SEMANTIC_TEXT, "shape", "short", "sparse_vector", "text"),
        *("token_count", "unsigned_long", "version", "wildcard"),
    }
)
ROOT_PARAMETERS = frozenset(
    {
        *("_data_stream_timestamp", "_field_names", "_meta", "_routing", "_size", "_source"),
        *("date_detection", "dynamic", "dynamic_date_formats", "dynamic_templates", "enabled"),
        *("numeric_detection", "properties", "runtime", "subobjects"),
    }
)
SEMANTIC_PARAMETERS = frozenset(
    {
        *("type", "inference_id", "search_inference_id", "chunking_settings", "index_options"),
        *("model_settings", "meta", "fields"),
    }
)
DENSE_SETTINGS = ("dimensions", "similarity", "element_type")
SIMILARITIES = ("cosine", "dot_product", "l2_norm")
ELEMENT_TYPES = ("bfloat16", "bit", "byte", "float")
EMBEDDING_TASKS = ("text_embedding", "sparse_embedding", "embedding")


def parse_mapping(raw: Any) -> dict[str, Any]:
    """Check a mapping and write it as it is shown. Raises MapperParsing or InvalidArgument."""
    return _with_default_ids(_parse(raw))


def merge_mapping(
    existing: Fields, update: Any, model_settings_of: ModelSettingsOf
) -> dict[str, Any]:
    """The mapping after put_mapping: fields are added or changed, never removed.

    What the update does not name about a field stays. Raises MapperParsing for an update that
    cannot be, InvalidArgument for a change that is not allowed.
    """
    parsed = _parse(update)
    merged = {**existing, **parsed}
    if "properties" in parsed:
        old = existing.get("properties", {})
        merged["properties"] = _merge_fields(old, parsed["properties"], "", model_settings_of)
    return _with_default_ids(merged)


def left_out(mapping: Fields, update: Any) -> Iterator[str]:
    """What a mapping has and an update of it does not name, so that it stays: by dotted names.

    Raises MapperParsing for an update that cannot be.
    """
    yield from _left_out(mapping, _parse(update), "")


def semantic_fields(mapping: Fields) -> Iterator[tuple[str, Fields]]:
    """Every `semantic_text` field with its path: in objects, nested objects and multi-fields.

    The mapping may be of another system: what is not as it should be is passed over.
    """
    yield from _semantic_fields(mapping, "")


def named_ids(field: Fields) -> frozenset[str]:
    """The endpoints that a `semantic_text` field names, for indexing or for searching."""
    named = (field.get("inference_id", DEFAULT_INFERENCE_ID), field.get("search_inference_id"))
    return frozenset(name for name in named if name and isinstance(name, str))


def referenced_ids(mapping: Fields) -> frozenset[str]:
    """The endpoints that the fields of a mapping name."""
    return frozenset().union(*(named_ids(field) for _, field in semantic_fields(mapping)))


def pointed_fields(mapping: Fields, old: str, new: str) -> dict[str, Any]:
    """An update of a mapping: the fields that name one endpoint name another in its place."""
    return _pointed(mapping, old, new) or {}


def is_compatible(one: Fields, other: Fields) -> bool:
    """Whether what one model wrote can be searched with the other.

    Settings that one of the two does not tell are taken to agree; the service may differ.
    """
    names = ("task_type", *DENSE_SETTINGS)
    return all(
        one[name] == other[name]
        for name in names
        if one.get(name) is not None and other.get(name) is not None
    )


def _pointed(node: Fields, old: str, new: str) -> dict[str, Any] | None:
    """What an update has to say of a field and of those within; None where nothing changes."""
    changed: dict[str, Any] = {}
    if node.get("type") == SEMANTIC_TEXT:
        for name in ("inference_id", "search_inference_id"):
            if node.get(name) == old:
                changed[name] = new
        if changed:
            changed = {**{name: node[name] for name in node if name != "fields"}, **changed}
    for kind in ("properties", "fields"):
        within = node.get(kind)
        for name, field in within.items() if isinstance(within, dict) else ():
            if isinstance(field, dict) and (update := _pointed(field, old, new)):
                changed.setdefault(kind, {})[name] = update
    if changed and "type" in node:
        changed = {"type": node["type"], **changed}
    return changed or None


def _semantic_fields(node: Fields, prefix: str) -> Iterator[tuple[str, Fields]]:
    for kind in ("properties", "fields"):
        fields = node.get(kind)
        for name, field in fields.items() if isinstance(fields, dict) else ():
            if not isinstance(field, dict):
                continue
            path = prefix + name
            if field.get("type") == SEMANTIC_TEXT:
                yield path, field
            yield from _semantic_fields(field, f"{path}.")


def _left_out(old: Fields, new: Fields, prefix: str) -> Iterator[str]:
    for name, value in old.items():
        if name in ("properties", "fields"):
            given = new.get(name, {})
            for field, inner in value.items():
                if field in given:
                    yield from _left_out(inner, given[field], f"{prefix}{field}.")
                else:
                    yield prefix + field
        elif name not in new and name != "type" and value != DEFAULT_INFERENCE_ID:
            yield prefix + name


def _parse(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise MapperParsing("the mapping must be an object")
    if unknown := [name for name in raw if name not in ROOT_PARAMETERS]:
        listed = ", ".join(f"[{name} : {raw[name]}]" for name in unknown)
        raise MapperParsing(f"Root mapping definition has unsupported parameters: {listed}")
    parsed = dict(raw)
    if "properties" in raw:
        parsed["properties"] = _parse_fields(raw, "properties", "", depth=1)
    return parsed


def _parse_fields(node: Fields, kind: str, prefix: str, depth: int) -> dict[str, Any]:
    """The checked fields of an object, or the multi-fields of a field."""
    fields, owner = node[kind], prefix.rstrip(".") or "_doc"
    if not isinstance(fields, dict):
        raise MapperParsing(f"Expected map for property [{kind}] on field [{owner}]")
    if depth > MAX_DEPTH:
        raise InvalidArgument(f"Limit of mapping depth [{MAX_DEPTH}] has been exceeded")
    parsed: dict[str, Any] = {}
    has_subobjects = kind == "properties" and node.get("subobjects") not in (False, "false")
    for name, field in fields.items():
        head, dot, rest = name.partition(".") if has_subobjects else (name, "", "")
        if not head.strip() or (dot and not rest):
            raise MapperParsing(
                f"field name [{prefix}{name}] cannot be an empty string or contain only whitespace",
                "illegal_argument_exception",
            )
        if dot:
            field = {"properties": {rest: field}}
        checked = _parse_field(field, prefix + head, depth)
        if head in parsed:
            both = _merge_fields({head: parsed[head]}, {head: checked}, prefix, lambda _: None)
            checked = both[head]
        parsed[head] = checked
    return parsed


def _parse_field(raw: Any, path: str, depth: int) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise MapperParsing(f"Expected map for property [{path}], but got [{raw}]")
    kind = raw.get("type", "object" if "properties" in raw or "enabled" in raw else None)
    if kind is None:
        raise MapperParsing(f"No type specified for field [{path}]")
    if not isinstance(kind, str) or kind not in FIELD_TYPES:
        raise MapperParsing(
            f"The mapper type [{kind}] declared on field [{path}] does not exist. It might have "
            "been created within a future version or requires a plugin to be installed. "
            "Check the documentation."
        )
    parsed = _parse_semantic(raw, path) if kind == SEMANTIC_TEXT else dict(raw)
    for name in ("properties", "fields"):
        if name in raw:
            parsed[name] = _parse_fields(raw, name, f"{path}.", depth + 1)
    return parsed


def _parse_semantic(raw: Fields, path: str) -> dict[str, Any]:
    on_mapper = f"on mapper [{path}] of type [{SEMANTIC_TEXT}]"
    if unknown := [name for name in raw if name not in SEMANTIC_PARAMETERS]:
        raise MapperParsing(f"unknown parameter [{unknown[0]}] {on_mapper}")
    parsed = dict(raw)
    for name in ("inference_id", "search_inference_id"):
        value = raw.get(name)
        if value is None and (name not in raw or name == "search_inference_id"):
            continue
        if not isinstance(value, str):
            raise MapperParsing(f"[{name}] {on_mapper} must be a string, not [{value}]")
        if not value.strip():
            raise MapperParsing(f"[{name}] {on_mapper} must not be empty")
    for name in ("index_options", "meta"):
        if not isinstance(raw.get(name, {}), dict | None):
            raise MapperParsing(f"[{name}] {on_mapper} must be an object")
    try:
        if chunking := _object_or_none(raw, "chunking_settings"):
            parsed["chunking_settings"] = parse_chunking(chunking).to_response()
        if (model := _object_or_none(raw, "model_settings")) is not None:
            _check_model_settings(model)
    except InferenceError as exc:
        raise MapperParsing(f"Failed to parse field [{path}]: {exc}", exc.type) from exc
    return parsed


def _object_or_none(raw: Fields, name: str) -> dict[str, Any] | None:
    value = raw.get(name)
    if value is not None and not isinstance(value, dict):
        raise InvalidArgument(f"[{name}] must be an object, not [{value}]")
    return value


def _check_model_settings(settings: Fields) -> None:
    if unknown := [n for n in settings if n not in ("service", "task_type", *DENSE_SETTINGS)]:
        raise InvalidArgument(f"[model_settings] unknown field [{unknown[0]}]")
    task = settings.get("task_type")
    if task not in EMBEDDING_TASKS:
        allowed = ", ".join(EMBEDDING_TASKS)
        raise InvalidArgument(
            f"Wrong [task_type], expected one of [{allowed}], "
            + ("but it is missing" if task is None else f"got [{task}]")
        )
    for name in DENSE_SETTINGS:
        is_there = settings.get(name) is not None
        if task == "text_embedding" and not is_there:
            raise InvalidArgument(f"required [{name}] field is missing for task_type [{task}]")
        if task == "sparse_embedding" and is_there:
            raise InvalidArgument(f"[{name}] is not allowed for task_type [{task}]")
    dimensions = settings.get("dimensions")
    if dimensions is not None and (type(dimensions) is not int or dimensions < 1):
        raise InvalidArgument(f"[dimensions] must be a positive integer, not [{dimensions}]")
    for name, known in (("similarity", SIMILARITIES), ("element_type", ELEMENT_TYPES)):
        value = settings.get(name)
        if value is not None and value not in known:
            allowed = ", ".join(known)
            raise InvalidArgument(f"[{name}] must be one of [{allowed}], not [{value}]")


def _merge_fields(
    old: Fields, new: Fields, prefix: str, model_settings_of: ModelSettingsOf
) -> dict[str, Any]:
    merged = dict(old)
    for name, field in new.items():
        if name in old:
            field = _merge_field(old[name], field, prefix + name, model_settings_of)
        merged[name] = field
    return merged


def _merge_field(
    old: Fields, new: Fields, path: str, model_settings_of: ModelSettingsOf
) -> dict[str, Any]:
    old_type, new_type = old.get("type", "object"), new.get("type", "object")
    if old_type != new_type:
        raise InvalidArgument(
            f"mapper [{path}] cannot be changed from type [{old_type}] to [{new_type}]"
        )
    merged = {**old, **new}
    for kind in ("properties", "fields"):
        if kind in old and kind in new:
            merged[kind] = _merge_fields(old[kind], new[kind], f"{path}.", model_settings_of)
    if old_type == SEMANTIC_TEXT:
        _merge_model(old, merged, path, model_settings_of)
    return merged


def _merge_model(
    old: Fields, merged: dict[str, Any], path: str, model_settings_of: ModelSettingsOf
) -> None:
    """Let go of the model only while nothing was written with it, or for one that fits."""
    known = old.get("model_settings")
    if known is None:
        return
    before = old.get("inference_id", DEFAULT_INFERENCE_ID)
    after = merged.get("inference_id", DEFAULT_INFERENCE_ID)
    if before != after:
        found = model_settings_of(after)
        if found is None or not is_compatible(known, found):
            raise _conflict(path, "inference_id", before, after)
    stated = merged.get("model_settings")
    if stated is None or not is_compatible(known, stated):
        raise _conflict(path, "model_settings", known, stated)


def _conflict(path: str, parameter: str, before: Any, after: Any) -> InvalidArgument:
    return InvalidArgument(
        f"Mapper for [{path}] conflicts with existing mapper: "
        f"Cannot update parameter [{parameter}] from [{before}] to [{after}]"
    )


def _with_default_ids(node: Fields) -> dict[str, Any]:
    """The same as it is shown: every `semantic_text` names its endpoint, and nothing is null."""
    shown = dict(node)
    if node.get("type") == SEMANTIC_TEXT:
        shown.setdefault("inference_id", DEFAULT_INFERENCE_ID)
        if shown.get("search_inference_id") == shown["inference_id"]:
            del shown["search_inference_id"]
        shown = {name: value for name, value in shown.items() if value is not None}
        if not shown.get("chunking_settings", True):
            del shown["chunking_settings"]
    for kind in ("properties", "fields"):
        if kind in shown:
            shown[kind] = {name: _with_default_ids(field) for name, field in shown[kind].items()}
    return shown
