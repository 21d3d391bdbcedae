"""Restoring an archive: all of it in one transaction, or nothing."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import DatabaseError, models, transaction

from endpoints import audit, deployments
from endpoints.archive import settling, trail
from endpoints.archive.kinds import AUDIT, ENDPOINTS, MODEL_PARTS, PARTS, PEOPLE, TRAINED_MODELS
from endpoints.archive.model_files import OF_FILES, ModelFiles
from endpoints.archive.parts import (
    SEALED,
    BadRow,
    Directory,
    Key,
    Part,
    Row,
    completed,
    hashable,
    meant,
)
from endpoints.archive.reading import Archive, Secrets
from endpoints.secrets import SecretUnreadable
from inference.errors import Conflict, InferenceError, ProblemList

MOST_TOLD = 20
PROGRESS_EVERY = 10_000
Progress = Callable[[str], None]


class Merge(StrEnum):
    """What becomes of records that are there already."""

    SKIP = "skip"
    REPLACE = "replace"


class NotEmpty(Conflict):
    """There is something already, and nobody said what is to become of it."""


class Refused(ProblemList):
    """What of the archive cannot be; nothing was changed."""


@dataclass
class Report:
    """What was done, or would be, by the name of the part. notes: what a person is to know."""

    created: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Wish:
    """secrets: None where they are sealed and stay so, or where there are none."""

    secrets: Secrets | None = None
    merge: Merge | None = None
    is_rehearsal: bool = False


def restore(archive: Archive, wish: Wish, progress: Progress) -> Report:
    """Bring in what an archive holds; a rehearsal does all of it and takes it back.

    Raises NotEmpty, Refused with the places of what cannot be, and BadArchive.
    """
    archive.check()
    with ModelFiles(archive, is_rehearsal=wish.is_rehearsal) as files, transaction.atomic():
        restorer = _Restorer(archive, wish, files, progress)
        report = restorer.run()
        audit.record(
            "installation.import",
            archive.manifest.created_at.isoformat(),
            after={
                "created": dict(report.created),
                "replaced": dict(report.replaced),
                "skipped": dict(report.skipped),
                "merge": wish.merge,
                "with_secrets": wish.secrets is not None,
            },
        )
        if wish.is_rehearsal:
            transaction.set_rollback(True)
    return report


class _Restorer:
    def __init__(self, archive: Archive, wish: Wish, files: ModelFiles, progress: Progress) -> None:
        self._archive, self._wish, self._files = archive, wish, files
        self._progress = progress
        self._report = Report()
        self._problems: list[str] = []
        self._directory = Directory(PARTS)
        self._inward: list[tuple[Part, Key, str, Any]] = []
        self._void: list[str] = []
        self._open: list[str] = []

    def run(self) -> Report:
        for part in PARTS:
            self._directory.load(part)
        is_empty = not any(part.own_rows.exists() for part in PARTS)
        if not (is_empty or self._wish.merge):
            raise NotEmpty(self._what_is_there())
        for part in self._archive.parts:
            if part is AUDIT:
                self._restore_trail(is_empty=is_empty)
            else:
                self._restore_part(part)
        self._problems += settling.settle()
        self._stop_at_problems()
        self._report.notes += self._notes()
        return self._report

    def _what_is_there(self) -> str:
        there = [f"{count} {part.name}" for part in PARTS if (count := part.own_rows.count())]
        colliding: list[str] = []
        for part in self._archive.parts:
            if part is AUDIT:
                continue
            for _, record in self._archive.lines(part):
                key = tuple(hashable(record.get(name)) for name in part.key)
                if self._directory.find(part, key) and not self._is_always_there(part, key):
                    colliding.append(part.called(key))
        told = ", ".join(colliding[:MOST_TOLD]) or "nothing"
        more = len(colliding) - MOST_TOLD
        return (
            f"This installation is not empty: it has {', '.join(there)}. In the archive, too, are "
            f"{told}{f' and {more} more' if more > 0 else ''}. Choose with --merge whether what is "
            "here is kept [skip] or overwritten [replace]"
        )

    def _is_always_there(self, part: Part, key: Key) -> bool:
        if part.always_there is None:
            return False
        pk = self._directory.find(part, key)
        return part.rows.filter(part.always_there, pk=pk).exists()

    def _restore_part(self, part: Part) -> None:
        seen: set[Key] = set()
        for number, record in self._archive.lines(part):
            place = f"[{part.file}] line {number}"
            try:
                key = self._key_of(part, record)
                place = f"{place}, {part.called(key)}"
                if key in seen:
                    raise BadRow("it is there twice")
                seen.add(key)
                self._restore_row(part, key, record)
            except InferenceError as exc:
                self._problems.append(f"{place}: {exc}")
            except DatabaseError as exc:
                # The database takes no further statement after this one.
                self._problems.append(f"{place}: {str(exc).strip()}")
                break
            if number % PROGRESS_EVERY == 0:
                self._progress(f"{part.name}: {number:,}")
        if seen:
            self._progress(f"{part.name}: {len(seen):,}")
        self._stop_at_problems()
        self._point_inward()

    def _stop_at_problems(self) -> None:
        if self._problems:
            raise Refused(self._problems[:MOST_TOLD])

    def _key_of(self, part: Part, record: Row) -> Key:
        if missing := [name for name in part.key if name not in record]:
            raise BadRow(f"[{missing[0]}] is missing")
        return tuple(hashable(record[name]) for name in part.key)

    def _restore_row(self, part: Part, key: Key, record: dict[str, Any]) -> None:
        left_apart = record.pop(SEALED, [])
        row = completed(part, record)
        secrets = (self._wish.secrets or {}).get((part.name, key), {})
        part.check({**row, SEALED: left_apart}, secrets)
        if part is MODEL_PARTS and not self._files.has(row["model"]):
            return
        if left_apart and not secrets:
            self._note_missing(part, key, record)
            if part.is_void_unsealed:
                return
        values = {
            column.attname: self._directory.meant(
                column, row[name], is_validated=name not in part.unchecked
            )
            for name, column in part.plain.items()
            if name not in part.inward
        }
        for name in part.inward:
            if row[name] is not None:
                self._inward.append((part, key, name, row[name]))
        pk = self._directory.find(part, key)
        if pk is None:
            self._create(part, key, values | stored(part, secrets), row)
        elif self._wish.merge == Merge.SKIP and not self._is_always_there(part, key):
            self._report.skipped[part.name] += 1
        else:
            self._replace(part, pk, values, secrets, row)

    def _point_inward(self) -> None:
        """Let records name those of their own kind, now that all of them are there."""
        for part, key, name, named in self._inward:
            column = part.columns[name]
            rows = part.rows.filter(pk=self._directory.find(part, key))
            rows.update(**{column.attname: self._directory.meant(column, named)})
        self._inward.clear()

    def _create(self, part: Part, key: Key, values: dict[str, Any], row: Row) -> None:
        if part is TRAINED_MODELS and not self._files.has(row["model_id"]):
            values = values | OF_FILES
        instance = part.model(**{**part.begun, **values})
        part.begin(instance)
        # As it was: with its own dates.
        instance.save_base(raw=True, force_insert=True)
        self._directory.add(part, key, instance.pk)
        self._report.created[part.name] += 1
        self._files.put(instance)

    def _replace(self, part: Part, pk: Any, values: dict[str, Any], secrets: Row, row: Row) -> None:
        instance = part.rows.get(pk=pk)
        if part is TRAINED_MODELS and not self._files.has(row["model_id"]):
            values = {name: value for name, value in values.items() if name not in OF_FILES}
        changes = {
            name: value for name, value in values.items() if getattr(instance, name) != value
        }
        others = {name: one for name, one in secrets.items() if opened(part, instance, name) != one}
        changes |= stored(part, others)
        if not changes:
            self._report.unchanged[part.name] += 1
            return
        if part is ENDPOINTS and "deployment_id" in changes:
            deployments.stop(instance)
        for name, value in changes.items():
            setattr(instance, name, value)
        instance.save_base(raw=True, force_update=True)
        self._report.replaced[part.name] += 1
        self._files.put(instance)

    def _restore_trail(self, *, is_empty: bool) -> None:
        if not is_empty:
            self._report.notes.append(
                "The audit log was not brought in: this installation has one of its own."
            )
            return
        try:
            count = trail.restore(self._archive, self._directory)
        except InferenceError as exc:
            raise Refused([str(exc)]) from exc
        self._report.created[AUDIT.name] += count
        self._progress(f"{AUDIT.name}: {count:,}")

    def _note_missing(self, part: Part, key: Key, record: Row) -> None:
        if part.is_void_unsealed:
            name = record.get("name")
            self._void.append(f"{part.called(key)} [{name}]" if name else part.called(key))
        elif part is PEOPLE and record.get("service_team"):
            return  # a service account has no password
        elif part is PEOPLE:
            self._open.append(f"{part.called(key)}: no password; see reset_password")
        else:
            self._open.append(f"{part.called(key)}: its secrets must be entered again")

    def _notes(self) -> list[str]:
        notes = []
        if self._void:
            notes.append(f"Not restored, for they are sealed: {', '.join(self._void)}.")
        notes += self._open
        notes += [
            f"model [{name}]: its files are not in the archive; upload them again"
            for name in self._files.missing
        ]
        return notes


def stored(part: Part, secrets: Row) -> dict[str, Any]:
    """Secrets of an archive as the columns have them. Raises BadRow."""
    return {
        name: meant(part.columns[name], part.secrets[name].stored(plain))
        for name, plain in secrets.items()
        if name in part.secrets
    }


def opened(part: Part, instance: models.Model, name: str) -> Any:
    """A secret of a record that is here, as an archive has it; nothing where it is unreadable."""
    kept = getattr(instance, name)
    try:
        return part.secrets[name].opened(kept) if kept else kept
    except SecretUnreadable:
        return None
