"""Gets the text out of documents that people upload: text, Markdown, HTML, PDF and Word."""

from inference.documents.document import MAX_BYTES, Document, DocumentRefused
from inference.documents.reading import read_document

__all__ = ["MAX_BYTES", "Document", "DocumentRefused", "read_document"]
