"""What the inputs of a call are called where a page speaks of them."""

from dataclasses import dataclass
from textwrap import shorten

from inference.types import InferenceRequest

MOST_CHARACTERS = 60


@dataclass(frozen=True)
class Named:
    """number: from 1. kind: Text, Document or Image. gist: how it begins."""

    number: int
    kind: str
    gist: str

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


def names_of(call: InferenceRequest) -> list[Named]:
    kind = "Text" if call.query is None else "Document"
    kinds = [content.type.capitalize() for content in call.contents] or [kind] * len(call.input)
    return [
        Named(number, kind, shorten(text, MOST_CHARACTERS, placeholder=" …"))
        for number, (kind, text) in enumerate(zip(kinds, call.input, strict=True), start=1)
    ]
