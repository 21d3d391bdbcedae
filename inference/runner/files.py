"""Files on their way into a model's folder: written aside, checked, put in place whole."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO

from inference.errors import StorageUnusable
from inference.runner.catalogue import WeightsFile
from inference.runner.progress import Cancelled, Clock

CHUNK_BYTES = 256 * 1024
LOCK_FILE = ".lock"
LOCK_INTERVAL_S = 0.2
# Left free for everybody else on the disk.
SPACE_MARGIN_BYTES = 128 * 1024 * 1024


class SourceFailed(Exception):
    """One source cannot give the files. Its reason is told when all the others fail too."""


@dataclass(frozen=True)
class Origin:
    """What a partial file is part of. validator: the server's ETag or date of the whole file.

    size_bytes: of the whole file, where the server told it.
    """

    url: str
    validator: str | None
    size_bytes: int | None = None


class Draft:
    """A file that is not all here yet. It stands beside its final name, with its origin."""

    def __init__(self, folder: Path, file: WeightsFile) -> None:
        self.file = file
        self.target = folder / file.name
        self.path = self.target.with_name(f"{self.target.name}.part")
        self._origin_path = self.target.with_name(f"{self.target.name}.part.origin")
        self.target.parent.mkdir(parents=True, exist_ok=True)

    @property
    def size_bytes(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def origin(self) -> Origin | None:
        try:
            return Origin(**json.loads(self._origin_path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def open(self, origin: Origin | None = None) -> BinaryIO:
        """Start anew. Without an origin nobody will go on from what is written."""
        self.discard()
        if origin:
            self._origin_path.write_text(json.dumps(asdict(origin)))
        return self.path.open("wb")

    def open_to_go_on(self) -> BinaryIO:
        return self.path.open("ab")

    def write_from(self, stream: IO[bytes], on_bytes: Callable[[int], None]) -> None:
        """Copy a local file. Raises SourceFailed when it is longer than the file should be."""
        try:
            with self.open() as out:
                while chunk := stream.read(CHUNK_BYTES):
                    out.write(chunk)
                    self.check_length(out.tell())
                    on_bytes(out.tell())
        except BaseException:
            self.discard()  # a copy is quick: only what came over the network is gone on with
            raise

    def check_length(self, size_bytes: int) -> None:
        if size_bytes > self.file.most_bytes:
            self.discard()
            raise SourceFailed(
                f"{self.file.name} is longer than the expected {self.file.most_bytes} bytes"
            )

    def put_in_place(self) -> None:
        """Check the content and give the file its name.

        What a file is that nothing is known of yet is noted before. Raises SourceFailed; the file
        is then gone.
        """
        try:
            self._check(sha256_of(self.path))
        except SourceFailed:
            self.discard()
            raise
        sync(self.path)
        os.replace(self.path, self.target)
        self._origin_path.unlink(missing_ok=True)

    def _check(self, found: str) -> None:
        file = self.file
        if file.sha256 is None:
            # A page that asks to sign in must not become what every later file is held to.
            if self.size_bytes < file.least_bytes:
                raise SourceFailed(
                    f"{file.name} has {self.size_bytes} bytes instead of about {file.size_bytes}"
                )
            note_first_seen(self.target, FirstSeen(found, self.size_bytes))
        elif found != file.sha256:
            raise SourceFailed(
                f"{file.name} has SHA-256 {found} instead of {file.sha256}"
                f"{_first_seen_advice(self.target)}"
            )

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._origin_path.unlink(missing_ok=True)


@dataclass(frozen=True)
class FirstSeen:
    """What a file was that came when nothing was known of it."""

    sha256: str
    size_bytes: int


def held_to_first_seen(folder: Path, file: WeightsFile) -> WeightsFile:
    """The file with size and hash of what came first, where the catalogue knows no hash."""
    if file.sha256 is not None:
        return file
    try:
        seen = FirstSeen(**json.loads(_first_seen_path(folder / file.name).read_text()))
    except (OSError, ValueError, TypeError):
        return file
    return replace(file, sha256=seen.sha256, size_bytes=seen.size_bytes)


def note_first_seen(target: Path, seen: FirstSeen) -> None:
    path = _first_seen_path(target)
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(asdict(seen)))
    sync(part)
    os.replace(part, path)


def _first_seen_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.first-seen")


def _first_seen_advice(target: Path) -> str:
    path = _first_seen_path(target)
    return f", which came first; delete {path} to accept another file" if path.exists() else ""


def discard_parts(folder: Path) -> None:
    """Delete what is half here, from which nobody will go on."""
    for pattern in ("*.part", "*.part.origin"):
        for path in folder.rglob(pattern):
            path.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Bring a file's bytes to the disk, so that a name given to it next survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def keep_if_right(folder: Path, file: WeightsFile) -> bool:
    """Whether the file is in place; one with the wrong content is deleted."""
    path = folder / file.name
    has_size = path.is_file() and path.stat().st_size == file.size_bytes
    if has_size and sha256_of(path) == file.sha256:
        return True
    path.unlink(missing_ok=True)
    return False


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raises StorageUnusable when the folder's disk has less room than that and a margin."""
    needed = needed_bytes + SPACE_MARGIN_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageUnusable(
            f"The disk of {folder} has too little room: {_megabytes(needed)} are needed, "
            f"{_megabytes(free)} are free."
        )


@contextmanager
def only_one(folder: Path, is_cancelled: Callable[[], bool], clock: Clock) -> Iterator[None]:
    """Hold the folder's lock; wait while another process or thread has it.

    The system frees the lock of a process that dies. Raises Cancelled.
    """
    # The file stays: deleting a lock file lets two holders have "the" lock at once.
    with (folder / LOCK_FILE).open("w") as lock:
        while not _try_lock(lock.fileno()):
            if is_cancelled():
                raise Cancelled
            clock.pause(LOCK_INTERVAL_S)
        yield


def _try_lock(handle: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"
