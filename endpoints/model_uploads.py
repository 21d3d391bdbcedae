"""Models that people send from where they sit: announced, sent piece by piece, looked at, kept.

A piece is added to the end of its file and to nothing else, so what is here after a broken line or
a crash is always a beginning, from which whoever sends it goes on.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from endpoints import added_models, audit, jobs, trained_models
from endpoints.access import visible
from endpoints.attempts import attempt
from endpoints.models import ModelUpload, TrainedModel, User
from endpoints.models.incoming import ModelUploadQuerySet
from endpoints.permissions import Action
from endpoints.teams import team_to_own
from inference.errors import Conflict, InvalidAction, InvalidRequest, NotFound, StorageUnusable
from inference.runner.adding import NAME, READ_ONCE, SHARDS_FILE, Wish, find
from inference.runner.catalogue import PublishedModel, WeightsFile
from inference.runner.files import CHUNK_BYTES, check_space, sha256_of, sync
from inference.runner.layout import CONFIG_FILE, SHIPPED_GRAPHS, TOKENIZER_FILE, WEIGHTS_FILE
from inference.runner.pooling import MODULES_FILE
from inference.types import InputType, TaskType

MOST_FILES = 1000
FORGOTTEN_AFTER = timedelta(days=7)
NETWORKS = (WEIGHTS_FILE, *SHIPPED_GRAPHS)
# The small ones first: they are sent at once, and say early what is wrong.
READ = (CONFIG_FILE, TOKENIZER_FILE, MODULES_FILE, *READ_ONCE)
RUN = (*NETWORKS, *(f"{name}_data" for name in SHIPPED_GRAPHS))


@dataclass(frozen=True)
class UploadedFile:
    number: int
    name: str
    size_bytes: int
    received_bytes: int

    @property
    def is_whole(self) -> bool:
        return self.received_bytes == self.size_bytes


@attempt("model.upload", on="model_id")
def begin(
    actor: User, model_id: str, wish: Wish, files: Mapping[str, int], *, team: str | None = None
) -> ModelUpload:
    """Announce a model's files, by name with their sizes; those that are not needed are left out.

    One archive may stand for all of them. Announced again, the same upload goes on. Raises
    InvalidAction, InvalidRequest, EndpointExists, Conflict for other files than those announced
    before, StorageUnusable, and what `team_to_own` raises.
    """
    owner = team_to_own(actor, Action.MODEL_PUT, team)
    trained_models.check_model_id(model_id)
    wanted = needed_of(files)
    replace(wish, folder=Path("/")).check()
    found = ModelUpload.objects.filter(model_id=model_id).first()
    if found:
        return go_on(actor, found, wanted)
    trained_models.check_is_unique(model_id, ())
    settings.MODEL_DIR.mkdir(parents=True, exist_ok=True)
    # As much again: later the graph that is built from them wants the same room.
    check_space(settings.MODEL_DIR, 2 * sum(size for _, size in wanted))
    try:
        with transaction.atomic():
            upload = ModelUpload.objects.create(
                model_id=model_id,
                team=owner,
                created_by=actor,
                files=wanted,
                options=options_of(wish),
            )
            after = {"files": len(wanted), "bytes": upload.bytes_total}
            audit.record("model.upload", model_id, team=owner, after=after)
    except IntegrityError:
        raise trained_models.already_exists(model_id) from None
    return upload


def go_on(actor: User, found: ModelUpload, wanted: list[tuple[str, int]]) -> ModelUpload:
    if not uploads_of(actor).filter(pk=found.pk).exists():
        raise trained_models.already_exists(found.model_id)
    if sorted(map(tuple, found.files)) != sorted(wanted):
        raise Conflict(
            f"An upload of model [{found.model_id}] has begun with other files: go on with those, "
            "or discard it first"
        )
    return found


def needed_of(files: Mapping[str, int]) -> list[tuple[str, int]]:
    """Those of a model's files that are needed here, in the order to send them.

    Raises InvalidAction with all that is wrong.
    """
    problems = [f"[{name}] is no name of a file" for name in files if not NAME.fullmatch(name)]
    problems += [f"[{name}] is empty" for name, size in files.items() if size < 1]
    archives = [name for name in files if name.endswith(".zip")]
    if len(files) == 1 and archives:
        wanted = list(files.items())
    else:
        wanted = [(name, size) for name, size in files.items() if is_needed(name)]
        names = {name for name, _ in wanted}
        problems += [
            f"there is no [{name}]: choose the folder with all of the model's files"
            for name in (CONFIG_FILE, TOKENIZER_FILE)
            if name not in names
        ]
        if not names.intersection(NETWORKS):
            shards = f" Weights in several files ([{SHARDS_FILE}]) are not read here."
            problems.append(
                f"there are no weights: none of [{', '.join(NETWORKS)}]."
                + (shards if SHARDS_FILE in files else "")
            )
    if len(files) > MOST_FILES:
        problems.append(f"there are {len(files)} files, more than {MOST_FILES}")
    total, most = sum(size for _, size in wanted), settings.MODEL_UPLOAD_BYTES
    if total > most:
        problems.append(
            f"the files have {total / 1e6:,.0f} MB, more than the {most / 1e6:,.0f} MB that "
            "[CONSOLE_MODEL_UPLOAD_MB] allows"
        )
    if problems:
        raise InvalidAction(problems)
    return sorted(wanted, key=lambda file: (file[0] in RUN, file[1], file[0]))


def is_needed(name: str) -> bool:
    """Whether a model is read or run from a file of this name; a module's config may be one."""
    return name in (*READ, *RUN) or name.endswith(f"/{CONFIG_FILE}")


