"""What somebody looks for: by words, by words with faults in them, or by the very names."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Length

from console.likeness import is_like, pieces

# Of each kind; whoever looks for more has the list of that kind.
MOST = 8
# Names that are compared letter by letter, of each kind.
MOST_COMPARED = 300

QueryT = TypeVar("QueryT", bound="QuerySet[Model]")


@dataclass(frozen=True)
class Wanted:
    """words: in small letters; none finds all. is_loose: whether they may have faults.

    names: instead of words, of what is to be found.
    """

    words: tuple[str, ...] = ()
    is_loose: bool = False
    names: Sequence[str] | None = None

    def finds(self, text: str) -> bool:
        if self.names is not None:
            return text in self.names
        found = text.lower()
        return all(is_like(word, found) if self.is_loose else word in found for word in self.words)

    def among(self, known: QueryT, field: str) -> QueryT:
        """Those of these records whose name is wanted. field: the column that holds it."""
        if self.names is not None:
            return known.filter(**{f"{field}__in": self.names})
        if not self.is_loose:
            return known.filter(*(Q(**{f"{field}__icontains": word}) for word in self.words))
        longest = max(self.words, key=len)
        alike = (Q(**{f"{field}__icontains": piece}) for piece in sorted(pieces(longest)))
        names = known.filter(reduce(or_, alike)).values_list(field, flat=True)[:MOST_COMPARED]
        return known.filter(**{f"{field}__in": [name for name in names if self.finds(name)]})

    def first_of(self, known: QueryT, field: str) -> QueryT:
        """The few of them to show: the shorter a name with the words is, the more it is meant."""
        order = (Length(field), field) if self.words else (field,)
        return known.order_by(*order)[:MOST]
