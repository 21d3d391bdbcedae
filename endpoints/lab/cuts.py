"""The chunks of texts in the lab, worked out once in a process and kept for a while.

A text of a run never changes, so its key and the settings tell which chunks they are.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from endpoints.lab.tokens import TokenCount, TokenCounter, count_tokens
from endpoints.models import LabRun
from inference.chunking.cut import Cut, cut_text
from inference.chunking.settings import ChunkingSettings

Value = TypeVar("Value")
# Each of them may take a few megabytes for a document of the longest.
KEPT = 16


class Kept(Generic[Value]):
    """The latest values by key; those that nobody asked for go first."""

    def __init__(self) -> None:
        self._values: OrderedDict[object, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        with self._lock:
            self._values[key] = made
            while len(self._values) > KEPT:
                self._values.popitem(last=False)
        return made


_cuts, _counts = Kept[Cut](), Kept[TokenCount]()


def cut_of(run: LabRun, settings: ChunkingSettings) -> Cut:
    """Raises InvalidArgument for a separator that cannot be used."""
    return _cuts.get((run.key, settings), lambda: cut_text(run.text, settings))


def tokens_of(run: LabRun, settings: ChunkingSettings, counter: TokenCounter) -> TokenCount:
    cut = cut_of(run, settings)
    return _counts.get((run.key, settings, counter), lambda: count_tokens(counter, run.text, cut))
