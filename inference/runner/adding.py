"""Finding a model that somebody names: where its files are, and whether they can be hosted."""

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inference.errors import InvalidRequest, ModelUnavailable, UnsupportedModel
from inference.runner.catalogue import PublishedModel, Weights, WeightsFile
from inference.runner.description import (
    CARD_FILE,
    PROMPTS_FILE,
    SENTENCE_FILE,
    TOKENIZING_FILE,
    describe,
)
from inference.runner.files import SourceFailed
from inference.runner.layout import CONFIG_FILE, SHIPPED_GRAPHS, TOKENIZER_FILE, WEIGHTS_FILE
from inference.runner.pooling import MODULES_FILE, read_modules
from inference.runner.shelves import FolderShelf, Shelf, http_shelf
from inference.runner.sources import SourceSettings
from inference.types import InputType, TaskType

NAME = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*")
REPOSITORY = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)?")
REVISION = re.compile(r"\w[\w.-]*")
# What the model is read from, and what it runs with, too. The rest is needed here alone.
READ_ONCE = (PROMPTS_FILE, SENTENCE_FILE, TOKENIZING_FILE, CARD_FILE)
SHARDS_FILE = f"{WEIGHTS_FILE}.index.json"
MODES = ("cls", "max", "mean")


@dataclass(frozen=True)
class Wish:
    """A model to add: either from a repository or from a folder of this machine.

    What is None or empty is taken from what the files say.
    """

    model_id: str
    repository: str = ""
    revision: str = "main"
    folder: Path | None = None
    task_type: TaskType | None = None
    pooling: str | None = None
    prefixes: Mapping[InputType, str] | None = None
    description: str = ""
    licence: str = ""

    def check(self) -> None:
        """Raises InvalidRequest."""
        if bool(self.repository) == bool(self.folder):
            raise InvalidRequest("[source] must name either a [repository] or a [folder]")
        if self.repository and not REPOSITORY.fullmatch(self.repository):
            raise InvalidRequest(f"[{self.repository}] is no repository such as [owner/name]")
        if self.repository and not REVISION.fullmatch(self.revision):
            raise InvalidRequest(f"[{self.revision}] is no revision such as [main] or a commit")
        if self.folder and not self.folder.is_absolute():
            raise InvalidRequest(f"[{self.folder}] is no folder with its whole path")
        if self.pooling and self.pooling not in MODES:
            raise InvalidRequest(f"[pooling] must be one of [{', '.join(MODES)}]")


def find(wish: Wish, sources: SourceSettings) -> PublishedModel:
    """The model with all that its small files say and where its large ones are.

    Raises InvalidRequest, UnsupportedModel for a model that cannot be hosted, ModelUnavailable
    where no source has it.
    """
    wish.check()
    failures = []
    for name in ("folder",) if wish.folder else sources.order:
        try:
            with _shelf(name, wish, sources) as shelf:
                return _read(wish, shelf)
        except SourceFailed as exc:
            failures.append(f"{name}: {exc}")
    raise ModelUnavailable(
        f"Model [{wish.folder or wish.repository}] cannot be had: "
        f"{'; '.join(failures) or 'no source is allowed'}"
    )


@contextmanager
def _shelf(name: str, wish: Wish, sources: SourceSettings) -> Iterator[Shelf]:
    if wish.folder:
        yield FolderShelf(wish.folder)
    elif name == "hub":
        with http_shelf(sources.hub, wish.repository, wish.revision) as shelf:
            yield shelf
    elif name == "package":
        raise SourceFailed("only built-in models come with a package")
    elif not sources.mirror:
        raise SourceFailed("none is configured")
    elif sources.has_mirror_address:
        with http_shelf(sources.mirror, wish.repository, wish.revision) as shelf:
            yield shelf
    else:
        root = Path(sources.mirror).expanduser()
        yield FolderShelf(root / wish.repository, wish.revision)


def _read(wish: Wish, shelf: Shelf) -> PublishedModel:
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        kept = _bring(shelf, folder)
        found = describe(folder, wish.task_type, wish.pooling)
        files = (*kept, *_weights(shelf, folder))
    return PublishedModel(
        model_id=wish.model_id,
        task_type=found.task_type,
        weights=Weights(
            repository=str(wish.folder or wish.repository),
            revision=shelf.revision,
            files=files,
            licence=wish.licence or found.licence,
            architecture=found.model_type,
            output=found.output,
        ),
        max_input_tokens=found.max_input_tokens,
        description=wish.description,
        languages=found.languages,
        dimensions=found.dimensions,
        similarity=found.similarity,
        prefixes=found.prefixes if wish.prefixes is None else wish.prefixes,
        pooling=found.pooling,
        is_normalized=found.is_normalized,
        is_repooled=wish.pooling is not None,
    )


def _bring(shelf: Shelf, folder: Path) -> list[WeightsFile]:
    """Put the small files into a folder. Returns those that the model runs with, with hashes."""
    content = shelf.read(CONFIG_FILE)
    if content is None:
        raise SourceFailed(f"there is no {CONFIG_FILE}")
    kept = [_put(folder, CONFIG_FILE, content)]
    for name in (*READ_ONCE, TOKENIZER_FILE, MODULES_FILE):
        if (content := shelf.read(name)) is not None:
            file = _put(folder, name, content)
            kept += [] if name in READ_ONCE else [file]
    if (folder / MODULES_FILE).exists():
        for module in read_modules(folder)[1:]:
            if not NAME.fullmatch(module.config_file):
                raise UnsupportedModel(f"{MODULES_FILE}: [{module.path}] is no folder of the model")
            if (content := shelf.read(module.config_file)) is not None:
                kept.append(_put(folder, module.config_file, content))
    return kept


def _put(folder: Path, name: str, content: bytes) -> WeightsFile:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return WeightsFile(name, len(content), hashlib.sha256(content).hexdigest())


def _weights(shelf: Shelf, folder: Path) -> list[WeightsFile]:
    """What the graph is built from, or else a graph. Raises UnsupportedModel where neither is."""
    # Imported here, because most processes that could add a model never do.
    from inference.runner.graph import FAMILIES, read_encoder

    try:
        read_encoder(folder)
        obstacle = ""
    except UnsupportedModel as exc:
        obstacle = str(exc)
    if not obstacle and (weights := shelf.look(WEIGHTS_FILE)):
        return [weights]
    for name in SHIPPED_GRAPHS:
        if graph := shelf.look(name):
            beside = shelf.look(f"{name}_data")
            return [graph, beside] if beside else [graph]
    if not obstacle:
        is_split = shelf.look(SHARDS_FILE) is not None
        obstacle = (
            f"its weights are split over several files ({SHARDS_FILE}), of which none is read here"
            if is_split
            else f"{WEIGHTS_FILE} is missing"
        )
    raise UnsupportedModel(
        f"{obstacle}. What can be hosted: {WEIGHTS_FILE} of [{', '.join(FAMILIES)}], or a graph "
        f"as {' or '.join(SHIPPED_GRAPHS)}"
    )
