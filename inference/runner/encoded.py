"""What the encoder makes of one text."""

from dataclasses import dataclass

from inference.arrays import FloatArray, IntArray
from inference.types import Truncation


@dataclass(frozen=True)
class EncodedText:
    """The tokens of one text, or of two that are read together, and what came out for each.

    ids: (tokens,), vocabulary ids, with the special tokens at both ends.
    states: (tokens, dim), the model's last_hidden_state, neither pooled nor normalized; where the
    graph ends in a trained head, (tokens, vocab) logits or (tokens, 1) scores.
    """

    ids: IntArray
    states: FloatArray
    truncation: Truncation | None = None
