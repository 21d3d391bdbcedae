"""Bytes that are text already, in whatever encoding."""

import codecs
import re

from inference.documents.document import DocumentRefused

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What no text has, whatever it is about: control characters but for tab, line and page ends.
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
MOST_CONTROLS = 0.01


def decode(content: bytes, declared: str = "") -> tuple[str, tuple[str, ...]]:
    """The text, and what was lost. declared: the encoding that the document itself names.

    Raises DocumentRefused for what is no text.
    """
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), declared or "utf-8")
    losses: tuple[str, ...] = ()
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        text = content.decode("cp1252", "replace")
        losses = ("Its letters are not in UTF-8: they are read as those of Windows (cp1252).",)
    if len(CONTROLS.findall(text)) > 1 + MOST_CONTROLS * len(text):
        raise DocumentRefused("This is no text. Upload a txt, md, html, pdf or docx file.")
    return tidy(text), losses


def tidy(text: str) -> str:
    """With newlines alone at the ends of lines, and without what no database takes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
