"""From text to token ids, cut to the model's window."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from inference.arrays import IntArray
from inference.types import Truncation

# Longer texts are first tried on a head of this many characters for each token of the window.
CHARACTERS_PER_TOKEN = 64
BLANK = re.compile(r"\s")


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

    def tokenize(self, texts: tuple[str, ...]) -> list[TokenizedText]:
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
        blank = BLANK.search(text, self._head)
        return text[: blank.start()] if blank else text

    def _whole(self, text: str) -> TokenizedText:
        return self._cut(self._tokenizer.encode_batch_fast([text])[0].ids)

    def _cut(self, ids: list[int], *, is_exact: bool = True) -> TokenizedText:
        """Keep the window's worth of tokens and the closing special token."""
        lost = len(ids) - self._window
        if lost <= 0:
            return TokenizedText(np.array(ids, np.int32))
        kept = [*ids[: self._window - 1], ids[-1]]
        return TokenizedText(
            np.array(kept, np.int32), Truncation(self._window, lost, is_exact=is_exact)
        )
