"""What the inputs of a call are called where a page speaks of them."""

from dataclasses import dataclass
from textwrap import shorten

from inference.types import Content, InferenceRequest

MOST_CHARACTERS = 60
# Of an image as a data URL; a larger one is named and not shown.
MOST_SHOWN = 500_000


@dataclass(frozen=True)
class Named:
    """number: from 1. kind: Text, Document or Image. gist: how a text begins.

    picture: an image as a data URL; empty for a text, and for an image too large to show.
    """

    number: int
    kind: str
    gist: str
    picture: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


def names_of(call: InferenceRequest) -> list[Named]:
    kind = "Text" if call.query is None else "Document"
    gists = [shorten(text, MOST_CHARACTERS, placeholder=" …") for text in call.input]
    if not call.contents:
        return [Named(number, kind, gist) for number, gist in enumerate(gists, start=1)]
    contents = zip(call.contents, gists, strict=True)
    return [
        Named(number, content.type.capitalize(), gist, picture_of(content))
        for number, (content, gist) in enumerate(contents, start=1)
    ]


def picture_of(content: Content) -> str:
    is_shown = content.type == "image" and len(content.value) <= MOST_SHOWN
    return content.value if is_shown and content.value.startswith("data:image/") else ""
