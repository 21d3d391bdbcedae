"""Several texts in one row of the network, so that no token is padding.

A row of 8 tokens costs as much as reading all the weights; one of 64 makes full use of each read,
and beyond that a row gains nothing. Texts share a row by a block-diagonal mask (a token attends
only to its own text) and positions that start anew with each text, so that a packed text gets
the same states as a text alone. A pair of texts that are read together is one text here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.arrays import FloatArray, IntArray
from inference.runner.tokenizer import TokenizedText


@dataclass(frozen=True)
class PackedRow:
    """ids, types, positions: (1, tokens). mask: (1, tokens, tokens), 1 = may attend.

    starts: where each text begins.
    """

    ids: IntArray
    types: IntArray
    positions: IntArray
    mask: IntArray
    starts: tuple[int, ...]


def pack(texts: Sequence[TokenizedText]) -> PackedRow:
    """Put the texts behind one another in one row."""
    lengths = [len(text.ids) for text in texts]
    positions = np.concatenate([np.arange(length, dtype=np.int32) for length in lengths])
    if len(texts) == 1:
        mask = np.ones((1, lengths[0], lengths[0]), np.int32)
    else:
        owner = np.repeat(np.arange(len(texts)), lengths)
        mask = (owner[:, None] == owner[None, :]).astype(np.int32)[None]
    starts = tuple(np.cumsum([0, *lengths[:-1]]).tolist())
    ids = np.concatenate([text.ids for text in texts])
    types = np.zeros_like(ids)
    for text, start in zip(texts, starts, strict=True):
        if text.types is not None:
            types[start : start + len(text.ids)] = text.types
    return PackedRow(ids[None], types[None], positions[None], mask, starts)


def unpack(states: FloatArray, row: PackedRow) -> list[FloatArray]:
    """The states of each text, (tokens, dim), from those of the whole row, (1, tokens, dim)."""
    return np.split(states[0], row.starts[1:])
