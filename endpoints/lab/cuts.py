"""The chunks of texts in the lab, worked out once in a process and kept for a while.

A text of a run never changes, so its key and the settings tell which chunks they are. To cut a
text of megabytes takes seconds: who looks at it is shown its start, and waits for the rest.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from endpoints.lab.tokens import TokenCount, TokenCounter, count_tokens
from endpoints.models import LabRun
from inference.chunking.cut import Cut, cut_start, cut_text, cuts_of_text
from inference.chunking.settings import ChunkingSettings
from inference.errors import InvalidArgument

Value = TypeVar("Value")
# Each of them may take a few megabytes for a document of the longest.
KEPT = 16
# Texts of no more characters are cut as soon as somebody looks at them.
AT_ONCE = 200_000
# How far a longer one is read for its first chunks.
START = 100_000


class Kept(Generic[Value]):
    """The latest values by key; those that nobody asked for go first."""

    def __init__(self) -> None:
        self._values: OrderedDict[object, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object, make: Callable[[], Value]) -> Value:
        known = self.find(key)
        return self.keep(key, make()) if known is None else known

    def find(self, key: object) -> Value | None:
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def keep(self, key: object, made: Value) -> Value:
        with self._lock:
            self._values[key] = made
            while len(self._values) > KEPT:
                self._values.popitem(last=False)
        return made


_cuts, _counts, _starts = Kept[Cut](), Kept[TokenCount](), Kept[Cut]()
# Why the whole of a long text cannot be cut, where that is known.
_refusals = Kept[str]()
# One after the other: each takes a core, and some ten bytes for a character.
_turn = threading.Lock()
_latest: dict[str, object] = {}


class NoLongerWanted(Exception):
    """Who asked for the chunks asked for others meanwhile."""


def cut_of(run: LabRun, settings: ChunkingSettings) -> Cut:
    """Raises InvalidArgument for a separator that cannot be used."""
    return _cuts.get((run.key, settings), lambda: cut_text(run.text, settings))


def quick_cut(run: LabRun, settings: ChunkingSettings) -> Cut | None:
    """All the chunks, where to have them takes no time worth telling. Raises what `cut_of` does."""
    if run.characters <= AT_ONCE:
        return cut_of(run, settings)
    if refusal := _refusals.find((run.key, settings)):
        raise InvalidArgument(refusal)
    return _cuts.find((run.key, settings))


def start_of(run: LabRun, settings: ChunkingSettings) -> Cut:
    """The first chunks of a long text. Raises what `cut_of` raises."""
    return _starts.get((run.key, settings), lambda: cut_start(run.text, settings, START))


def cut_for(viewer: str, run: LabRun, all_settings: Sequence[ChunkingSettings]) -> None:
    """Have the whole text cut under each of these, unless it is by now; then `quick_cut` has them.

    viewer: who looks. What they asked for before is given up: that raises NoLongerWanted there.
    Settings under which it cannot be cut raise what `cut_of` raises, here and in `quick_cut`.
    """
    wish = _latest[viewer] = object()

    def check() -> None:
        if _latest.get(viewer) is not wish:
            raise NoLongerWanted

    try:
        with _turn:
            check()
            left = [one for one in all_settings if _cuts.find((run.key, one)) is None]
            found = cuts_of_text(run.text, left, check)
            for settings in left:
                try:
                    _cuts.keep((run.key, settings), next(found))
                except InvalidArgument as exc:
                    _refusals.keep((run.key, settings), str(exc))
                    raise
    finally:
        if _latest.get(viewer) is wish:
            del _latest[viewer]


def give_up(viewer: str) -> None:
    """What this viewer waits for is wanted no more."""
    _latest.pop(viewer, None)


def tokens_of(run: LabRun, settings: ChunkingSettings, counter: TokenCounter) -> TokenCount:
    cut = cut_of(run, settings)
    return _counts.get((run.key, settings, counter), lambda: count_tokens(counter, run.text, cut))
