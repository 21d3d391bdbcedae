"""Indices that hold mappings and no documents: finding, making, changing and removing them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from endpoints import audit
from endpoints.attempts import attempt
from endpoints.models import IndexMapping, User
from endpoints.references import model_settings_of
from endpoints.seen import Seen
from inference.errors import InvalidArgument
from inference.references.errors import (
    IndexExists,
    IndexNotFound,
    InvalidIndexName,
    InvalidPipeline,
)
from inference.references.mappings import merge_mapping, parse_mapping

ALL = "_all"
MAX_NAME_BYTES = 255
FORBIDDEN = '\\/*?"<>| ,'
PRIVATE_SETTINGS = ("uuid", "creation_date", "provided_name", "version")
COUNTS = {"number_of_shards": (1, 1024), "number_of_replicas": (0, 2**31 - 1)}


@dataclass(frozen=True)
class Options:
    """How names are looked up. expands: whether wildcards stand for anything."""

    ignore_unavailable: bool = False
    allow_no_indices: bool = True
    expands: bool = True


def check_name(name: str) -> None:
    """Raises InvalidIndexName."""
    problem = problem_with_name(name)
    if not problem and (size := len(name.encode())) > MAX_NAME_BYTES:
        problem = f"index name is too long, ({size} > {MAX_NAME_BYTES})"
    if problem:
        raise InvalidIndexName(name, problem)


def problem_with_name(name: str) -> str:
    """Why a name cannot be used, however long it is; empty for one that can."""
    if any(character in FORBIDDEN or not character.isprintable() for character in name):
        listed = ",".join(f"'{character}'" for character in FORBIDDEN)
        return f"must not contain the following characters [{listed}]"
    if "#" in name:
        return "must not contain '#'"
    if ":" in name:
        return "must not contain ':'"
    if name.startswith(("_", "-", "+")):
        return "must not start with '_', '-', or '+'"
    if name in (".", ".."):
        return "must not be '.' or '..'"
    if name != name.lower():
        return "must be lowercase"
    return ""


def names_in(expression: str) -> list[str]:
    """The names and wildcards of a path; `_all` is the widest of them."""
    return ["*" if name == ALL else name for name in expression.split(",")]


def find(expression: str, options: Options, *, is_alias_allowed: bool = True) -> list[IndexMapping]:
    """The indices that an expression names, sorted.

    Raises IndexNotFound, and InvalidArgument for an alias where none is allowed.
    """
    every = list(IndexMapping.objects.all())
    found: set[str] = set()
    for name in names_in(expression):
        matched = [index for index in every if _is_named(index, name, options)]
        if not matched and not options.ignore_unavailable and "*" not in name:
            raise IndexNotFound(name)
        if matched and "*" not in name and not is_alias_allowed and matched[0].name != name:
            raise InvalidArgument(
                f"The provided expression [{name}] matches an alias, "
                "specify the corresponding concrete indices instead."
            )
        found.update(index.name for index in matched)
    if not found and not options.allow_no_indices:
        raise IndexNotFound(expression)
    return [index for index in every if index.name in found]


def _is_named(index: IndexMapping, name: str, options: Options) -> bool:
    if "*" in name:
        pattern = name.replace("[", "[[]").replace("?", "[?]")
        return options.expands and any(
            fnmatchcase(known, pattern) for known in (index.name, *index.aliases)
        )
    return name == index.name or name in index.aliases


def get(name: str) -> IndexMapping:
    """The index of just this name. Raises IndexNotFound."""
    found = IndexMapping.objects.filter(name=name).first()
    if found is None:
        raise IndexNotFound(name)
    return found


@attempt("index.create", on="name")
def create(name: str, body: Mapping[str, Any]) -> IndexMapping:
    """Raises InvalidIndexName, IndexExists, or what is wrong with the body."""
    check_name(name)
    parts = ("settings", "mappings", "aliases")
    if unknown := [key for key in body if key not in parts]:
        raise InvalidPipeline(f"unknown key [{unknown[0]}] for create index")
    settings = {"number_of_shards": "1", "number_of_replicas": "1"}
    given = {part: {} if body.get(part) is None else body[part] for part in parts}
    settings |= flat_settings(given["settings"])
    mappings = parse_mapping(given["mappings"])
    aliases = checked_aliases(given["aliases"])
    if existing := IndexMapping.objects.filter(name=name).first():
        raise IndexExists(name, existing.uuid)
    for index in IndexMapping.objects.all():
        if name in index.aliases:
            raise InvalidIndexName(name, "already exists as alias")
        if index.name in aliases:
            raise InvalidIndexName(index.name, "an index exists with the same name as the alias")
    try:
        with transaction.atomic():
            index = IndexMapping.objects.create(
                name=name,
                uuid=secrets.token_urlsafe(16),
                mappings=mappings,
                settings=settings,
                aliases=aliases,
            )
            audit.record("index.create", name, after=told_of(index))
            return index
    except IntegrityError:
        raise IndexExists(name, IndexMapping.objects.get(name=name).uuid) from None


@attempt("index.update", on="indices")
@transaction.atomic
def put_mapping(
    actor: User,
    indices: Sequence[IndexMapping],
    update: Mapping[str, Any],
    *,
    seen: Seen | None = None,
) -> None:
    """Change the mappings of all these indices, or of none. seen: of the only one there is.

    An endpoint that the caller does not see is none: what it is cannot be guessed by trying.
    Raises MapperParsing, InvalidArgument or ChangedMeanwhile.
    """
    names = [index.name for index in indices]
    settings_of = partial(model_settings_of, actor)
    changed = []
    stored = list(IndexMapping.objects.select_for_update().filter(name__in=names))
    if seen is not None:
        seen.check(stored[0] if stored else None, "the index")
    for index in stored:
        before = told_of(index)
        index.mappings = merge_mapping(index.mappings, update, settings_of)
        index.save()
        changed.append((index, before))
    for index, before in changed:
        audit.record("index.update", index.name, before=before, after=told_of(index))


def told_of(index: IndexMapping) -> dict[str, Any]:
    """What the audit log tells of an index."""
    return {"mappings": index.mappings, "settings": index.settings, "aliases": index.aliases}


@attempt("index.delete", on="expression")
@transaction.atomic
def delete(expression: str, options: Options) -> None:
    """Raises InvalidArgument for wildcards: what is removed has to be named."""
    if any("*" in name for name in names_in(expression)):
        raise InvalidArgument("Wildcard expressions or all indices are not allowed")
    found = find(expression, options, is_alias_allowed=False)
    IndexMapping.objects.filter(pk__in=[index.pk for index in found]).delete()
    for index in found:
        audit.record("index.delete", index.name, before=told_of(index))


def flat_settings(raw: Any) -> dict[str, Any]:
    """Settings by their dotted names without `index.`, in whatever way they were nested."""
    if not isinstance(raw, Mapping):
        raise InvalidPipeline("key [settings] must be an object")
    flat = {name.removeprefix("index."): value for name, value in _flatten(raw, "")}
    for name in flat:
        if not all(name.split(".")):
            raise InvalidArgument(f"unknown setting [index.{name}]")
        if name.split(".")[0] in PRIVATE_SETTINGS:
            raise InvalidArgument(f"private index setting [index.{name}] can not be set explicitly")
        if any(other.startswith(f"{name}.") for other in flat):
            raise InvalidArgument(f"setting [index.{name}] is a value and a group of settings")
    for name, (least, most) in COUNTS.items():
        if name in flat and not (flat[name].isdecimal() and least <= int(flat[name]) <= most):
            raise InvalidArgument(
                f"Failed to parse value [{flat[name]}] for setting [index.{name}] "
                f"must be >= {least} and <= {most}"
            )
    return flat


def _flatten(raw: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in raw.items():
        if isinstance(value, Mapping):
            flat += _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            flat.append((prefix + name, [_text(one) for one in value]))
        elif value is not None:
            flat.append((prefix + name, _text(value)))
    return flat


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def checked_aliases(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise InvalidPipeline("key [aliases] must be an object")
    for alias, options in raw.items():
        check_name(alias)
        if not isinstance(options, Mapping | None):
            raise InvalidArgument(f"alias [{alias}] must be an object")
    return {alias: options or {} for alias, options in raw.items()}
