"""One input text as the chunkers see it: its word and sentence boundaries.

Every offset is in UTF-16 code units, as Java counts them: a character outside the basic plane
counts 2. Boundaries are those of ICU's root locale (UAX #29 with ICU's tailorings).
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice
from operator import itemgetter

import numpy as np
import numpy.typing as npt
from icu4py.breakers import SentenceBreaker, WordBreaker

from inference.arrays import IntArray
from inference.chunking.span import Span
from inference.chunking.wordlike import wordlike_characters

Units = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]

ROOT = ""
STEP = 50_000  # segments, which take some milliseconds
PARAGRAPH_SEPARATOR = "\u2029"
HANGUL = (0xAC00, 0xD7A3)
ITERATION_MARK = 0x3005  # the ideographic one: it repeats the character before it
IDEOGRAPHIC = (0x3005, 0x9FFF)
FIRST_DICTIONARY_LETTER = 0x0E01  # Thai
IDEOGRAPHIC_MARKS = (0x3000, 0x3001, 0x3002, 0xFF01, 0xFF0C, 0xFF1F)


class ChunkedText:
    """A text with its boundaries, each found once and when first asked for."""

    def __init__(self, text: str, *, check: Callable[[], None] = lambda: None) -> None:
        """check: called again and again while boundaries are found; may raise, to give up."""
        self._check = check
        units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
        surrogates = 0 if text.isascii() else np.count_nonzero((units & 0xF800) == 0xD800)
        self._has_lone_surrogates = bool(surrogates != 2 * (len(units) - len(text)))
        # Java joins the halves of a pair however they came; Python keeps them apart.
        self._text = _decode(units) if self._has_lone_surrogates else text
        self._units = units
        self._is_basic_plane = len(units) == len(self._text)

    def __len__(self) -> int:
        return len(self._units)

    def __str__(self) -> str:
        return self._text

    def texts(self, spans: Sequence[Span]) -> list[str]:
        """The text of each span, whitespace kept."""
        starts = self.indices([span.start for span in spans]).tolist()
        ends = self.indices([span.end for span in spans]).tolist()
        return [self._text[start:end] for start, end in zip(starts, ends, strict=True)]

    def divides(self, span: Span) -> bool:
        """Whether the words in the span are the same as those of the span alone.

        ICU's rules start afresh at each boundary, but its dictionaries look at a run as a whole.
        """
        return self._is_division(span.start) and self._is_division(span.end)

    def _is_division(self, place: int) -> bool:
        if place in (0, len(self)):
            return True
        beside = self._units[place - 1 : place + 1].tolist()
        return self._breaks[self._break_at(place)] == place and any(map(_is_simple, beside))

    def offsets(self, indices: Sequence[int]) -> IntArray:
        """UTF-16 offsets of positions in `str(self)`."""
        positions = np.array(indices, np.int32)
        if self._is_basic_plane:
            return positions
        before = np.searchsorted(self._supplementary, positions).astype(np.int32)
        return positions + before

    def indices(self, offsets: Sequence[int]) -> IntArray:
        """Positions in `str(self)` of UTF-16 offsets, none of which halves a character."""
        places = np.array(offsets, np.int32)
        if self._is_basic_plane:
            return places
        doubles = self._supplementary + np.arange(len(self._supplementary), dtype=np.int32)
        return places - np.searchsorted(doubles, places).astype(np.int32)

    @cached_property
    def sentence_ends(self) -> IntArray:
        return self._ends(SentenceBreaker(self._for_icu, ROOT))

    def sentence_ends_in(self, spans: Sequence[Span]) -> IntArray:
        """Where the sentences of each span end, the span taken alone; spans come in order.

        ICU reads them as one text. The paragraph separators between them keep them apart: no
        rule looks past one, and it belongs to the sentence before it.
        """
        joined = ChunkedText(PARAGRAPH_SEPARATOR.join(self.texts(spans)))
        starts = np.array([span.start for span in spans], np.int32)
        lengths = np.array([span.end for span in spans], np.int32) - starts
        places = np.cumsum(lengths + 1, dtype=np.int32) - lengths - 1
        owners = np.searchsorted(places, joined.sentence_ends) - 1
        ends = np.minimum(joined.sentence_ends - places[owners], lengths[owners])
        return np.unique(ends + starts[owners])

    @cached_property
    def word_ends(self) -> IntArray:
        """The ends of the segments that are words."""
        return self._breaks[1:][self._are_words]

    def word_ends_in(self, span: Span) -> IntArray:
        """Where the words of the span end, the span taken alone."""
        if not self.divides(span):
            alone = ChunkedText(*self.texts([span]))
            return alone.word_ends + np.int32(span.start)
        first, last = self._break_at(span.start), self._break_at(span.end)
        before, upto = self._words_before[first + 1], self._words_before[last + 1]
        return self.word_ends[before:upto]

    def count_words(self, start: int, end: int) -> int:
        return int(self.count_words_each(np.array([start], np.int32), np.array([end], np.int32))[0])

    def count_words_each(
        self, starts: IntArray, ends: IntArray, floors: IntArray | None = None
    ) -> IntArray:
        """How many words end between the boundary before each start and each end, both included.

        So a word that ends exactly at the start is counted too. Elasticsearch counts like this,
        and where it cuts a text depends on it.
        floors: boundaries where the text of each count begins; no word ends there.
        """
        first = self._boundary_before(starts)
        if floors is not None:
            first = np.maximum(first, np.searchsorted(self._breaks, floors) + 1)
        upto = np.searchsorted(self._breaks, ends, "right")
        return self._words_before[upto] - self._words_before[first]

    def skip_words(self, start: int, number: int) -> int:
        """The boundary after the one that ends the n-th word, counted as count_words does.

        With number 0 it is the boundary before start.
        """
        first = max(self._break_at(start) - 1, 0)
        if not number:
            return int(self._breaks[first])
        after = bisect_left(self._words_before.data, int(self._words_before[first]) + number)
        return int(self._breaks[min(after, len(self._breaks) - 1)])

    def _break_at(self, place: int) -> int:
        """The index of the first boundary that is not below the place."""
        return bisect_left(self._breaks.data, place)

    def _boundary_before(self, starts: IntArray) -> npt.NDArray[np.intp]:
        """The index of the greatest boundary below each start; the first one if there is none."""
        return np.maximum(np.searchsorted(self._breaks, starts) - 1, 0)

    @cached_property
    def _breaks(self) -> IntArray:
        """Word boundaries, 0 and the length of the text included."""
        return np.concatenate([np.zeros(1, np.int32), self._ends(WordBreaker(self._for_icu, ROOT))])

    @cached_property
    def _words_before(self) -> IntArray:
        """words_before[i]: how many of the first i boundaries end a word."""
        counts = np.zeros(len(self._breaks) + 1, np.int32)
        np.cumsum(self._are_words, out=counts[2:])
        return counts

    @cached_property
    def _are_words(self) -> Flags:
        """Which segments ICU gives a rule status other than NONE.

        The boundaries come without the status, so it is worked out from the characters: a word
        holds a letter or a digit. Agrees with the status of ICU 78 but for odd runs of
        iteration marks.
        """
        if len(self._breaks) == 1:
            return np.zeros(0, np.bool_)
        wordlike = self._wordlike_units()
        are_words = np.logical_or.reduceat(wordlike, self._breaks[:-1])
        if not self._text.isascii():
            are_words[self._segments_of(self._marked_hangul(wordlike))] = False
            are_words[self._segments_of(self._lone_iteration_marks())] = False
        return are_words

    def _wordlike_units(self) -> Flags:
        table = wordlike_characters()
        flags = table[self._units]
        if not self._is_basic_plane:
            high = np.flatnonzero(_between(self._units[:-1], (0xD800, 0xDBFF)))
            high = high[_between(self._units[high + 1], (0xDC00, 0xDFFF))]
            tops = self._units[high].astype(np.int32) - 0xD800
            characters = 0x10000 + (tops << 10) + (self._units[high + 1].astype(np.int32) - 0xDC00)
            flags[high] = table[np.minimum(characters, len(table) - 1)]
        return flags

    def _marked_hangul(self, wordlike: Flags) -> IntArray:
        """Hangul syllables directly followed by a combining mark: ICU calls them no word."""
        found = np.flatnonzero(_between(self._units[:-1], HANGUL) & ~wordlike[1:])
        return found[~self._is_break(found + 1)].astype(np.int32)

    def _lone_iteration_marks(self) -> IntArray:
        """Iteration marks with nothing ideographic beside them, so without a dictionary word."""
        found = np.flatnonzero(self._units == ITERATION_MARK)
        ideographic = np.zeros(len(self._units) + 2, np.bool_)
        if len(found):
            ideographic[1:-1] = _between(self._units, IDEOGRAPHIC)
        return found[~ideographic[found] & ~ideographic[found + 2]].astype(np.int32)

    def _segments_of(self, offsets: IntArray) -> npt.NDArray[np.intp]:
        return np.searchsorted(self._breaks, offsets, "right") - 1

    def _is_break(self, offsets: npt.NDArray[np.intp]) -> Flags:
        nearest = np.searchsorted(self._breaks, offsets.astype(np.int32))
        return np.equal(self._breaks[nearest], offsets)

    def _ends(self, breaker: SentenceBreaker | WordBreaker) -> IntArray:
        """Where the segments of the text end."""
        found, ends = [], map(itemgetter(1), breaker.segments())
        while len(step := np.fromiter(islice(ends, STEP), np.int32)):
            self._check()
            found.append(step)
        return np.concatenate([np.zeros(0, np.int32), *found])

    @cached_property
    def _supplementary(self) -> IntArray:
        """The indices in `str(self)` of the characters that count 2."""
        characters = np.frombuffer(self._text.encode("utf-32-le", "surrogatepass"), np.uint32)
        return np.flatnonzero(characters > 0xFFFF).astype(np.int32)

    @cached_property
    def _for_icu(self) -> str:
        """The text with lone surrogates, which UTF-8 cannot hold, replaced one for one."""
        if not self._has_lone_surrogates:
            return self._text
        return self._text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _decode(units: Units) -> str:
    return units.tobytes().decode("utf-16-le", "surrogatepass")


def _is_simple(unit: int) -> bool:
    return unit < FIRST_DICTIONARY_LETTER or unit in IDEOGRAPHIC_MARKS


def _between(units: Units, bounds: tuple[int, int]) -> Flags:
    return (units >= bounds[0]) & (units <= bounds[1])
