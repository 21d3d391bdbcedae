"""The text of PDFs, page by page."""

import logging
from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from inference.documents.document import DocumentRefused, Gathered, counted
from inference.documents.plain import tidy

MAX_PAGES = 3000
LOCKED = "The PDF is locked with a password. Save it without one and upload that."
BROKEN = "The PDF is broken. Open it, print it to a new PDF, and upload that."
SCANNED = (
    "There is no text in this PDF: its pages are pictures, as a scanner makes them. "
    "Run text recognition on it first."
)
# What goes wrong in a broken file, beside what the library says itself.
FAULTS = (
    PyPdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


def read_pdf(content: bytes) -> tuple[str, tuple[str, ...]]:
    """The text, and what was lost. Raises DocumentRefused."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of each small flaw
    try:
        reader = PdfReader(BytesIO(content), strict=False)
        # Many are locked against printing only, and open with no password.
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentRefused(LOCKED)
        count = len(reader.pages)
    except FAULTS as exc:
        raise DocumentRefused(BROKEN) from exc
    gathered, empty, broken = Gathered(), 0, 0
    for number in range(min(count, MAX_PAGES)):
        try:
            text = reader.pages[number].extract_text().strip()
        except FAULTS:
            broken += 1
            continue
        empty += not text
        gathered.add(f"{text}\n\n" if text else "")
    text = tidy(str(gathered)).strip()
    if not text:
        raise DocumentRefused(BROKEN if broken else SCANNED)
    return text, losses(count, empty, broken)


def losses(count: int, empty: int, broken: int) -> tuple[str, ...]:
    told = []
    if empty:
        told.append(
            f"{counted(empty, 'page')} of {count:,} without text: empty, or scanned as a picture."
        )
    if broken:
        told.append(f"{counted(broken, 'page')} of {count:,} that could not be read.")
    if count > MAX_PAGES:
        told.append(f"Every page after the first {MAX_PAGES:,} of {count:,}.")
    return tuple(told)
