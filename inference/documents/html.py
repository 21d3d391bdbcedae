"""The text of HTML: blocks become paragraphs, headings and lists become Markdown's."""

import re
from html.parser import HTMLParser

from inference.documents.document import Gathered, counted
from inference.documents.plain import decode, tidy

CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
DECLARED_WITHIN = 4096
UNSEEN = frozenset({"script", "style", "head", "template", "noscript", "svg", "object", "iframe"})
BLOCKS = frozenset([
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "legend", "main", "nav", "ol", "p", "pre", "section",
    "summary", "table", "tbody", "tfoot", "thead", "ul",
])  # fmt: skip
LINES = frozenset({"br", "li", "tr"})
CELLS = frozenset({"td", "th"})
BLANKS = re.compile(r"[ \t\n\f\r]+")
MANY_NEWLINES = re.compile(r"\n{3,}")
BLANKS_AT_ENDS = re.compile(r"[ \t]+\n")


class TextOfHtml(HTMLParser):
    """Gathers what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.gathered = Gathered()
        self.pictures = 0
        self._unseen = 0
        self._preformatted = 0
        self._is_in_row = False
        self._is_line_begun = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSEEN:
            self._unseen += 1
        if self._unseen:
            return
        if tag in BLOCKS:
            self._add("\n\n")
        if tag in LINES:
            self._add("\n")
        if tag == "pre":
            self._preformatted += 1
        elif tag == "li":
            self._add("- ")
        elif tag == "tr":
            self._is_in_row = False
        elif tag in CELLS:
            self._add(" | " if self._is_in_row else "")
            self._is_in_row = True
        elif tag == "img":
            self._picture(dict(attrs).get("alt"))
        elif len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            self._add("#" * int(tag[1]) + " ")

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif not self._unseen and tag in BLOCKS:
            self._add("\n\n")
            if tag == "pre":
                self._preformatted = max(0, self._preformatted - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """In HTML the slash of a tag means nothing; of one that has no end it is usual."""
        if tag not in UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._preformatted:
            self._add(data)
            return
        text = BLANKS.sub(" ", data)
        self._add(text if self._is_line_begun else text.lstrip(" "))

    def _add(self, piece: str) -> None:
        if piece:
            self._is_line_begun = not piece.endswith(("\n", "- ", "# "))
            self.gathered.add(piece)

    def _picture(self, words: str | None) -> None:
        self.pictures += not words
        if words:
            self._add(f" {words} " if self._is_line_begun else f"{words} ")


def read_html(content: bytes) -> tuple[str, tuple[str, ...]]:
    """The text, and what was lost. Raises DocumentRefused."""
    declared = CHARSET.search(content, 0, DECLARED_WITHIN)
    markup, losses = decode(content, declared[1].decode("ascii") if declared else "")
    parser = TextOfHtml()
    parser.feed(markup)
    parser.close()
    text = MANY_NEWLINES.sub("\n\n", BLANKS_AT_ENDS.sub("\n", str(parser.gathered))).strip()
    if parser.pictures:
        losses += (f"{counted(parser.pictures, 'picture')} without a description.",)
    return tidy(text), losses
