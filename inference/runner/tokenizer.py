"""From text to token ids, cut to the model's window."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import monotonic

import numpy as np
from tokenizers import Tokenizer

from inference.arrays import IntArray
from inference.types import Truncation

# Longer texts are first tried on a head of this many characters for each token of the window.
CHARACTERS_PER_TOKEN = 64
# No more of a text is ever read: only blanks, or words without end, fill a window with less.
LONGEST_READ = 1_000_000
# A group of texts is read at a time, of which only what fits the window is kept.
GROUP_CHARACTERS = 4_000_000
BLANK, NOT_BLANK = re.compile(r"\s"), re.compile(r"\S")


class TooLate(Exception):
    """The caller's time ran out while the request waited or was read."""


@dataclass(frozen=True)
class TokenizedText:
    """ids: (tokens,), special tokens at both ends."""

    ids: IntArray
    truncation: Truncation | None = None


class TextTokenizer:
    """The tokenizer of one model folder. Calls release the interpreter while they work."""

    def __init__(self, folder: Path, max_input_tokens: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._window = max_input_tokens
        self._head = CHARACTERS_PER_TOKEN * max_input_tokens

    @property
    def vocabulary(self) -> list[str]:
        """The tokens in the order of their ids."""
        tokens = self._tokenizer.get_vocab()
        return sorted(tokens, key=tokens.__getitem__)

    def tokenize(self, texts: Sequence[str], deadline: float = inf) -> list[TokenizedText]:
        """deadline: of the clock `monotonic`; what is not done by then raises TooLate."""
        done: list[TokenizedText] = []
        for group in in_groups(texts):
            if monotonic() > deadline:
                raise TooLate("the time that the caller allowed ran out while the texts were read")
            done += self._tokenize(group)
        return done

    def _tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        heads = [self._head_of(text) for text in texts]
        encodings = self._tokenizer.encode_batch_fast(heads)
        return [
            self._whole(text)
            if len(head) < len(text) and len(encoding.ids) <= self._window
            else self._cut(encoding.ids, is_exact=len(head) == len(text))
            for text, head, encoding in zip(texts, heads, encodings, strict=True)
        ]

    def _head_of(self, text: str) -> str:
        """The start of a very long text, up to a blank: what is behind it is cut off anyway.

        How much that is, is not counted: it would cost many times what the model reads.
        """
        if len(text) <= self._head:
            return text
        blank = BLANK.search(text, self._head, LONGEST_READ)
        return text[: blank.start() if blank else LONGEST_READ]

    def _whole(self, text: str) -> TokenizedText:
        ids = self._tokenizer.encode_batch_fast([text[:LONGEST_READ]])[0].ids
        is_all = NOT_BLANK.search(text, LONGEST_READ) is None
        if is_all or len(ids) > self._window:
            return self._cut(ids, is_exact=is_all)
        return TokenizedText(np.array(ids, np.int32), Truncation(len(ids), 1, is_exact=False))

    def _cut(self, ids: list[int], *, is_exact: bool = True) -> TokenizedText:
        """Keep the window's worth of tokens and the closing special token."""
        lost = len(ids) - self._window
        if lost <= 0:
            return TokenizedText(np.array(ids, np.int32))
        kept = [*ids[: self._window - 1], ids[-1]]
        return TokenizedText(
            np.array(kept, np.int32), Truncation(self._window, lost, is_exact=is_exact)
        )


def in_groups(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in their order, about GROUP_CHARACTERS at a time."""
    start = size = 0
    for end, text in enumerate(texts):
        if size and size + len(text) > GROUP_CHARACTERS:
            yield texts[start:end]
            start, size = end, 0
        size += len(text)
    yield texts[start:]
