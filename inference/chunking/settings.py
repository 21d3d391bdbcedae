"""Chunking settings: the four strategies, their bounds and their defaults."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from inference.errors import InvalidArgument, InvalidSettings, shown

SCOPE = "chunking_settings"
MAX_SEPARATORS = 50
LARGEST_INTEGER = 2**31 - 1
# The smallest max_chunk_size of each strategy, in words.
LEAST_SIZE = {"word": 10, "sentence": 20, "recursive": 10}
SEPARATOR_GROUPS = {
    "plaintext": [r"(?<!\n)\n\n(?!\n)", r"(?<!\n)\n(?!\n)"],
    "markdown": [
        *(f"\n{'#' * level} " for level in range(1, 7)),
        "\n^(?!\\s*$).*\\n-{1,}\\n",
        "\n^(?!\\s*$).*\\n={1,}\\n",
    ],
}


class ChunkingSettings(BaseModel):
    model_config = ConfigDict(frozen=True)

    strategy: ClassVar[str]
    family: ClassVar[str]

    def to_response(self) -> dict[str, Any]:
        return {"strategy": self.strategy, **self.model_dump(mode="json")}


class NoneChunking(ChunkingSettings):
    strategy, family = "none", "When chunking is disabled (none)"


class WordChunking(ChunkingSettings):
    strategy, family = "word", "Word based"

    max_chunk_size: int
    overlap: int


class SentenceChunking(ChunkingSettings):
    strategy, family = "sentence", "Sentence based"

    max_chunk_size: int
    sentence_overlap: int


class RecursiveChunking(ChunkingSettings):
    strategy, family = "recursive", "Recursive"

    max_chunk_size: int
    separators: tuple[str, ...]


DEFAULT = SentenceChunking(max_chunk_size=250, sentence_overlap=1)


def parse_chunking(raw: Any, *, most: int | None = None) -> ChunkingSettings:
    """Read `chunking_settings`; nothing given means sentences of up to 250 words.

    most: the largest max_chunk_size that the service allows, if it limits it.
    Raises InvalidArgument for a strategy that is missing or unknown, else InvalidSettings.
    """
    if raw is None or raw == {}:
        return DEFAULT
    if not isinstance(raw, Mapping):
        raise InvalidSettings([mistyped(SCOPE, raw, "Map")])
    reader = _Reader(raw)
    named = raw.get("strategy")
    match strategy := "" if named is None else shown(named).strip().lower():
        case "none":
            reader.allow(NoneChunking)
            parsed: ChunkingSettings = NoneChunking()
        case "word":
            reader.allow(WordChunking, "max_chunk_size", "overlap")
            size = reader.size(LEAST_SIZE[strategy], most)
            parsed = WordChunking(max_chunk_size=size, overlap=reader.overlap(size))
        case "sentence":
            reader.allow(SentenceChunking, "max_chunk_size", "sentence_overlap")
            size, overlap = reader.size(LEAST_SIZE[strategy], most), reader.sentence_overlap()
            parsed = SentenceChunking(max_chunk_size=size, sentence_overlap=overlap)
        case "recursive":
            reader.allow(RecursiveChunking, "max_chunk_size", "separator_group", "separators")
            size, separators = reader.size(LEAST_SIZE[strategy], most), reader.separators()
            parsed = RecursiveChunking(max_chunk_size=size, separators=separators)
        case "":
            raise InvalidArgument("Can't build a chunker without a chunking strategy")
        case _:
            raise InvalidArgument(f"Invalid chunkingStrategy [{shown(named)}]")
    if reader.problems:
        raise InvalidSettings(reader.problems)
    return parsed


class _Reader:
    """Reads one settings object and collects everything that is wrong with it."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self.problems: list[str] = []

    def allow(self, kind: type[ChunkingSettings], *names: str) -> None:
        foreign = [name for name in self._raw if name not in ("strategy", *names)]
        if foreign:
            listed = ", ".join(foreign)
            self.problems.append(
                f"{kind.family} chunking settings can not have the following settings: [{listed}]"
            )

    def size(self, least: int, most: int | None) -> int:
        """The checked max_chunk_size, or 0 where it has a problem."""
        size = self._integer("max_chunk_size", required=True)
        if size is None:
            return 0
        if size <= 0:
            return self._refuse("max_chunk_size", size, "a positive integer")
        if size < least:
            return self._refuse(
                "max_chunk_size", float(size), f"a greater than or equal to [{least:.1f}]"
            )
        if most is not None and size > most:
            return self._refuse(
                "max_chunk_size", float(size), f"a less than or equal to [{most:.1f}]"
            )
        return size

    def overlap(self, size: int) -> int:
        overlap = self._integer("overlap", required=True) if size else None
        if overlap is None:
            return 0
        if overlap <= 0:
            return self._refuse("overlap", overlap, "a positive integer")
        if overlap > size // 2:
            return self._refuse(
                "overlap", float(overlap), f"a less than or equal to [{size // 2:.1f}]"
            )
        return overlap

    def sentence_overlap(self) -> int:
        overlap = self._integer("sentence_overlap", required=False)
        if overlap is None:
            return DEFAULT.sentence_overlap
        if overlap not in (0, 1):
            return self._refuse("sentence_overlap", overlap, "either 0 or 1")
        return overlap

    def separators(self) -> tuple[str, ...]:
        group, own = self._raw.get("separator_group"), self._raw.get("separators")
        if group is not None and own is not None:
            self.problems.append(
                f"[{SCOPE}] [separators] and [separator_group] cannot both be used"
            )
        elif own is not None:
            return self._own_separators(own)
        elif group is None:
            return tuple(SEPARATOR_GROUPS["plaintext"])
        elif not isinstance(group, str):
            self.problems.append(mistyped("separator_group", group, "String"))
        elif (name := group.strip().lower()) in SEPARATOR_GROUPS:
            return tuple(SEPARATOR_GROUPS[name])
        else:
            self.problems.append(
                f"[{SCOPE}] Invalid value [{shown(group)}] received. "
                f"[separator_group] must be one of [markdown, plaintext]"
            )
        return ()

    def _own_separators(self, own: Any) -> tuple[str, ...]:
        if not isinstance(own, list) or not all(isinstance(one, str) for one in own):
            self.problems.append(mistyped("separators", own, "List"))
        elif not own:
            self.problems.append(
                "Recursive chunking settings can not have an empty list of separators"
            )
        elif len(own) > MAX_SEPARATORS:
            self.problems.append(
                f"separators list size [{len(own)}] must not exceed [{MAX_SEPARATORS}]"
            )
        else:
            return tuple(own)
        return ()

    def _integer(self, name: str, *, required: bool) -> int | None:
        value = self._raw.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_INTEGER:
            return value
        if value is not None:
            self.problems.append(mistyped(name, value, "Integer"))
        elif required:
            self.problems.append(f"[{SCOPE}] does not contain the required setting [{name}]")
        return None

    def _refuse(self, name: str, value: float, rule: str) -> int:
        self.problems.append(f"[{SCOPE}] Invalid value [{value}]. [{name}] must be {rule}")
        return 0


def mistyped(name: str, value: Any, expected: str) -> str:
    return (
        f"field [{name}] is not of the expected type. "
        f"The value [{shown(value)}] cannot be converted to a [{expected}]"
    )
