"""Records as lines of an archive: what of a row is kept, and how it names other rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from django.core.exceptions import ValidationError
from django.db import models
from pydantic import SecretStr

from endpoints.rotation import PLACES
from endpoints.secrets import decrypt, encrypt
from inference.errors import InvalidRequest

if TYPE_CHECKING:
    Column: TypeAlias = models.Field[Any, Any]
    JsonColumn: TypeAlias = models.JSONField[Any, Any]
else:
    Column, JsonColumn = models.Field, models.JSONField

BATCH = 500
NUL = "\0"
# In a line: the names of its columns that are sealed apart.
SEALED = "_sealed"
Row = Mapping[str, Any]
Key = tuple[Any, ...]


class BadRow(InvalidRequest):
    """A line that is no record of its kind."""


def unchecked(row: Row, secrets: Row) -> None:
    """Of a kind whose columns alone say what may stand in them."""


@dataclass(frozen=True)
class Secret:
    """How a column that is secret is stored: opened to be sealed in an archive, and back.

    Opening raises SecretUnreadable.
    """

    opened: Callable[[Any], Any]
    stored: Callable[[Any], Any]


AS_IT_IS = Secret(lambda stored: stored, lambda plain: plain)
ENCRYPTED = Secret(
    lambda stored: decrypt(stored).get_secret_value(), lambda plain: encrypt(SecretStr(plain))
)
# The columns that hold what is encrypted with the keys of the installation.
ENCRYPTED_COLUMNS = {model: column for model, column, _ in PLACES}


@dataclass(frozen=True)
class Part:
    """The records of one kind.

    label: what one of them is called. key: the columns that it is known by. left_out: those that
    an installation finds out for itself. sealed: those that leave it only behind a passphrase;
    what rotation knows as encrypted is one of them. is_void_unsealed: whether a record without
    them is of no use. check: raises what the API raises for a record that cannot be; told the
    secrets as far as they are known, in plain. unchecked: the columns of which it does so alone.
    always_there: those that every installation has. begun: what is written of a new record beside
    what the archive holds.
    """

    name: str
    model: type[models.Model]
    label: str
    key: tuple[str, ...]
    check: Callable[[Row, Row], None] = unchecked
    left_out: frozenset[str] = frozenset()
    sealed: Mapping[str, Secret] = field(default_factory=dict)
    is_void_unsealed: bool = False
    unchecked: frozenset[str] = frozenset()
    always_there: models.Q | None = None
    begun: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return f"{self.name}.jsonl"

    @cached_property
    def columns(self) -> dict[str, Column]:
        """What stands in a line or is sealed, by name."""
        return {
            column.name: column
            for column in self.model._meta.concrete_fields
            if column.name not in self.left_out and is_written(column)
        }

    def begin(self, instance: models.Model) -> None:
        """Give the columns that are left out what they have in any new record."""
        for column in self.model._meta.concrete_fields:
            if column.name in self.left_out and is_written(column):
                setattr(instance, column.attname, column.pre_save(instance, True))

    @cached_property
    def secrets(self) -> Mapping[str, Secret]:
        """The columns that are sealed."""
        encrypted = ENCRYPTED_COLUMNS.get(self.model)
        return {**self.sealed, **({encrypted: ENCRYPTED} if encrypted else {})}

    @cached_property
    def plain(self) -> dict[str, "Column"]:
        """What stands in a line."""
        return {name: one for name, one in self.columns.items() if name not in self.secrets}

    @cached_property
    def inward(self) -> frozenset[str]:
        """The columns that name another record of this kind, which may come after this one."""
        return frozenset(
            name for name, one in self.plain.items() if one.related_model is self.model
        )

    @property
    def rows(self) -> models.QuerySet[Any]:
        return self.model._base_manager.all()

    @property
    def own_rows(self) -> models.QuerySet[Any]:
        """Those that somebody made."""
        return self.rows.exclude(self.always_there) if self.always_there else self.rows

    def called(self, key: Key) -> str:
        return f"{self.label} [{', '.join('everyone' if k is None else str(k) for k in key)}]"


class Directory:
    """The records that are there, by what they are known by and by their primary keys."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self._parts = {part.model: part for part in parts}
        self._keys: dict[type[models.Model], dict[Any, Key]] = {}
        self._pks: dict[type[models.Model], dict[Key, Any]] = {}

    def load(self, part: Part) -> None:
        """Read who is there now. The kinds that this one names come first."""
        columns = [part.columns[name] for name in part.key]
        self._keys[part.model], self._pks[part.model] = {}, {}
        rows = part.rows.values_list("pk", *(column.attname for column in columns))
        for pk, *values in rows.iterator(chunk_size=BATCH):
            told = (self.told(column, value) for column, value in zip(columns, values, strict=True))
            self.add(part, tuple(map(hashable, told)), pk)

    def add(self, part: Part, key: Key, pk: Any) -> None:
        self._keys[part.model][pk] = key
        self._pks[part.model][key] = pk

    def find(self, part: Part, key: Key) -> Any:
        """The primary key; None where there is no such record."""
        return self._pks[part.model].get(key)

    def told(self, column: Column, value: Any) -> Any:
        """The value of a column as a line has it."""
        if isinstance(value, datetime):
            return value.isoformat()
        if value is None or not refers(column):
            return value
        key = self._keys[self._target(column).model][value]
        return key[0] if len(key) == 1 else list(key)

    def meant(self, column: Column, value: Any, *, is_validated: bool = True) -> Any:
        """The value for a column of what a line has. Raises BadRow."""
        if value is None:
            if not column.null:
                raise BadRow(f"[{column.name}] must not be null")
            return None
        if not refers(column):
            if isinstance(column, models.ForeignKey):
                column = column.target_field
            return meant(column, value, is_validated=is_validated)
        part = self._target(column)
        key = tuple(map(hashable, value)) if isinstance(value, list) else (value,)
        try:
            return self._pks[part.model][key]
        except (KeyError, TypeError):
            raise BadRow(f"[{column.name}] names no {part.label} that is known") from None

    def _target(self, column: Column) -> Part:
        return self._parts[column.related_model]  # type: ignore[index]  # of a foreign key: a model


