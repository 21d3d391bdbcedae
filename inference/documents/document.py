"""What is read out of a document, and how it is refused."""

from dataclasses import dataclass

from inference.errors import InvalidRequest

MB = 1_000_000
MAX_BYTES = 10 * MB
# No document of MAX_BYTES that is mostly text has more; those that unpack to more are refused.
MAX_CHARACTERS = 10_000_000


class DocumentRefused(InvalidRequest):
    """It cannot be read; the reason says what to do."""


@dataclass(frozen=True)
class Document:
    """text: lines end with a newline each. losses: what of the document is not in it, in words."""

    name: str
    text: str
    losses: tuple[str, ...] = ()


class Gathered:
    """Pieces of text as they are found. Raises DocumentRefused where they become too many."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        self._length += len(piece)
        check_length(self._length)
        self._pieces.append(piece)

    def __str__(self) -> str:
        return "".join(self._pieces)


def check_length(characters: int) -> None:
    if characters > MAX_CHARACTERS:
        raise DocumentRefused(
            f"The document unpacks to more than {MAX_CHARACTERS // MB} million characters. "
            "Upload a part of it."
        )


def counted(count: int, one: str, several: str = "") -> str:
    """A number with its word: 1 picture, 3 pictures."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
