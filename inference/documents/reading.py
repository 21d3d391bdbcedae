"""One way in for every format. What has to be taken apart is read in a process of its own.

A file can be made to take hours or all memory to read. The process may use so much of both, and
what is wrong with it stays in it.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path, PurePath

from inference.documents.document import (
    MAX_BYTES,
    MB,
    Document,
    DocumentRefused,
    check_length,
)
from inference.documents.plain import decode

PLAIN = frozenset({"txt", "text", "md", "markdown", "log", "rst", "csv"})
KINDS = {"html": "html", "htm": "html", "xhtml": "html", "pdf": "pdf", "docx": "docx"}
TIME_S = 30.0
MAX_NAME = 120
PROJECT = Path(__file__).parents[2]
TOO_MUCH = (
    "Reading this document takes too much time or memory. Save it as plain text and upload that."
)
# Readers at work in one web process, each of which may take a core.
_turns = threading.BoundedSemaphore(2)


def read_document(name: str, content: bytes) -> Document:
    """The text of a document; its name tells the format, but for what a PDF says of itself.

    Takes TIME_S seconds at most, and a turn where others are read. Raises DocumentRefused.
    """
    name = PurePath(name.replace("\\", "/")).name[-MAX_NAME:] or "Document"
    if len(content) > MAX_BYTES:
        raise DocumentRefused(f"The document is larger than {MAX_BYTES // MB} MB.")
    if not content.strip():
        raise DocumentRefused("The document is empty.")
    if kind := kind_of(name, content):
        text, losses = read_apart(kind, content)
    else:
        text, losses = decode(content)
    check_length(len(text))
    if not text.strip():
        raise DocumentRefused("There is no text in the document.")
    return Document(name, text, losses)


def kind_of(name: str, content: bytes) -> str:
    """What has to be taken apart; empty for plain text. Raises DocumentRefused."""
    if content.startswith(b"%PDF-"):
        return "pdf"
    suffix = PurePath(name).suffix.lower().removeprefix(".")
    if suffix in KINDS:
        return KINDS[suffix]
    if suffix and suffix not in PLAIN:
        raise DocumentRefused(
            f"A .{suffix} file cannot be read. Upload a txt, md, html, pdf or docx file."
        )
    return ""


def read_apart(kind: str, content: bytes) -> tuple[str, tuple[str, ...]]:
    """The text, and what was lost. Raises DocumentRefused."""
    if not _turns.acquire(timeout=TIME_S):
        raise DocumentRefused("Other documents are being read. Try again in a minute.")
    try:
        done = subprocess.run(  # noqa: S603 - our own module with our own arguments
            [sys.executable, "-m", "inference.documents", kind],
            input=content,
            capture_output=True,
            cwd=PROJECT,
            timeout=TIME_S,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise DocumentRefused(TOO_MUCH) from exc
    finally:
        _turns.release()
    if done.returncode:
        raise DocumentRefused(TOO_MUCH)
    told = json.loads(done.stdout)
    if "refused" in told:
        raise DocumentRefused(told["refused"])
    return told["text"], tuple(told["losses"])
