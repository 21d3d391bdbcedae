"""Where a text is cut, as positions in the text, with what is in each piece."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from inference.arrays import IntArray
from inference.chunking import chunk_read
from inference.chunking.settings import ChunkingSettings
from inference.chunking.text import ChunkedText


@dataclass(frozen=True, eq=False)
class Cut:
    """starts, ends: (chunks,), positions in the text. words: (chunks,), how many each has."""

    starts: IntArray
    ends: IntArray
    words: IntArray

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def characters(self) -> IntArray:
        return self.ends - self.starts

    def texts(self, text: str, first: int = 0, end: int | None = None) -> list[str]:
        """The texts of chunks, all of them or those from `first` up to `end`."""
        places = zip(self.starts[first:end].tolist(), self.ends[first:end].tolist(), strict=True)
        return [text[start:stop] for start, stop in places]

    def repeated(self, number: int) -> int:
        """How many characters at its start a chunk has in common with the one before."""
        if number == 0:
            return 0
        return max(0, int(min(self.ends[number - 1], self.ends[number]) - self.starts[number]))

    def up_to(self, place: int) -> int:
        """How many chunks end at this position or before it: one at the least."""
        return max(1, int(np.searchsorted(self.ends, place, "right")))


def cut_text(text: str, settings: ChunkingSettings) -> Cut:
    """The same chunks as `chunk` makes. text: without lone surrogates.

    Raises InvalidArgument if a separator of the settings cannot be used.
    """
    return _cut(ChunkedText(text), settings)


def cuts_of_text(
    text: str, all_settings: Sequence[ChunkingSettings], check: Callable[[], None]
) -> Iterator[Cut]:
    """The same under several settings, the boundaries of words and sentences found only once.

    check: called again and again meanwhile; may raise, to give up. Raises what `cut_text` raises.
    """
    chunked = ChunkedText(text, check=check)
    for settings in all_settings:
        check()
        yield _cut(chunked, settings)


def cut_start(text: str, settings: ChunkingSettings, length: int) -> Cut:
    """The first chunks of a long text, read no further than this many characters.

    Only the last of what is read can end elsewhere in the whole text, so that one is left out:
    there may be none. Raises what `cut_text` raises.
    """
    cut = cut_text(text[:length], settings)
    return cut if length >= len(text) else Cut(cut.starts[:-1], cut.ends[:-1], cut.words[:-1])


def _cut(chunked: ChunkedText, settings: ChunkingSettings) -> Cut:
    spans = chunk_read(chunked, settings)
    starts, ends = [span.start for span in spans], [span.end for span in spans]
    words = np.searchsorted(chunked.word_ends, ends, "right")
    words -= np.searchsorted(chunked.word_ends, starts, "right")
    return Cut(chunked.indices(starts), chunked.indices(ends), words.astype(np.int32))
