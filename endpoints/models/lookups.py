"""What a query makes of a text that no column can hold."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import lookups

COMPARED = (
    lookups.Exact,
    lookups.IExact,
    lookups.Contains,
    lookups.IContains,
    lookups.StartsWith,
    lookups.IStartsWith,
    lookups.EndsWith,
    lookups.IEndsWith,
)


class WithoutNul:
    """PostgreSQL refuses to look for a text with a NUL; here it is simply not found."""

    rhs: Any

    def as_sql(self, *args: Any) -> Any:
        if isinstance(self.rhs, str) and "\0" in self.rhs:
            raise EmptyResultSet
        return super().as_sql(*args)  # type: ignore[misc]  # of the comparison beside it


def register() -> None:
    for compared in COMPARED:
        kind = type(compared.__name__, (WithoutNul, compared), {})
        for field in (models.CharField, models.TextField):
            field.register_lookup(kind)
