"""How a text is cut, to be looked at: each chunk with what it repeats, and what is too long."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from console.forms.refusable import problems_of
from inference.chunking import chunk
from inference.chunking.settings import parse_chunking
from inference.chunking.span import Span
from inference.chunking.text import ChunkedText
from inference.errors import InferenceError, InvalidArgument

MOST_CHARACTERS = 20_000
# Tokens are only counted by the model itself. English needs about four for three words.
TOKENS_PER_WORD, CHARACTERS_PER_TOKEN = 4 / 3, 4
SAMPLE = """\
A search that only compares words misses what was said in other ones. Whoever looks for "flat \
tyre" does not find "puncture". Vectors help: texts that mean the same lie close together, \
whatever words they use.

A vector stands for a whole text, and the longer that is, the less it says of each part. So long \
texts are cut into chunks, and each chunk gets a vector of its own. Small chunks are found \
exactly, but have little around them. Large ones keep what belongs together, but a single \
sentence in them weighs less.

A cut in the middle of a thought loses it. That is why chunks may overlap: each then begins with \
what ended the one before. It costs some space, since what overlaps is stored twice.

Where a text is cut depends on the strategy. Sentences are never broken unless a single one is \
too long, so they suit letters, articles and answers. Words are counted without a look at what \
they say, which gives chunks of the same size. Separators suit what has a structure already: \
headings, paragraphs, lines of a list. And short texts, such as titles or questions, need no cut \
at all.

Every model reads only so many tokens, and a token is a word or a part of one. What lies beyond \
is not read, and nobody finds it later. A chunk should therefore stay below that, with some room \
to spare: rare words, numbers and other languages need more tokens than plain English does. Try \
it here: write or paste a text of your own, and change the sizes to see where it is cut.
"""


@dataclass(frozen=True)
class ChunkShown:
    """repeated: what it begins with that the one before ended with. tokens: an estimate."""

    number: int
    repeated: str
    text: str
    words: int
    characters: int
    tokens: int
    is_over: bool


@dataclass(frozen=True)
class Preview:
    """sample: the text. window: the tokens that the model reads; None where nobody knows.

    problem: why there are no chunks.
    """

    sample: str
    chunks: tuple[ChunkShown, ...] = ()
    words: int = 0
    window: int | None = None
    problem: str = ""

    @property
    def over(self) -> int:
        """How many chunks are longer than the model reads."""
        return sum(one.is_over for one in self.chunks)

    @property
    def longest(self) -> int:
        """The words of the longest chunk."""
        return max((one.words for one in self.chunks), default=0)


def preview_of(
    sample: str,
    settings: Mapping[str, Any] | None,
    *,
    most: int | None = None,
    window: Any = None,
) -> Preview:
    """Cut a text as the API would.

    settings: as a request gives them; the usual ones for none. most: the largest chunk that the
    service allows. window: the tokens that the model reads, where that is known.
    """
    sample = sample.replace("\r\n", "\n")
    window = window if isinstance(window, int) and window > 0 else None
    try:
        if len(sample) > MOST_CHARACTERS:
            raise InvalidArgument(f"Paste {MOST_CHARACTERS:,} characters at most")
        text = ChunkedText(sample)
        spans = chunk(sample, parse_chunking(settings, most=most))
    except InferenceError as exc:
        return Preview(sample, window=window, problem=" ".join(problems_of(exc)))
    if not sample.strip():
        return Preview(sample, window=window)
    chunks = tuple(_shown(text, spans, window))
    return Preview(sample, chunks, text.count_words(0, len(text)), window)


def _shown(text: ChunkedText, spans: list[Span], window: int | None) -> list[ChunkShown]:
    shown, before = [], 0
    for number, span in enumerate(spans, 1):
        # A chunk that begins before the end of the last one repeats what lies between.
        middle = min(max(span.start, before), span.end)
        repeated, rest = text.texts([Span(span.start, middle), Span(middle, span.end)])
        words = len(text.word_ends_in(span))
        characters = len(repeated) + len(rest)
        tokens = ceil(max(words * TOKENS_PER_WORD, characters / CHARACTERS_PER_TOKEN))
        is_over = window is not None and tokens > window
        shown.append(ChunkShown(number, repeated, rest, words, characters, tokens, is_over))
        before = span.end
    return shown
