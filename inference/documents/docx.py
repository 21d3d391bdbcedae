"""The text of Word's documents: paragraphs, headings, lists and tables.

The XML is read as a stream: nothing of it stays but the text. A document that declares a type, and
with it entities, is refused.
"""

import re
import zlib
from io import BytesIO
from xml.parsers import expat
from zipfile import BadZipFile, LargeZipFile, ZipFile

from inference.documents.document import DocumentRefused, Gathered, counted
from inference.documents.plain import tidy

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "
STRICT_WORD = "http://purl.oclc.org/ooxml/wordprocessingml/main "
FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
MAIN_PART = re.compile(r"word/document\d*\.xml")
HEADING = re.compile(r"heading ?([1-6])", re.IGNORECASE)
# Formatting takes many times the room of the text; a part that unpacks to more is none of Word's.
MAX_PART_BYTES = 200_000_000
PIECE_BYTES = 1 << 16
NOTES = {
    "footnoteReference": "footnote",
    "endnoteReference": "endnote",
    "commentReference": "comment",
}
OLD_FORMAT = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BROKEN = "The Word document is broken. Open it in Word, save it again, and upload that."


class TextOfWord:
    """Follows the elements of a document, and gathers their text."""

    def __init__(self) -> None:
        self.gathered = Gathered()
        self.lost: dict[str, int] = {}
        self._unread = 0
        self._is_text = False
        self._mark = ""
        self._is_begun = False
        self._cells: list[int] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == FALLBACK or self._unread:
            self._unread += 1  # it says once more what stands before it
            return
        match _plain(name):
            case "p":
                self._mark, self._is_begun = "", False
            case "pStyle":
                self._style(_plainly(attributes).get("val", ""))
            case "numPr":
                self._mark = self._mark or "- "
            case "t":
                self._is_text = True
            case "tab":
                self._add("\t")
            case "br" | "cr":
                self._add("\n")
            case "tr":
                self._cells.append(0)
            case "tc" if self._cells:
                self.gathered.add("| " if self._cells[-1] else "")
                self._cells[-1] += 1
            case "drawing" | "pict":
                self._lose("picture")
            case other if other in NOTES:
                self._lose(NOTES[other])

    def end(self, name: str) -> None:
        if self._unread:
            self._unread -= 1
            return
        match _plain(name):
            case "t":
                self._is_text = False
            case "p":
                self.gathered.add(" " if self._cells else "\n\n")
            case "tr" if self._cells:
                self._cells.pop()
                self.gathered.add("\n")
            case "tbl":
                self.gathered.add("\n")

    def text(self, data: str) -> None:
        if self._is_text and not self._unread:
            self._add(data)

    def _add(self, piece: str) -> None:
        if not self._is_begun:
            self._is_begun = True
            self.gathered.add("" if self._cells else self._mark)
        self.gathered.add(piece)

    def _style(self, style: str) -> None:
        if found := HEADING.match(style):
            self._mark = "#" * int(found[1]) + " "
        elif style.casefold() == "title":
            self._mark = "# "

    def _lose(self, what: str) -> None:
        self.lost[what] = self.lost.get(what, 0) + 1


def read_docx(content: bytes) -> tuple[str, tuple[str, ...]]:
    """The text, and what was lost. Raises DocumentRefused."""
    if content.startswith(OLD_FORMAT):
        raise DocumentRefused(
            "The Word document is locked with a password, or of the old .doc format. "
            "Save it as .docx without a password and upload that."
        )
    found = TextOfWord()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler, parser.buffer_text = found.text, True
    parser.StartDoctypeDeclHandler = refuse_types
    try:
        with ZipFile(BytesIO(content)) as archive:
            read_bytes = 0
            with archive.open(main_part(archive)) as part:
                while piece := part.read(PIECE_BYTES):
                    read_bytes += len(piece)
                    if read_bytes > MAX_PART_BYTES:
                        raise DocumentRefused("The Word document unpacks to far more than a text.")
                    parser.Parse(piece, False)
            parser.Parse(b"", True)
    except (BadZipFile, LargeZipFile, zlib.error, expat.ExpatError, EOFError) as exc:
        raise DocumentRefused(BROKEN) from exc
    except (NotImplementedError, RuntimeError) as exc:  # compressed or locked as Word never does
        raise DocumentRefused(BROKEN) from exc
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r" +\n", "\n", str(found.gathered))).strip()
    lost = tuple(f"{counted(count, what)} left out." for what, count in found.lost.items())
    return tidy(text), lost


def main_part(archive: ZipFile) -> str:
    for name in archive.namelist():
        if MAIN_PART.fullmatch(name):
            return name
    raise DocumentRefused("There is no Word document in this file. Save it as .docx once more.")


def refuse_types(*_: object) -> None:
    raise DocumentRefused(
        "The Word document declares a type of its own, which Word never does: it is not read."
    )


def _plain(name: str) -> str:
    """The name of one of Word's elements; empty for any other."""
    for space in (WORD, STRICT_WORD):
        if name.startswith(space):
            return name.removeprefix(space)
    return ""


def _plainly(attributes: dict[str, str]) -> dict[str, str]:
    return {name.rpartition(" ")[2]: value for name, value in attributes.items()}