def options_of(wish: Wish) -> dict[str, Any]:
    return {
        "task_type": wish.task_type,
        "pooling": wish.pooling,
        "prefixes": wish.prefixes and {kind.value: text for kind, text in wish.prefixes.items()},
        "description": wish.description,
        "licence": wish.licence,
    }


def wish_of(upload: ModelUpload) -> Wish:
    options = upload.options
    prefixes = options["prefixes"]
    return Wish(
        model_id=upload.model_id,
        folder=upload.folder,
        task_type=TaskType(options["task_type"]) if options["task_type"] else None,
        pooling=options["pooling"],
        prefixes=prefixes and {InputType(kind): text for kind, text in prefixes.items()},
        description=options["description"],
        licence=options["licence"],
    )


def uploads_of(user: User) -> ModelUploadQuerySet:
    """Those that somebody may go on with: of the teams in which they may add models."""
    every = ModelUpload.objects.select_related("team", "created_by")
    return visible(user, Action.MODEL_PUT, every)


def find_upload(user: User, model_id: str) -> ModelUpload:
    """Raises NotFound."""
    found = uploads_of(user).filter(model_id=model_id).first()
    if found is None:
        raise unknown(model_id)
    return found


def unknown(model_id: str) -> NotFound:
    return NotFound(f"No upload of a model [{model_id}] is under way")


def files_of(upload: ModelUpload) -> list[UploadedFile]:
    """What was announced, with how much of it is here."""
    return [
        UploadedFile(number, name, size, size_here(upload.folder / name))
        for number, (name, size) in enumerate(upload.files)
    ]


