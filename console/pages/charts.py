"""Charts as plain shapes: where each stands on a sheet of 1000 by 100, whatever its size on screen.

The words of the axes stand beside the sheet, so that they stay crisp when it is stretched.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000.0, 100.0
# What is left free of a step between two bars.
GAP = 0.18
# A bar that stands for anything can be seen.
LEAST = 1.5
ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True)
class Box:
    """A rectangle, its numbers ready to be written."""

    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Bar:
    """The place of one step. title: its figures in words.

    part: what stands at the foot. rest: what stands on it. Both None where there is nothing of it.
    is_recorded: whether anything is known of the step.
    """

    place: Box
    title: str
    part: Box | None
    rest: Box | None
    is_recorded: bool


@dataclass(frozen=True)
class Sum:
    """What a bar stands for; None where nothing is known. part: of the whole."""

    whole: int
    part: int


def top_of(highest: float) -> float:
    """A round number that is not below the highest."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in ROUND if step * power >= highest * 0.999999)


def bars(sums: Sequence[Sum | None], titles: Sequence[str], top: float) -> list[Bar]:
    """One for each step, the part of a sum at its foot."""
    step = WIDTH / len(sums)
    return [
        Bar(
            box(number * step, 0, step, HEIGHT),
            title,
            *stacked((number + GAP / 2) * step, (1 - GAP) * step, one or Sum(0, 0), top),
            is_recorded=one is not None,
        )
        for number, (one, title) in enumerate(zip(sums, titles, strict=True))
    ]


def stacked(x: float, width: float, one: Sum, top: float) -> tuple[Box | None, Box | None]:
    """The part, and the rest upon it; None for what is nothing."""
    foot, rest = height_of(one.part, top), height_of(one.whole - one.part, top)
    return (
        box(x, HEIGHT - foot, width, foot) if foot else None,
        box(x, max(0.0, HEIGHT - foot - rest), width, rest) if rest else None,
    )


def height_of(value: float, top: float) -> float:
    return max(HEIGHT * value / top, LEAST) if value else 0.0


def box(x: float, y: float, width: float, height: float) -> Box:
    return Box(*(written(number) for number in (x, y, width, height)))


def line(values: Sequence[float | None], top: float) -> str:
    """A path from step to step, with gaps where there is no value; a lone value is a dot."""
    step = WIDTH / len(values)
    path, is_down = [], False
    for number, value in enumerate(values):
        if value is None:
            is_down = False
            continue
        x, y = written((number + 0.5) * step), written(HEIGHT - HEIGHT * value / top)
        is_lone = not is_down and (number + 1 == len(values) or values[number + 1] is None)
        path.append(f"{'L' if is_down else 'M'}{x} {y}{'h.01' if is_lone else ''}")
        is_down = True
    return "".join(path)


def written(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
