"""What people upload: the parts of a model's definition, and its vocabulary.

A part is a file before it is a record, and the whole definition a file before its parts go: what
was acknowledged is there after a crash at any moment, and what was not can be sent again.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from endpoints import audit
from endpoints.attempts import attempt
from endpoints.models import DefinitionPart, Endpoint, TrainedModel, User
from endpoints.owned import endpoints_told, unknown_model
from inference.errors import Conflict, EndpointExists, InvalidAction, InvalidRequest, NotFound
from inference.runner.definition import DEFINITION_FILE, VOCABULARY_FILE, definition_kind
from inference.runner.files import CHUNK_BYTES, check_space, sha256_of, sync

MAX_PARTS = 10_000


def upload_folder(model: TrainedModel) -> Path:
    """Where the files of an uploaded model lie. A key is never given twice, so a folder neither."""
    folder: Path = settings.MODEL_DIR / "uploads" / str(model.pk)
    return folder


@attempt("model.upload", on="model")
def put_part(
    model: TrainedModel, number: int, content: bytes, *, total_bytes: int, total_parts: int
) -> None:
    """Keep one part of a definition; the last one that was missing makes it whole.

    Raises InvalidAction, InvalidRequest, EndpointExists for a part that is there already, NotFound
    for a model that was deleted meanwhile, or StorageUnusable.
    """
    check_part(number, total_bytes=total_bytes, total_parts=total_parts)
    if not (model.is_uploaded and model.is_pytorch):
        raise InvalidRequest(f"Model [{model.model_id}] takes no definition: it has no location")
    expected = (model.definition_bytes, model.definition_parts)
    if expected not in ((None, None), (total_bytes, total_parts)):
        raise InvalidRequest(
            f"The definition of model [{model.model_id}] was announced with "
            f"[total_definition_length] {expected[0]} and [total_parts] {expected[1]}, "
            f"not {total_bytes} and {total_parts}"
        )
    if model.parts.filter(number=number).exists():
        raise part_exists(model, number)
    folder = upload_folder(model)
    folder.mkdir(parents=True, exist_ok=True)
    check_space(folder, total_bytes if expected == (None, None) else len(content))
    sha256 = hashlib.sha256(content).hexdigest()
    with written(folder / part_name(number, sha256)) as file:
        file.write(content)
    try:
        with transaction.atomic():
            DefinitionPart.objects.create(
                model=model, number=number, size_bytes=len(content), sha256=sha256
            )
            TrainedModel.objects.filter(pk=model.pk).update(
                definition_bytes=total_bytes,
                definition_parts=total_parts,
                updated_at=timezone.now(),
            )
            if expected == (None, None):
                after = {"definition_bytes": total_bytes, "definition_parts": total_parts}
                audit.record("model.upload", model.model_id, team=model.team, after=after)
    except IntegrityError:
        if not TrainedModel.objects.filter(pk=model.pk).exists():
            shutil.rmtree(folder, ignore_errors=True)
            raise unknown_model(model.model_id) from None
        raise part_exists(model, number) from None
    model.refresh_from_db()
    if missing_of(model) is None:
        assemble(model)
        note_hashes(model)
        whole = {"definition_sha256": model.definition_sha256}
        audit.record("model.upload", model.model_id, team=model.team, after=whole)


def check_part(number: int, *, total_bytes: int, total_parts: int) -> None:
    problems = []
    if number < 0:
        problems.append("[part] must be greater or equal to 0")
    if total_parts <= 0:
        problems.append("[total_parts] must be greater than 0")
    if total_parts > MAX_PARTS:
        problems.append(f"[total_parts] must be less than or equal to {MAX_PARTS}")
    if total_bytes <= 0:
        problems.append("[total_definition_length] must be greater than 0")
    if number >= total_parts > 0:
        problems.append("[part] must be less than total_parts")
    if problems:
        raise InvalidAction(problems)


def part_exists(model: TrainedModel, number: int) -> EndpointExists:
    return EndpointExists(
        f"Part [{number}] of the definition of model [{model.model_id}] already exists"
    )


@attempt("model.upload", on="model")
def put_vocabulary(actor: User, model: TrainedModel, vocabulary: dict[str, Any]) -> None:
    """Keep the vocabulary of a model, over one that there may be.

    vocabulary: the tokens, with merges and scores where the kind of tokenizer has them.
    Raises InvalidAction, InvalidRequest or StorageUnusable, and Conflict for another vocabulary
    than the one that the vectors of an endpoint are known by.
    """
    tokens, scores = vocabulary["vocabulary"], vocabulary.get("scores")
    problems = []
    if not tokens:
        problems.append("[vocabulary] must not be empty")
    if scores and len(scores) != len(tokens):
        problems.append("[scores] must have same length as [vocabulary]")
    if problems:
        raise InvalidAction(problems)
    if not (model.is_uploaded and model.is_pytorch):
        raise InvalidRequest(f"Model [{model.model_id}] takes no vocabulary: it has no location")
    content = orjson.dumps(vocabulary)
    sha256 = hashlib.sha256(content).hexdigest()
    users = Endpoint.objects.on_model(model.model_id)
    if model.vocabulary_sha256 not in ("", sha256) and users.exists():
        raise Conflict(
            f"The vocabulary of model [{model.model_id}] cannot be changed: inference endpoints "
            f"[{', '.join(endpoints_told(actor, users))}] use it"
        )
    folder = upload_folder(model)
    folder.mkdir(parents=True, exist_ok=True)
    check_space(folder, len(content))
    with written(folder / VOCABULARY_FILE) as file:
        file.write(content)
    with transaction.atomic():
        TrainedModel.objects.filter(pk=model.pk).update(
            has_vocabulary=True,
            vocabulary_sha256=sha256,
            updated_at=timezone.now(),
        )
        before = {"vocabulary_sha256": model.vocabulary_sha256}
        after = {"vocabulary_sha256": sha256}
        audit.record("model.upload", model.model_id, team=model.team, before=before, after=after)


def check_complete(model: TrainedModel) -> None:
    """Whether a model can be deployed with what was uploaded of it.

    Raises NotFound for what is missing as a whole, InvalidRequest for what is there in part, or
    is nothing that can be run.
    """
    if not model.definition_parts:
        raise NotFound(f"Could not find trained model definition [{model.model_id}]")
    if problem := missing_of(model):
        raise InvalidRequest(
            f"The definition of model [{model.model_id}] is not complete: {problem}"
        )
    if not model.has_vocabulary:
        raise NotFound(f"Could not find vocabulary document for trained model [{model.model_id}]")
    assemble(model)
    note_hashes(model)
    definition_kind(upload_folder(model))


def missing_of(model: TrainedModel) -> str | None:
    """What a definition lacks, in words; None where it is whole."""
    sizes = dict(model.parts.values_list("number", "size_bytes"))
    count = model.definition_parts or 0
    if gaps := [str(number) for number in range(count) if number not in sizes]:
        return f"of its {count} parts there is no [{', '.join(gaps[:10])}]"
    if sum(sizes.values()) != model.definition_bytes:
        return (
            f"its parts add up to {sum(sizes.values())} bytes "
            f"instead of [total_definition_length] {model.definition_bytes}"
        )
    return None


def assemble(model: TrainedModel) -> None:
    """Make one file of the parts, unless it is there. Raises InvalidRequest for a damaged part."""
    folder = upload_folder(model)
    target = folder / DEFINITION_FILE
    parts = [folder / part_name(part.number, part.sha256) for part in model.parts.all()]
    if not target.exists():
        check_space(folder, model.definition_bytes or 0)
        with written(target) as file:
            for part in parts:
                copy_checked(part, file)
    for part in parts:
        part.unlink(missing_ok=True)


def note_hashes(model: TrainedModel) -> None:
    """Write down what the files of an upload are, which their vectors are known by."""
    folder = upload_folder(model)
    names = {"definition_sha256": DEFINITION_FILE, "vocabulary_sha256": VOCABULARY_FILE}
    missing = {
        column: sha256_of(folder / name)
        for column, name in names.items()
        if not getattr(model, column) and (folder / name).exists()
    }
    if missing:
        TrainedModel.objects.filter(pk=model.pk).update(**missing)
        for column, found in missing.items():
            setattr(model, column, found)


def copy_checked(part: Path, target: BinaryIO) -> None:
    digest = hashlib.sha256()
    try:
        with part.open("rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
    except FileNotFoundError:
        raise InvalidRequest(f"The file of the definition's part [{part.name}] is gone") from None
    if not part.name.endswith(digest.hexdigest()):
        raise InvalidRequest(f"The file of the definition's part [{part.name}] is damaged")


def part_name(number: int, sha256: str) -> str:
    return f"part-{number:05}-{sha256}"


@contextmanager
def written(target: Path) -> Iterator[BinaryIO]:
    """A file that gets its name once all of it is on the disk."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".draft-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield cast(BinaryIO, file)
        sync(Path(name))
        os.replace(name, target)
        sync(target.parent)
    finally:
        Path(name).unlink(missing_ok=True)


def removal_of(model: TrainedModel) -> Callable[[], None]:
    """What takes the files of a model away, to be called once its record is gone."""
    folder = upload_folder(model)
    return lambda: shutil.rmtree(folder, ignore_errors=True)
