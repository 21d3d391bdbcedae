"""Reading an archive: nothing in it is believed before it is looked at."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson
from pydantic import ValidationError

from endpoints.archive.kinds import AUDIT, PARTS
from endpoints.archive.manifest import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST_FILE,
    MOST_LINE_BYTES,
    MOST_MANIFEST_BYTES,
    MOST_PART_BYTES,
    MOST_SEALED_BYTES,
    SEALED_FILE,
    BadArchive,
    Manifest,
    Stored,
    StoredModelFile,
)
from endpoints.archive.parts import Key, Part, hashable
from endpoints.archive.rules import first_of
from endpoints.archive.sealing import Seal
from inference.runner.definition import DEFINITION_FILE, VOCABULARY_FILE
from inference.runner.files import CHUNK_BYTES

KNOWN = {part.name: part for part in (*PARTS, AUDIT)}
# What the parts of the format are: a file whose name was chosen by somebody else is not read.
MODEL_FILES = (DEFINITION_FILE, VOCABULARY_FILE)
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
Secrets = dict[tuple[str, Key], dict[str, str]]


class Archive:
    """An archive that was opened, and whose manifest can be used."""

    def __init__(self, file: zipfile.ZipFile, manifest: Manifest) -> None:
        self._file, self.manifest = file, manifest

    @property
    def parts(self) -> list[Part]:
        """Those that are in it, in the order in which they are restored."""
        names = self.manifest.rows
        return [part for part in KNOWN.values() if part.name in names]

    def check(self) -> None:
        """Read everything once. Raises BadArchive for the first file that is damaged."""
        for stored in self.manifest.stored:
            for _ in self.chunks(stored):
                pass

    def chunks(self, stored: Stored) -> Iterator[bytes]:
        """The content of a file. Raises BadArchive at its end, where it is another."""
        digest, left = hashlib.sha256(), stored.size_bytes
        with self._member(stored.file) as member:
            while chunk := member.read(CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    break
                digest.update(chunk)
                yield chunk
        if left or digest.hexdigest() != stored.sha256:
            raise BadArchive(f"The archive is damaged: [{stored.file}] is not what was written")

    def lines(self, part: Part) -> Iterator[tuple[int, dict[str, Any]]]:
        """The records of a kind, each with the number of its line. Raises BadArchive."""
        stored = next(one for one in self.manifest.parts if one.name == part.name)
        number = 0
        with self._member(stored.file) as member:
            while line := member.readline(MOST_LINE_BYTES + 1):
                number += 1
                yield number, self._record(part, number, line)
        if number != stored.rows:
            raise BadArchive(
                f"[{stored.file}] holds {number} records; the manifest says {stored.rows}"
            )

    def secrets(self, seal: Seal) -> Secrets:
        """What is sealed, by the part and the key of its record. Raises BadArchive."""
        sealing = self.manifest.sealing
        if sealing is None or sealing.stored is None:
            return {}
        content = seal.open(b"".join(self.chunks(sealing.stored)), self.manifest.sealed_with)
        found: Secrets = {}
        for line in content.splitlines():
            name, key, values = orjson.loads(line)
            found[name, tuple(map(hashable, key))] = values
        return found

    def _record(self, part: Part, number: int, line: bytes) -> dict[str, Any]:
        if len(line) > MOST_LINE_BYTES:
            raise BadArchive(f"[{part.file}] line {number} is too long")
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as exc:
            raise BadArchive(f"[{part.file}] line {number} is no JSON: {exc}") from exc
        if not isinstance(record, dict):
            raise BadArchive(f"[{part.file}] line {number} is no record")
        return record

    @contextmanager
    def _member(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with self._file.open(name) as member:
                yield member
        except BROKEN as exc:
            raise BadArchive(f"The archive is damaged at [{name}]: {exc}") from exc


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Raises BadArchive for a file that is no archive, is incomplete, or is of a later version."""
    try:
        file = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise BadArchive(f"There is no file [{path}]") from None
    except BROKEN as exc:
        raise BadArchive(
            f"[{path}] is no archive of this product, or its end is missing: {exc}"
        ) from exc
    with file:
        archive = Archive(file, read_manifest(file))
        check_listed(file, archive.manifest)
        yield archive


def read_manifest(file: zipfile.ZipFile) -> Manifest:
    try:
        with file.open(MANIFEST_FILE) as member:
            content = member.read(MOST_MANIFEST_BYTES + 1)
    except KeyError:
        raise BadArchive(
            f"This is no archive of this product: it has no [{MANIFEST_FILE}]"
        ) from None
    except BROKEN as exc:
        raise BadArchive(f"The archive is damaged at [{MANIFEST_FILE}]: {exc}") from exc
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError as exc:
        raise BadArchive(f"[{MANIFEST_FILE}] is no JSON: {exc}") from exc
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise BadArchive(f"This is no archive of this product: [{MANIFEST_FILE}] says so")
    if told.get("format_version") != FORMAT_VERSION:
        raise BadArchive(
            f"The archive has version [{told.get('format_version')}] of the format, and this "
            f"installation reads version [{FORMAT_VERSION}]. It was written by version "
            f"[{told.get('product_version')}] of the product: use that one, or a later one"
        )
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as exc:
        raise BadArchive(f"[{MANIFEST_FILE}] {first_of(exc)}") from None


def check_listed(file: zipfile.ZipFile, manifest: Manifest) -> None:
    """Refuse a file that is missing, or too many, or too large. Raises BadArchive."""
    for part in manifest.parts:
        known = KNOWN.get(part.name)
        if known is None or part.file != known.file:
            raise BadArchive(f"[{MANIFEST_FILE}] names a part that is not known, [{part.name}]")
        check_size(part, MOST_PART_BYTES)
    for file_of_model in manifest.files:
        check_model_file(file_of_model)
    if manifest.sealing and (sealed := manifest.sealing.stored):
        if sealed.file != SEALED_FILE:
            raise BadArchive(f"[{MANIFEST_FILE}] names other secrets, [{sealed.file}]")
        check_size(sealed, MOST_SEALED_BYTES)
    listed = sorted([MANIFEST_FILE, *(stored.file for stored in manifest.stored)])
    found = sorted(info.filename for info in file.infolist())
    if listed != found:
        other = sorted(set(listed).symmetric_difference(found)) or listed
        raise BadArchive(
            f"The archive does not hold what its manifest says: see [{', '.join(other[:5])}]"
        )
    sizes = {info.filename: info.file_size for info in file.infolist()}
    for stored in manifest.stored:
        if sizes[stored.file] != stored.size_bytes:
            raise BadArchive(f"The archive is damaged: [{stored.file}] has another size")


def check_size(stored: Stored, most_bytes: int) -> None:
    if stored.size_bytes > most_bytes:
        raise BadArchive(f"[{stored.file}] is larger than anything that is written here")


def check_model_file(stored: StoredModelFile) -> None:
    if stored.name not in MODEL_FILES or stored.file != f"models/{stored.model_id}/{stored.name}":
        raise BadArchive(f"[{MANIFEST_FILE}] names a file that no model has, [{stored.file}]")
