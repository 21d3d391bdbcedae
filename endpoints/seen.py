"""What somebody saw before they wrote, so that nobody writes over what they did not see."""

from dataclasses import dataclass

from endpoints.models.base import Record
from inference.errors import Conflict


class ChangedMeanwhile(Conflict):
    """Somebody else wrote first."""


@dataclass(frozen=True)
class Seen:
    """mark: of the record as it was seen; empty where there was none."""

    mark: str = ""

    @classmethod
    def of(cls, record: Record) -> "Seen":
        return cls(record.updated_at.isoformat())

    def check(self, record: Record | None, what: str) -> None:
        """Raises ChangedMeanwhile where it is not like that any more. what: `index [i]`."""
        if record is None and self.mark:
            raise ChangedMeanwhile(f"{what} was deleted meanwhile")
        if record is not None and not self.mark:
            raise ChangedMeanwhile(f"{what} exists already")
        if record is not None and self != Seen.of(record):
            raise ChangedMeanwhile(f"{what} was changed meanwhile")