def is_written(column: Column) -> bool:
    """Whether it is for us to say what stands in a column, and not for the database."""
    return not (isinstance(column, models.AutoField) or column.generated)


def refers(column: Column) -> bool:
    """Whether a column holds the primary key of another record, which means nothing elsewhere."""
    return isinstance(column, models.ForeignKey) and column.target_field.primary_key


def hashable(value: Any) -> Any:
    return tuple(map(hashable, value)) if isinstance(value, list) else value


def meant(column: Column, value: Any, *, is_validated: bool = True) -> Any:
    """The value of a plain column. Raises BadRow for one of another kind, or out of bounds."""
    if isinstance(column, models.JSONField):
        return of_its_kind(column, value)
    kind, expected = kind_of(column)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BadRow(f"[{column.name}] must be {expected}")
    if isinstance(value, str) and NUL in value:
        raise BadRow(f"[{column.name}] must not hold NUL")
    try:
        made = column.to_python(value)
        # An empty text is one, whatever a form would ask for.
        if is_validated and made not in column.empty_values:
            column.run_validators(made)
            column.validate(made, None)
    except ValidationError as exc:
        raise BadRow(f"[{column.name}] {' '.join(exc.messages)}") from exc
    if isinstance(made, datetime) and made.tzinfo is None:
        raise BadRow(f"[{column.name}] must name its time zone")
    return made


def kind_of(column: Column) -> tuple[Any, str]:
    """What a line has for such a column, and that in words."""
    match column:
        case models.BooleanField():
            return bool, "true or false"
        case models.IntegerField():
            return int, "a whole number"
        case models.FloatField():
            return (int, float), "a number"
        case _:
            return str, "a text"


def of_its_kind(column: JsonColumn, value: Any) -> Any:
    """A list where the column begins with one, an object in any other."""
    kind = list if column.default is list else dict
    if not isinstance(value, kind):
        raise BadRow(f"[{column.name}] must be {'a list' if kind is list else 'an object'}")
    if any(NUL in text for text in texts_in(value)):
        raise BadRow(f"[{column.name}] must not hold NUL")
    return value


def texts_in(value: Any) -> Iterator[str]:
    """Every name and every text of a piece of JSON."""
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from texts_in(one)
        case dict():
            yield from value
            for one in value.values():
                yield from texts_in(one)


def completed(part: Part, record: Row) -> dict[str, Any]:
    """A record with the defaults of what an earlier version of the product did not know.

    Raises BadRow.
    """
    if unknown := sorted(set(record) - set(part.plain)):
        raise BadRow(f"[{unknown[0]}] is not known here; a later version may know it")
    row = dict(record)
    for name, column in part.plain.items():
        if name in row:
            continue
        if not (column.has_default() or column.null or column.blank):
            raise BadRow(f"[{name}] is missing")
        row[name] = column.get_default()
    return row


def order_of(parts: tuple[Part, ...], part: Part) -> Iterator[str]:
    """By what records of a kind are sorted, so that an archive does not depend on primary keys."""
    by_model = {one.model: one for one in parts}
    for name in part.key:
        column = part.columns[name]
        if refers(column):
            target = by_model[column.related_model]  # type: ignore[index]  # of a foreign key
            yield from (f"{name}__{further}" for further in order_of(parts, target))
        else:
            yield name