def size_here(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def put_part(
    upload: ModelUpload, number: int, content: bytes, *, offset: int, sha256: str = ""
) -> UploadedFile:
    """Add a piece to a file. offset: where it begins, which is where what is here ends.

    sha256: of the piece, to notice what the way spoiled. Raises NotFound for a file that was not
    announced, InvalidRequest for a piece that is none of it, Conflict, which says how much is here,
    for one that does not come next, and StorageUnusable.
    """
    if not 0 <= number < len(upload.files):
        raise NotFound(f"The upload of model [{upload.model_id}] has no file [{number}]")
    name, size = upload.files[number]
    if sha256 and hashlib.sha256(content).hexdigest() != sha256.lower():
        raise InvalidRequest(f"What came of [{name}] is not what its [sha256] says: send it again")
    path = upload.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    check_space(path.parent, len(content))
    with end_of(path) as (file, here):
        if offset != here:
            raise Conflict(f"Of [{name}] there are [{here}] bytes here, so [{offset}] is not next")
        if offset + len(content) > size:
            raise InvalidRequest(f"[{name}] was announced with {size} bytes; this would be more")
        write_at(file, here, content)
    if not ModelUpload.objects.filter(pk=upload.pk).update(updated_at=timezone.now()):
        shutil.rmtree(upload.folder, ignore_errors=True)
        raise unknown(upload.model_id)
    return UploadedFile(number, name, size, offset + len(content))


@contextmanager
def end_of(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """A file to add to, which nobody else adds to meanwhile, and how long it is."""
    with path.open("ab") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield file, os.fstat(file.fileno()).st_size


def write_at(file: BinaryIO, here: int, content: bytes) -> None:
    """Add all of it or nothing. Raises StorageUnusable."""
    try:
        file.write(content)
        file.flush()
    except OSError as exc:
        with suppress(OSError):
            os.ftruncate(file.fileno(), here)
        reason = "it is full" if exc.errno == errno.ENOSPC else exc.strerror
        raise StorageUnusable(f"The disk of the models cannot be written to: {reason}") from exc


@attempt("model.upload", on="upload")
def finish(actor: User, upload: ModelUpload) -> TrainedModel:
    """Look at what came, and make a model of it; a worker then prepares it to run.

    Raises Conflict for what is not all here, UnsupportedModel for what cannot be hosted,
    InvalidRequest for a bad archive, and EndpointExists. The files then stay for another try.
    """
    if missing := [file.name for file in files_of(upload) if not file.is_whole]:
        raise Conflict(
            f"The upload of model [{upload.model_id}] is not complete: there is not all of "
            f"[{', '.join(missing[:10])}]"
        )
    trained_models.check_is_unique(upload.model_id, ())
    unpack(upload)
    published = find(wish_of(upload), jobs.model_sources())
    files = tuple(hashed(upload.folder, file) for file in published.weights.files)
    weights = replace(published.weights, repository="", revision="", files=files)
    return keep(actor, upload, replace(published, weights=weights))


def hashed(folder: Path, file: WeightsFile) -> WeightsFile:
    path = folder / file.name
    return WeightsFile(file.name, path.stat().st_size, sha256_of(path))


@transaction.atomic
def keep(actor: User, upload: ModelUpload, published: PublishedModel) -> TrainedModel:
    """Put the files to where models are run from, and what else came away."""
    if not ModelUpload.objects.filter(pk=upload.pk).delete()[0]:
        raise unknown(upload.model_id)
    model = added_models.store(actor, upload.team, published)
    assert model.artifact  # noqa: S101 - what is added has one
    target = jobs.artifact_folder(model.artifact)
    for file in published.weights.files:
        path = target / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        sync(upload.folder / file.name)
        os.replace(upload.folder / file.name, path)
    transaction.on_commit(removal_of(upload))
    return model


def unpack(upload: ModelUpload) -> None:
    """Take the files out of an archive, where that is what was sent. Raises InvalidRequest."""
    name = upload.files[0][0]
    if len(upload.files) > 1 or not name.endswith(".zip"):
        return
    try:
        with zipfile.ZipFile(upload.folder / name) as archive:
            members = {
                member.filename: member for member in archive.infolist() if not member.is_dir()
            }
            root = root_of(list(members))
            inside = {
                name.removeprefix(root): member
                for name, member in members.items()
                if is_needed(name.removeprefix(root))
            }
            sizes = needed_of({name: member.file_size for name, member in inside.items()})
            check_space(upload.folder, 2 * sum(size for _, size in sizes))
            for name, size in sizes:
                path = upload.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(inside[name]) as source, path.open("wb") as target:
                    copy(source, target, size)
    except InvalidAction as exc:
        raise InvalidAction([f"the archive: {problem}" for problem in exc.problems]) from exc
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as exc:
        raise InvalidRequest(f"The archive [{name}] cannot be read: {exc}") from exc


def root_of(names: list[str]) -> str:
    """The folder in which the model lies in an archive: where its config is, nearest the top."""
    folders = [PurePosixPath(name).parent for name in names if name.endswith(CONFIG_FILE)]
    nearest = min(folders, key=lambda folder: len(folder.parts), default=PurePosixPath())
    return f"{nearest}/" if nearest.parts else ""


def copy(source: Any, target: BinaryIO, size: int) -> None:
    """No more than was said: a small archive can hold what fills a disk."""
    left = size
    while left and (chunk := source.read(min(CHUNK_BYTES, left))):
        target.write(chunk)
        left -= len(chunk)


@attempt("model.cancel", on="upload")
@transaction.atomic
def discard(upload: ModelUpload) -> None:
    """Forget an upload with all that came of it."""
    if not ModelUpload.objects.filter(pk=upload.pk).delete()[0]:
        raise unknown(upload.model_id)
    audit.record("model.cancel", upload.model_id, team=upload.team)
    transaction.on_commit(removal_of(upload))


def forget_old() -> None:
    """Discard what nobody went on with for long."""
    for upload in ModelUpload.objects.filter(updated_at__lt=timezone.now() - FORGOTTEN_AFTER):
        with suppress(NotFound):
            discard(upload)


def removal_of(upload: ModelUpload) -> partial[None]:
    """What takes the files away, to be called once the record is gone."""
    return partial(shutil.rmtree, upload.folder, ignore_errors=True)
