"""Documents before and after they were ranked."""

from dataclasses import dataclass
from typing import ClassVar

from inference.types import InferenceRequest, Ranking

ROW_HEIGHT = 32
WIDTH = 64


@dataclass(frozen=True)
class RankShown:
    """place, was_place: counted from one. percent: the length of the bar.

    has_text: whether the answer brought the text, too.
    """

    place: int
    was_place: int
    score: float
    percent: float
    text: str
    has_text: bool

    @property
    def risen(self) -> int:
        """How many places it went up."""
        return max(0, self.was_place - self.place)

    @property
    def fallen(self) -> int:
        return max(0, self.place - self.was_place)

    @property
    def path(self) -> str:
        """The curve from the old place to the new one, in an SVG."""
        start, end = ((place - 0.5) * ROW_HEIGHT for place in (self.was_place, self.place))
        return f"M0 {start:g}C{WIDTH / 2:g} {start:g} {WIDTH / 2:g} {end:g} {WIDTH} {end:g}"


@dataclass(frozen=True)
class RankingShown:
    """documents: all of them, as they were given."""

    template: ClassVar[str] = "endpoints/_result_rerank.html"
    width: ClassVar[int] = WIDTH

    rows: list[RankShown]
    documents: tuple[str, ...]

    @property
    def height(self) -> int:
        return ROW_HEIGHT * len(self.documents)

    @property
    def left_out(self) -> list[tuple[int, str]]:
        """What did not come back, by its old place."""
        found = {row.was_place for row in self.rows}
        numbered = enumerate(self.documents, start=1)
        return [(place, text) for place, text in numbered if place not in found]

    @property
    def has_texts(self) -> bool:
        return all(row.has_text for row in self.rows)


@dataclass(frozen=True)
class PlacesCompared:
    """The places of one document; None where it did not come back."""

    text: str
    here: int | None
    beside: int | None

    @property
    def distance(self) -> int:
        return abs((self.here or 0) - (self.beside or 0))


@dataclass(frozen=True)
class RankingsCompared:
    template: ClassVar[str] = "endpoints/_compared_rerank.html"

    rows: list[PlacesCompared]
    has_same_first: bool

    @property
    def moved(self) -> int:
        """How many documents stand at different places."""
        return sum(row.here != row.beside for row in self.rows)


def ranking_shown(request: InferenceRequest, ranking: Ranking) -> RankingShown:
    scores = [document.relevance_score for document in ranking.documents]
    lowest, highest = min(0.0, *scores, 0.0), max(0.0, *scores, 0.0)
    span = (highest - lowest) or 1.0
    return RankingShown(
        [
            RankShown(
                place=place,
                was_place=document.index + 1,
                score=document.relevance_score,
                percent=100 * (document.relevance_score - lowest) / span,
                text=request.input[document.index],
                has_text=document.text is not None,
            )
            for place, document in enumerate(ranking.documents, start=1)
        ],
        request.input,
    )


def rankings_compared(here: RankingShown, beside: RankingShown) -> RankingsCompared:
    places = [{row.was_place: row.place for row in one.rows} for one in (here, beside)]
    rows = [
        PlacesCompared(text, places[0].get(number), places[1].get(number))
        for number, text in enumerate(here.documents, start=1)
    ]
    rows.sort(key=lambda row: (row.here is None, row.here or 0, row.beside or len(rows)))
    firsts = [next(iter(one), None) for one in places]
    return RankingsCompared(rows, firsts[0] == firsts[1])
