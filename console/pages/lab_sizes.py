"""A picture of how long the chunks of each side of the lab are, both on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from console.pages.charts import Bars, Sum, bars, top_of
from console.pages.lab_shown import SideShown
from inference.arrays import IntArray

# Of more chunks, a bar stands for several: for the longest of them.
MOST_BARS = 100


@dataclass(frozen=True)
class Sizes:
    """bars: of each chunk the tokens that the model reads, and on them those that it does not.

    longest: in tokens. counted: how many chunks the picture has. is_all: whether that is all.
    """

    bars: Bars
    longest: int
    counted: int
    is_all: bool


def sizes_of(sides: Sequence[SideShown], window: int | None) -> dict[str, Sizes]:
    """By the letter of the side; none of one whose chunks are not counted."""
    known = [side for side in sides if len(side.counted)]
    top = top_of(max((int(side.counted.max()) for side in known), default=0))
    return {
        side.side: Sizes(
            bars(sums_of(side.counted, window), top),
            int(side.counted.max()),
            len(side.counted),
            len(side.counted) == side.count,
        )
        for side in known
    }


def sums_of(counted: IntArray, window: int | None) -> list[Sum]:
    groups = np.array_split(counted, min(len(counted), MOST_BARS))
    highest = [int(group.max()) for group in groups]
    return [Sum(one, one if window is None else min(one, window)) for one in highest]
