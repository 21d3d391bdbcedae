"""Charts as plain shapes: where each stands on a sheet of 1000 by 100, whatever its size on screen.

The words of the axes stand beside the sheet, so that they stay crisp when it is stretched.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 1000.0, 100.0
# What is left free of a step between two bars.
GAP = 0.18
# A bar that stands for anything can be seen.
LEAST = 1.5
# How thick the mark of a step is that nothing is known of.
MARK = 2.5
ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True)
class Place:
    """The strip of one step. title: its figures in words. hour: when it began, if it is one."""

    x: str
    width: str
    title: str
    hour: datetime | None = None


@dataclass(frozen=True)
class Sum:
    """What a bar stands for. part: of the whole."""

    whole: int
    part: int


@dataclass(frozen=True)
class Bars:
    """Paths: of the parts at the foot, of what stands on them, and of steps nothing is known of."""

    parts: str
    rests: str
    nothing: str


def top_of(highest: float) -> float:
    """A round number that is not below the highest."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in ROUND if step * power >= highest * 0.999999)


def places(titled: Sequence[tuple[str, datetime | None]]) -> list[Place]:
    """titled: the title of each step, and its hour if it is one."""
    step = WIDTH / len(titled)
    return [
        Place(written(number * step), written(step), title, hour)
        for number, (title, hour) in enumerate(titled)
    ]


def bars(sums: Sequence[Sum | None], top: float) -> Bars:
    """One bar for each step, the part of a sum at its foot; None where nothing is known."""
    step = WIDTH / len(sums)
    parts, rests, nothing = [], [], []
    for number, one in enumerate(sums):
        if one is None:
            nothing.append(box(number * step, HEIGHT, step, MARK))
            continue
        x, width = (number + GAP / 2) * step, (1 - GAP) * step
        foot, rest = height_of(one.part, top), height_of(one.whole - one.part, top)
        if foot:
            parts.append(box(x, HEIGHT, width, foot))
        if rest:
            rests.append(box(x, HEIGHT - foot, width, min(rest, HEIGHT - foot)))
    return Bars("".join(parts), "".join(rests), "".join(nothing))


def height_of(value: float, top: float) -> float:
    return max(HEIGHT * value / top, LEAST) if value else 0.0


def box(x: float, y: float, width: float, height: float) -> str:
    """A rectangle as a path, from its lower left corner."""
    return f"M{written(x)} {written(y)}h{written(width)}v{written(-height)}h{written(-width)}z"


def line(values: Sequence[float | None], top: float) -> str:
    """A path from step to step, with gaps where there is no value; a lone value is a dash."""
    step = WIDTH / len(values)
    path, is_down = [], False
    for number, value in enumerate(values):
        if value is None:
            is_down = False
            continue
        x, y = (number + 0.5) * step, written(HEIGHT - HEIGHT * value / top)
        is_lone = not is_down and (number + 1 == len(values) or values[number + 1] is None)
        if is_lone:
            width = (1 - GAP) * step
            path.append(f"M{written(x - width / 2)} {y}h{written(width)}")
        else:
            path.append(f"{'L' if is_down else 'M'}{written(x)} {y}")
        is_down = True
    return "".join(path)


def written(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
