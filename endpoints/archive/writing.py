"""Writing an archive: everything as it is at one moment."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

import orjson
from django.db import connection, transaction
from django.utils import timezone

from endpoints import audit
from endpoints.archive.kinds import AUDIT, PARTS, TRAINED_MODELS
from endpoints.archive.manifest import (
    FORMAT_VERSION,
    MANIFEST_FILE,
    SEALED_FILE,
    Manifest,
    Sealing,
    Stored,
    StoredModelFile,
    StoredPart,
    Trail,
    product_version,
)
from endpoints.archive.parts import BATCH, SEALED, Directory, Key, Part, order_of
from endpoints.archive.sealing import Seal
from endpoints.models import AuditHead, TrainedModel
from endpoints.secrets import SecretUnreadable
from endpoints.uploads import upload_folder
from inference.runner.definition import DEFINITION_FILE, VOCABULARY_FILE
from inference.runner.files import CHUNK_BYTES

Progress = Callable[[str], None]
PROGRESS_EVERY = 10_000
# The same records make the same file, whenever it is written.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Choice:
    """passphrase: empty where nothing that is secret is to leave the installation."""

    passphrase: str = ""
    with_audit: bool = False
    with_files: bool = False


def write_archive(target: BinaryIO, choice: Choice, progress: Progress) -> Manifest:
    """Write everything, and to the audit log that it was written.

    target: need not be a file that can be sought in. Raises InvalidArgument for a passphrase that
    is too short.
    """
    seal = Seal.make(choice.passphrase) if choice.passphrase else None
    with snapshot(), zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        manifest = _Writer(file, choice, seal, progress).write()
    audit.record(
        "installation.export",
        manifest.created_at.isoformat(),
        after={
            "rows": manifest.rows,
            "with_secrets": seal is not None,
            "with_audit": choice.with_audit,
            "with_files": choice.with_files,
        },
    )
    return manifest


@contextmanager
def snapshot() -> Iterator[None]:
    """Read the state of one moment, while others go on writing."""
    if connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()  # which sets what is set otherwise here
    kept = getattr(connection, "transaction_mode", None)
    try:
        if connection.vendor == "sqlite":
            connection.transaction_mode = None  # type: ignore[attr-defined]  # of SQLite alone
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    finally:
        if connection.vendor == "sqlite":
            connection.transaction_mode = kept  # type: ignore[attr-defined]  # of SQLite alone


@dataclass
class _Writer:
    file: zipfile.ZipFile
    choice: Choice
    seal: Seal | None
    progress: Progress
    unreadable: list[str] = field(default_factory=list)
    secrets: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parts = (*PARTS, AUDIT) if self.choice.with_audit else PARTS
        self.directory = Directory(self.parts)

    def write(self) -> Manifest:
        parts = tuple(self._write_part(part) for part in self.parts)
        files = tuple(self._write_model_files()) if self.choice.with_files else ()
        manifest = Manifest(
            format_version=FORMAT_VERSION,
            product_version=product_version(),
            created_at=timezone.now(),
            parts=parts,
            files=files,
            trail=trail() if self.choice.with_audit else None,
            unreadable=tuple(self.unreadable),
        )
        if self.seal:
            sealing = self._write_secrets(self.seal, manifest)
            manifest = manifest.model_copy(update={"sealing": sealing})
        with self._member(MANIFEST_FILE) as member:
            member.write(manifest.model_dump_json(indent=2).encode())
        return manifest

    def _write_part(self, part: Part) -> StoredPart:
        if part is not AUDIT:  # which may be millions, and to which nothing refers
            self.directory.load(part)
        rows = part.rows.order_by(*order_of(self.parts, part)).iterator(chunk_size=BATCH)
        count = 0
        with self._member(part.file) as member:
            for count, row in enumerate(rows, start=1):
                line = self._line(part, row)
                member.write(orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n")
                if count % PROGRESS_EVERY == 0:
                    self.progress(f"{part.name}: {count:,}")
        if count:
            self.progress(f"{part.name}: {count:,}")
        stored = member.stored(part.file)
        return StoredPart(**stored.model_dump(), name=part.name, rows=count)

    def _line(self, part: Part, row: Any) -> dict[str, Any]:
        values = {
            name: self.directory.told(column, getattr(row, column.attname))
            for name, column in part.plain.items()
        }
        sealed = {name: stored for name in sorted(part.secrets) if (stored := getattr(row, name))}
        if not sealed:
            return values
        if self.seal:
            self._keep_apart(part, tuple(values[name] for name in part.key), sealed)
        return values | {SEALED: list(sealed)}

    def _keep_apart(self, part: Part, key: Key, sealed: Mapping[str, Any]) -> None:
        try:
            plain = {name: part.secrets[name].opened(stored) for name, stored in sealed.items()}
        except SecretUnreadable:
            self.unreadable.append(part.called(key))
            return
        self.secrets.append(orjson.dumps([part.name, list(key), plain]))

    def _write_secrets(self, seal: Seal, manifest: Manifest) -> Sealing:
        closed = seal.close(b"\n".join(self.secrets), manifest.sealed_with)
        with self._member(SEALED_FILE) as member:
            member.write(closed)
        return seal.sealing.model_copy(update={"stored": member.stored(SEALED_FILE)})

    def _write_model_files(self) -> Iterator[StoredModelFile]:
        for model in TRAINED_MODELS.rows.filter(artifact=None).order_by("model_id"):
            for name in (DEFINITION_FILE, VOCABULARY_FILE):
                path = upload_folder(model) / name
                if path.exists() and is_whole(model):
                    yield self._write_model_file(model, path)

    def _write_model_file(self, model: TrainedModel, path: Path) -> StoredModelFile:
        self.progress(f"{model.model_id}: {path.name}, {path.stat().st_size / 1e6:,.0f} MB")
        name = f"models/{model.model_id}/{path.name}"
        with path.open("rb") as source, self._member(name) as member:
            while chunk := source.read(CHUNK_BYTES):
                member.write(chunk)
        stored = member.stored(name)
        return StoredModelFile(**stored.model_dump(), model_id=model.model_id, name=path.name)

    @contextmanager
    def _member(self, name: str) -> Iterator["_Member"]:
        info = zipfile.ZipInfo(name, LONG_AGO)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        with self.file.open(info, "w", force_zip64=True) as opened:
            yield _Member(opened)


class _Member:
    """A file of the archive that is being written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest, self._size_bytes = file, hashlib.sha256(), 0

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)
        self._size_bytes += len(content)

    def stored(self, name: str) -> Stored:
        return Stored(file=name, size_bytes=self._size_bytes, sha256=self._digest.hexdigest())


def is_whole(model: TrainedModel) -> bool:
    """Whether all that belongs to an upload came."""
    return bool(model.definition_sha256 and model.vocabulary_sha256)


def trail() -> Trail:
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    return Trail(
        first_number=head.first_number,
        first_sha256=head.first_sha256,
        last_number=head.last_number,
        last_sha256=head.last_sha256,
    )
