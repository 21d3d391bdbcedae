"""What every chunker returns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A chunk's place in its input, in UTF-16 code units."""

    start: int
    end: int

    def moved(self, distance: int) -> "Span":
        return Span(self.start + distance, self.end + distance)
