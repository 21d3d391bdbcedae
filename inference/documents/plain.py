"""Bytes that are text already, in whatever encoding."""

import codecs
import re

from charset_normalizer import from_bytes

from inference.documents.document import DocumentRefused

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
USUAL = "cp1252"
# What texts are written in that are not in UTF-8, as people call it.
ENCODINGS = {
    USUAL: "those of Windows (cp1252)",
    "cp1251": "Cyrillic ones of Windows (cp1251)",
    "koi8_r": "Cyrillic ones (KOI8-R)",
    "cp1253": "Greek ones (cp1253)",
    "cp1255": "Hebrew ones (cp1255)",
    "cp1256": "Arabic ones (cp1256)",
    "cp932": "Japanese ones (Shift JIS)",
    "euc_jp": "Japanese ones (EUC-JP)",
    "gb18030": "Chinese ones (GB 18030)",
    "big5": "Chinese ones (Big5)",
    "cp949": "Korean ones (cp949)",
}
FOREIGN_WORDS = re.compile(r"[^\W\d_a-zA-Z]{2,}")
LOOKED_AT_BYTES = 64 * 1024
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
        text, words = decode_guessed(content)
        losses = (
            f"Its letters are not in UTF-8: they are read as {words}. If they look wrong, save it "
            "as UTF-8 and bring it again.",
        )
    if len(CONTROLS.findall(text)) > 1 + MOST_CONTROLS * len(text):
        raise DocumentRefused("This is no text. Upload a txt, md, html, pdf or docx file.")
    return tidy(text), losses


def decode_guessed(content: bytes) -> tuple[str, str]:
    """The text in the encoding that fits best, and what that is called."""
    encoding = guess(content)
    try:
        return content.decode(encoding), ENCODINGS[encoding]
    except UnicodeDecodeError:
        return content.decode(USUAL, "replace"), ENCODINGS[USUAL]


def guess(content: bytes) -> str:
    """One of ENCODINGS: the usual one, unless letters of another alphabet make whole words."""
    lines = content[:LOOKED_AT_BYTES].rpartition(b"\n")[0] or content[:LOOKED_AT_BYTES]
    found = from_bytes(lines, cp_isolation=list(ENCODINGS), enable_fallback=False).best()
    if found is None or found.encoding not in ENCODINGS:
        return USUAL
    text = str(found)
    foreign = sum(not sign.isascii() for sign in text)
    in_words = sum(map(len, FOREIGN_WORDS.findall(text)))
    return found.encoding if in_words > foreign / 2 else USUAL


def tidy(text: str) -> str:
    """With newlines alone at the ends of lines, and without what no database takes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
