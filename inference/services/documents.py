"""How documents come back from services that rank them."""

from inference.services.openai_shape import Received


class SentDocument(Received):
    text: str | None = None


def document_text(document: SentDocument | str | None) -> str | None:
    """The text of a document, which some providers send in an object."""
    return document.text if isinstance(document, SentDocument) else document
