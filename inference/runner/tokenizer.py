"""From text to token ids, cut to the model's window."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import monotonic

import numpy as np
from tokenizers import Encoding, Tokenizer

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
    """ids: (tokens,), special tokens at both ends. types: (tokens,), of a pair; None is all 0."""

    ids: IntArray
    truncation: Truncation | None = None
    types: IntArray | None = None


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

    @property
    def special_ids(self) -> list[int]:
        """The tokens that stand for no text, as those at both ends."""
        added = self._tokenizer.get_added_tokens_decoder()
        return [number for number, token in added.items() if token.special]

    def tokenize(self, texts: Sequence[str], deadline: float = inf) -> list[TokenizedText]:
        """deadline: of the clock `monotonic`; what is not done by then raises TooLate."""
        done: list[TokenizedText] = []
        for group in in_groups(texts, deadline):
            found = self._encode(group, self._window)
            done += [self._cut(encoding.ids, is_all) for encoding, is_all in found]
        return done

    def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has, special ones included, whatever fits the window."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=True)
        return [len(encoding.ids) for encoding in encodings]

    def pairs(
        self, query: str, documents: Sequence[str], deadline: float = inf
    ) -> tuple[Truncation | None, list[TokenizedText]]:
        """The query with each document, as one text; the document's end is cut to fit the window.

        A query that leaves no room at all is cut to half of it, which is returned beside the pairs.
        """
        room = self._window - self._tokenizer.num_special_tokens_to_add(True)
        ((asked, is_all),) = self._encode((query,), room, with_specials=False)
        most = room // 2 if len(asked.ids) >= room else room
        query_cut = cut_of(len(asked.ids), most, is_all)
        asked.truncate(most)
        left = room - len(asked.ids)
        done: list[TokenizedText] = []
        for group in in_groups(documents, deadline):
            found = self._encode(group, left, with_specials=False)
            done += [self._pair(asked, document, left, is_all) for document, is_all in found]
        return query_cut, done

    def _pair(self, query: Encoding, document: Encoding, room: int, is_all: bool) -> TokenizedText:
        truncation = cut_of(len(document.ids), room, is_all)
        document.truncate(room)
        pair = self._tokenizer.post_process(query, document)
        types = np.array(pair.type_ids, np.int32)
        return TokenizedText(np.array(pair.ids, np.int32), truncation, types)

    def _encode(
        self, texts: Sequence[str], room: int, with_specials: bool = True
    ) -> list[tuple[Encoding, bool]]:
        """The tokens of each text: all of them (True), or more than there is room for."""

        def encode(some: list[str]) -> list[Encoding]:
            return self._tokenizer.encode_batch_fast(some, add_special_tokens=with_specials)

        def whole(text: str) -> tuple[Encoding, bool]:
            is_all = NOT_BLANK.search(text, LONGEST_READ) is None
            return encode([text[:LONGEST_READ]])[0], is_all

        heads = [self._head_of(text) for text in texts]
        return [
            whole(text)
            if len(head) < len(text) and len(encoding.ids) <= room
            else (encoding, len(head) == len(text))
            for text, head, encoding in zip(texts, heads, encode(heads), strict=True)
        ]

    def _head_of(self, text: str) -> str:
        """The start of a very long text, up to a blank: what is behind it is cut off anyway.

        How much that is, is not counted: it would cost many times what the model reads.
        """
        if len(text) <= self._head:
            return text
        blank = BLANK.search(text, self._head, LONGEST_READ)
        return text[: blank.start() if blank else LONGEST_READ]

    def _cut(self, ids: list[int], is_all: bool) -> TokenizedText:
        """Keep the window's worth of tokens and the closing special token."""
        truncation = cut_of(len(ids), self._window, is_all)
        if len(ids) > self._window:
            ids = [*ids[: self._window - 1], ids[-1]]
        return TokenizedText(np.array(ids, np.int32), truncation)


def cut_of(tokens: int, room: int, is_all: bool) -> Truncation | None:
    """What is lost of a text with so many tokens, or with more that were not counted."""
    if tokens > room:
        return Truncation(room, tokens - room, is_exact=is_all)
    return None if is_all else Truncation(tokens, 1, is_exact=False)


def in_groups(texts: Sequence[str], deadline: float) -> Iterator[Sequence[str]]:
    """The texts in their order, about GROUP_CHARACTERS at a time. Raises TooLate."""
    start = size = 0
    for end, text in enumerate([*texts, ""]):
        if end == len(texts) or (size and size + len(text) > GROUP_CHARACTERS):
            if monotonic() > deadline:
                raise TooLate("the time that the caller allowed ran out while the texts were read")
            yield texts[start:end]
            start, size = end, 0
        size += len(text)
