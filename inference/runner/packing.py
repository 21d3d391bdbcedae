"""Several texts in one row of the network, so that no token is padding.

A row of 8 tokens costs as much as reading all the weights; one of 64 makes full use of each read,
and beyond that a row gains nothing. Texts share a row by a block-diagonal mask (a token attends
only to its own text) and positions that start anew with each text, so that a packed text gets
the same states as a text alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class PackedRow:
    """ids, positions: (1, tokens). mask: (1, tokens, tokens). starts: where each text begins."""

    ids: IntArray
    positions: IntArray
    mask: IntArray
    starts: tuple[int, ...]


def pack(texts: Sequence[IntArray]) -> PackedRow:
    """Put the texts' token ids, each (tokens,), behind one another in one row."""
    lengths = [len(ids) for ids in texts]
    positions = np.concatenate([np.arange(length, dtype=np.int32) for length in lengths])
    if len(texts) == 1:
        mask = np.ones((1, lengths[0], lengths[0]), np.int32)
    else:
        owner = np.repeat(np.arange(len(texts)), lengths)
        mask = (owner[:, None] == owner[None, :]).astype(np.int32)[None]
    starts = tuple(np.cumsum([0, *lengths[:-1]]).tolist())
    return PackedRow(np.concatenate(texts)[None], positions[None], mask, starts)


def unpack(states: FloatArray, row: PackedRow) -> list[FloatArray]:
    """The states of each text, (tokens, dim), from those of the whole row, (1, tokens, dim)."""
    return np.split(states[0], row.starts[1:])
