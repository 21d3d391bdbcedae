"""How many tokens a model reads of a text: counted where its tokenizer is here, else a guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from endpoints.jobs import artifact_folder
from endpoints.known_models import facts_behind
from endpoints.models import Endpoint, TrainedModel
from inference.arrays import IntArray
from inference.chunking.cut import Cut
from inference.runner.layout import TOKENIZER_FILE
from inference.runner.tokenizer import TextTokenizer
from inference.services import find_service
from inference.types import InputType

# Roughly what the vocabularies of today take of UTF-8, in most languages.
BYTES_PER_TOKEN = 4
# Of longer documents the rest is worked out from what was counted.
MOST_COUNTED = 200_000


@dataclass(frozen=True)
class TokenCounter:
    """folder: where the tokenizer lies; none where tokens are guessed.

    window: how many tokens the model reads of a text; None where nobody knows. prefix: what is put
    before each text.
    """

    folder: Path | None = None
    window: int | None = None
    prefix: str = ""

    @property
    def is_exact(self) -> bool:
        return self.folder is not None

    def count(self, texts: Sequence[str]) -> list[int]:
        """Of each text, with the special tokens around it where they are known."""
        whole = [self.prefix + text for text in texts]
        if self.folder is None:
            return [guessed(text) for text in whole]
        return tokenizer_in(self.folder).count(whole)


@dataclass(frozen=True, eq=False)
class TokenCount:
    """counted: (chunks,) of the first chunks. total: of all. is_exact: whether all were counted."""

    counted: IntArray
    total: int
    over: int
    is_exact: bool


GUESSING = TokenCounter()


def counter_of(endpoint: Endpoint | None) -> TokenCounter:
    """What counts the tokens for an endpoint; a guess for none."""
    if endpoint is None:
        return GUESSING
    if find_service(endpoint.service).is_hosted:
        facts = facts_behind(endpoint.service, endpoint.service_settings)
        if facts is None:
            return GUESSING
        prefix = facts.prefixes.get(InputType.INGEST, "")
        return TokenCounter(tokenizer_folder(facts.model_id), facts.max_input_tokens, prefix)
    window = endpoint.known_settings.get("max_input_tokens")
    return TokenCounter(window=window if isinstance(window, int) else None)


def tokenizer_folder(model_id: str) -> Path | None:
    """Where the tokenizer of a model lies, if its files are on this machine."""
    model = TrainedModel.objects.with_files().filter(model_id=model_id).first()
    if model is None or model.artifact is None or not model.artifact.is_ready:
        return None
    folder = artifact_folder(model.artifact)
    return folder if (folder / TOKENIZER_FILE).exists() else None


@lru_cache(maxsize=8)
def tokenizer_in(folder: Path) -> TextTokenizer:
    return TextTokenizer(folder, max_input_tokens=0)


def count_tokens(counter: TokenCounter, text: str, cut: Cut) -> TokenCount:
    """Of the chunks of a text, those of a very long one only as far as is quick."""
    reached = np.cumsum(cut.characters)
    first = int(np.searchsorted(reached, MOST_COUNTED, "right"))
    counted = np.array(counter.count(cut.texts(text, 0, first)), np.int32)
    is_all = first == len(cut)
    if is_all:
        total = int(counted.sum())
    elif first:
        total = round(int(counted.sum()) * int(reached[-1]) / int(reached[first - 1]))
    else:
        total = int(reached[-1]) // BYTES_PER_TOKEN
    over = int((counted > counter.window).sum()) if counter.window else 0
    return TokenCount(counted, total, over, counter.is_exact and is_all)


def guessed(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
